"""SQS, SSM and S3 on one loopback port, each call answered after a fixed delay, as AWS takes some 20 ms.

Run as `python -m bench.stub --port PORT --delay-ms 20`. It shares the machine with what is measured, so
it does the least that boto3 is content with: no signatures, no names, no visibility timeouts. Beside AWS
it answers, without delay:

    GET  /_stub/ledger   what happened since the last reset, a JSON object (see Ledger)
    POST /_stub/reset    empties the queue and the bucket, starts counting anew
    POST /_stub/seed     {"count": N} puts N messages into the queue
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import json
from collections import deque
from collections.abc import Callable
from typing import cast

import httptools
import uvloop

from bench.account import Account, Json, Ledger, UnknownOperation
from bench.sample import message_body

CONTROL = "/_stub"
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Stub:
    """Gives each call its answer when its time has come. `delay` in seconds."""

    def __init__(self, delay: float, loop: asyncio.AbstractEventLoop) -> None:
        self._account = Account()
        self._delay = delay
        self._loop = loop
        self._polls: deque[_Poll] = deque()

    def handle(self, connection: Connection, target: str, path: str, body: bytes) -> None:
        """Takes one request; `target` is the X-Amz-Target, which SQS and SSM name their operation by."""
        if path.startswith(CONTROL):
            connection.answer(json.dumps(self._control(path, body)).encode())
        else:
            self._loop.call_later(self._delay, self._answer, connection, target, path, body)

    def _answer(self, connection: Connection, target: str, path: str, body: bytes) -> None:
        operation = target.partition(".")[2]
        if operation == "ReceiveMessage":
            self._account.asked_to_receive()
            self._poll(connection, json.loads(body))
        elif operation:
            try:
                answer = self._account.call(operation, json.loads(body), self._loop.time())
            except UnknownOperation:
                connection.answer(_unknown(target), "400 Bad Request")
                return
            connection.answer(json.dumps(answer).encode())
            self._wake()
        elif connection.method == b"PUT":
            self._account.put_object(path)
            connection.answer(b"", headers='ETag: "0"\r\n')
        else:
            connection.answer(_unknown(f"{connection.method.decode()} {path}"), "400 Bad Request")

    def _poll(self, connection: Connection, call: Json) -> None:
        poll = _Poll(connection, call.get("MaxNumberOfMessages", 1))
        messages = self._account.receive(poll.limit)
        seconds = call.get("WaitTimeSeconds", 0)
        if messages or not seconds:
            connection.answer(_messages(messages))
        else:
            poll.timer = self._loop.call_later(seconds, self._give_up, poll)
            self._polls.append(poll)

    def _give_up(self, poll: _Poll) -> None:
        self._polls.remove(poll)
        poll.connection.answer(_messages([]))

    def _wake(self) -> None:
        while self._polls:
            poll = self._polls[0]
            messages = [] if poll.connection.closed else self._account.receive(poll.limit)
            if not messages and not poll.connection.closed:
                return
            self._polls.popleft().timer.cancel()
            poll.connection.answer(_messages(messages))

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


@dataclasses.dataclass(eq=False)
class _Poll:
    """A ReceiveMessage call that waits for messages."""

    connection: Connection
    limit: int
    timer: asyncio.TimerHandle = dataclasses.field(init=False)


class Connection(asyncio.Protocol):
    """One client's connection: reads a request, hands it on, and writes the answer when it is given."""

    def __init__(self, handle: Callable[[Connection, str, str, bytes], None]) -> None:
        self._handle = handle
        self._parser = httptools.HttpRequestParser(self)
        self._path = self._target = ""
        self._body: list[bytes] = []
        self.method = b""
        self.closed = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, _: Exception | None) -> None:
        self.closed = True

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._transport.close()

    def on_message_begin(self) -> None:
        self._path = self._target = ""
        self._body.clear()

    def on_url(self, url: bytes) -> None:
        self._path += url.decode()

    def on_header(self, name: bytes, value: bytes) -> None:
        match name.lower():
            case b"x-amz-target":
                self._target = value.decode()
            case b"expect":
                self._transport.write(_CONTINUE)

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        self.method = self._parser.get_method()
        self._handle(self, self._target, self._path, b"".join(self._body))

    def answer(self, body: bytes, status: str = "200 OK", headers: str = "") -> None:
        """Writes an answer, unless the client has gone."""
        if self.closed:
            return
        head = f"HTTP/1.1 {status}\r\nContent-Type: application/x-amz-json-1.0\r\n{headers}Content-Length: {len(body)}"
        self._transport.write(head.encode() + b"\r\n\r\n" + body)


def ledger(text: bytes) -> Ledger:
    """The ledger in an answer to `GET /_stub/ledger`."""
    return Ledger(**json.loads(text))


def _messages(messages: list[str]) -> bytes:
    return f'{{"Messages": [{", ".join(messages)}]}}'.encode() if messages else b"{}"


def _unknown(what: str) -> bytes:
    return json.dumps({"__type": "UnknownOperationException", "message": f"the stub does not know {what}"}).encode()


async def _serve(port: int, delay: float) -> None:
    loop = asyncio.get_running_loop()
    stub = Stub(delay, loop)
    server = await loop.create_server(lambda: Connection(stub.handle), "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


def _main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.stub", description="A stub of AWS that takes its time.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--delay-ms", type=float, default=20)
    arguments = parser.parse_args()
    uvloop.run(_serve(arguments.port, arguments.delay_ms / 1000))


if __name__ == "__main__":
    _main()
