"""A stub of SQS, SSM and S3 on one loopback port. It answers each call after a fixed delay; AWS takes some 20 ms.

Run it as `python -m bench.stub --port PORT --delay-ms 20`. It shares the machine with the services that are measured,
so it does only what boto3 requires: it ignores signatures and names and has no visibility timeouts. These requests
control the stub and are answered without delay:

    GET  /_stub/ledger   the counts since the last reset, as a JSON object (see Ledger)
    POST /_stub/reset    empties the queue and the bucket, and sets all counts to zero
    POST /_stub/seed     {"count": N} puts N messages into the queue
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import json
from collections import deque

import uvloop

from bench.account import Account, Json, Ledger, UnknownOperation
from bench.sample import message_body
from sim.cloud.gateway.http import Request, Response, ServerConnection

CONTROL = "/_stub"
_JSON = [(b"Content-Type", b"application/x-amz-json-1.0")]


class Stub:
    """Answers each call after `delay` seconds."""

    def __init__(self, delay: float, loop: asyncio.AbstractEventLoop) -> None:
        self._account = Account()
        self._delay = delay
        self._loop = loop
        self._polls: deque[_Poll] = deque()

    def handle(self, connection: ServerConnection, request: Request) -> None:
        """Handles one request."""
        path = request.target.decode()
        if path.startswith(CONTROL):
            connection.send(_answer(json.dumps(self._control(path, request.body)).encode()))
        else:
            self._loop.call_later(self._delay, self._call, connection, request)

    def _call(self, connection: ServerConnection, request: Request) -> None:
        # SQS and SSM name the operation in this header.
        target = request.fields().get("x-amz-target", "")
        operation = target.partition(".")[2]
        if operation == "ReceiveMessage":
            self._account.asked_to_receive()
            self._poll(connection, json.loads(request.body))
        elif operation:
            try:
                answer = self._account.call(operation, json.loads(request.body), self._loop.time())
            except UnknownOperation:
                connection.send(_unknown(target))
                return
            connection.send(_answer(json.dumps(answer).encode()))
            self._wake()
        elif request.method == b"PUT":
            self._account.put_object(request.target.decode())
            connection.send(Response(200, [(b"ETag", b'"0"')], b""))
        else:
            connection.send(_unknown(f"{request.method.decode()} {request.target.decode()}"))

    def _poll(self, connection: ServerConnection, call: Json) -> None:
        poll = _Poll(connection, call.get("MaxNumberOfMessages", 1))
        messages = self._account.receive(poll.limit)
        seconds = call.get("WaitTimeSeconds", 0)
        if messages or not seconds:
            connection.send(_messages(messages))
        else:
            poll.timer = self._loop.call_later(seconds, self._give_up, poll)
            self._polls.append(poll)

    def _give_up(self, poll: _Poll) -> None:
        self._polls.remove(poll)
        poll.connection.send(_messages([]))

    def _wake(self) -> None:
        while self._polls:
            poll = self._polls[0]
            messages = [] if poll.connection.closed else self._account.receive(poll.limit)
            if not messages and not poll.connection.closed:
                return
            self._polls.popleft().timer.cancel()
            poll.connection.send(_messages(messages))

    def _control(self, path: str, body: bytes) -> Json:
        match path.removeprefix(CONTROL):
            case "/ledger":
                return dataclasses.asdict(self._account.ledger())
            case "/reset":
                self._account.reset()
            case "/seed":
                bodies = [message_body(number) for number in range(json.loads(body)["count"])]
                self._account.seed(bodies, self._loop.time())
                self._wake()
            case _:
                return {"error": f"no such path: {path}"}
        return {}


class _Connection(ServerConnection):
    def __init__(self, stub: Stub) -> None:
        super().__init__()
        self._stub = stub

    def handle(self, request: Request) -> None:
        self._stub.handle(self, request)


@dataclasses.dataclass(eq=False)
class _Poll:
    """A ReceiveMessage call that waits for messages."""

    connection: ServerConnection
    limit: int
    timer: asyncio.TimerHandle = dataclasses.field(init=False)


def ledger(text: bytes) -> Ledger:
    """The ledger in an answer to `GET /_stub/ledger`."""
    return Ledger(**json.loads(text))


def _answer(body: bytes, status: int = 200) -> Response:
    return Response(status, _JSON, body)


def _messages(messages: list[str]) -> Response:
    return _answer(f'{{"Messages": [{", ".join(messages)}]}}'.encode() if messages else b"{}")


def _unknown(what: str) -> Response:
    words = f"the stub does not know {what}"
    return _answer(json.dumps({"__type": "UnknownOperationException", "message": words}).encode(), 400)


async def _serve(port: int, delay: float) -> None:
    loop = asyncio.get_running_loop()
    stub = Stub(delay, loop)
    server = await loop.create_server(lambda: _Connection(stub), "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


def _main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench.stub", description="A stub of AWS that answers with a delay."
    )
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--delay-ms", type=float, default=20)
    arguments = parser.parse_args()
    uvloop.run(_serve(arguments.port, arguments.delay_ms / 1000))


if __name__ == "__main__":
    _main()
