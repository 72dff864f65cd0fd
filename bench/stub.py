"""A stub of SQS, SSM and S3 on one loopback port. It answers each call after a fixed delay; AWS takes some 20 ms.

Run it as `python -m bench.stub PORT DELAY_MS`. It shares the machine with the services that are measured, so it does
only what boto3 requires: one queue, one bucket and one parameter, whatever their names, no signatures and no visibility
timeout. `GET /_stub` returns the counts so far, `POST /_stub` sends as many e-mails as its body says, and
`DELETE /_stub` empties the queue.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
from collections import Counter, deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import uvloop

from bench.sample import TOKEN, message_body
from sim.cloud.http import Request, Response, ServerConnection

CONTROL = "/_stub"
_BATCH_ENTRIES = 10
"""https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html"""

Json = dict[str, Any]


class Account:
    """A queue, a bucket and a parameter. Until it is deleted, a message is either waiting or in flight."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        """By operation, single or in batches: `SendMessage`, `PutObject`."""
        self._waiting: deque[Json] = deque()
        self._arrived = asyncio.Event()
        self._in_flight: dict[str, Json] = {}
        self._sent = self._deleted = 0
        self._objects: set[str] = set()

    def counts(self) -> Json:
        """The numbers of calls, messages and objects so far."""
        left = len(self._waiting) + len(self._in_flight)
        return {"sent": self._sent, "deleted": self._deleted, "left": left, "objects": len(self._objects), **self.calls}

    def clear(self) -> None:
        """Drops the messages that wait."""
        self._waiting.clear()

    def send(self, call: Json) -> Json:
        """SendMessage."""
        self._sent += 1
        digest = hashlib.md5(call["MessageBody"].encode(), usedforsecurity=False).hexdigest()
        name = f"{self._sent:032x}"
        message = {"MessageId": name, "ReceiptHandle": name, "MD5OfBody": digest, "Body": call["MessageBody"]}
        self._waiting.append({**message, "Attributes": {"ApproximateReceiveCount": "1"}})
        self._arrived.set()
        return {"MessageId": name, "MD5OfMessageBody": digest}

    async def receive(self, call: Json) -> Json:
        """ReceiveMessage: waits as long as the call says while the queue is empty."""
        with suppress(TimeoutError):
            async with asyncio.timeout(call.get("WaitTimeSeconds", 0)):
                while not self._waiting:
                    self._arrived.clear()
                    await self._arrived.wait()
        most = min(call.get("MaxNumberOfMessages", 1), _BATCH_ENTRIES, len(self._waiting))
        messages = [self._waiting.popleft() for _ in range(most)]
        self._in_flight |= {each["ReceiptHandle"]: each for each in messages}
        return {"Messages": messages} if messages else {}

    def delete(self, call: Json) -> Json:
        """DeleteMessage."""
        self._deleted += self._in_flight.pop(call["ReceiptHandle"], None) is not None
        return {}

    def give_back(self, call: Json) -> Json:
        """ChangeMessageVisibility: to 0 it returns a message to the queue, to more it changes nothing."""
        if call["VisibilityTimeout"] == 0 and (message := self._in_flight.pop(call["ReceiptHandle"], None)):
            self._waiting.append(message)
            self._arrived.set()
        return {}

    def put(self, key: str) -> None:
        """PutObject."""
        self.calls["PutObject"] += 1
        self._objects.add(key)

    async def call(self, operation: str, call: Json) -> Json:
        """The answer to a call of SQS or SSM."""
        name = operation.removesuffix("Batch")
        self.calls[name] += 1
        if name == "ReceiveMessage":
            return await self.receive(call)
        if name == "GetParameter":
            return {"Parameter": {"Name": call["Name"], "Type": "SecureString", "Value": TOKEN, "Version": 1}}
        if name == "GetQueueAttributes":
            return {"Attributes": {"QueueArn": "arn:aws:sqs:eu-central-1:000000000000:bench"}}
        known: dict[str, Callable[[Json], Json]] = {
            "SendMessage": self.send,
            "DeleteMessage": self.delete,
            "ChangeMessageVisibility": self.give_back,
        }
        if name == operation:
            return known[name](call)
        return {"Successful": [{"Id": entry["Id"], **known[name](entry)} for entry in call["Entries"]]}


class _Connection(ServerConnection):
    def __init__(self, account: Account, delay: float) -> None:
        super().__init__()
        self._account = account
        self._delay = delay
        self._task: asyncio.Task[None] | None = None

    def handle(self, request: Request) -> None:
        self._task = asyncio.get_running_loop().create_task(self._answer(request))

    async def _answer(self, request: Request) -> None:
        target = request.target.decode()
        if target == CONTROL:
            if request.method == b"DELETE":
                self._account.clear()
            for _ in range(int(request.body or 0)):
                self._account.send({"MessageBody": message_body()})
            self.send(_json(self._account.counts()))
            return
        await asyncio.sleep(self._delay)
        if request.method == b"PUT":
            self._account.put(target)
            self.send(Response(200, [(b"ETag", b'"0"')], b""))
            return
        operation = request.fields()["x-amz-target"].rpartition(".")[2]
        self.send(_json(await self._account.call(operation, json.loads(request.body))))


def _json(document: Json) -> Response:
    return Response(200, [(b"Content-Type", b"application/x-amz-json-1.0")], json.dumps(document).encode())


async def _serve(port: int, delay: float) -> None:
    account = Account()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(account, delay), "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1]), float(sys.argv[2]) / 1000))
