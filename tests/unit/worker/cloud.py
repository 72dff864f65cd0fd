"""SQS and S3 as the worker meets them: one queue with its visibility timeouts, one bucket, both in virtual time."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

from botocore.awsrequest import AWSPreparedRequest

from services.pipeline import aws
from services.worker.service import assemble
from services.worker.settings import Settings
from services.worker.worker import Worker
from sim.world.virtual_time import WorldRuntime
from tests.unit import wire

S3_DOWN = wire.s3_error(503, "ServiceUnavailable")
Fault = Callable[[str, str], wire.Sent | None]


def no_fault(_operation: str, _body: str) -> wire.Sent | None:
    """Everything goes well."""
    return None


def failing(operation: str, sent: wire.Sent) -> Fault:
    """One operation fails."""
    return lambda called, _body: sent if called == operation else None


@dataclass
class Item:
    """A message in the queue."""

    body: str
    visible_at: float = 0.0
    receives: int = 0
    handle: str = ""


@dataclass
class Cloud:
    """`fault` sees the operation and body of every call first. It may wait; what it gives is the answer.

    `done` are the puts and deletes in their order, each with the id of its message.
    """

    runtime: WorldRuntime
    settings: Settings
    items: list[Item] = field(default_factory=list)
    objects: dict[str, str] = field(default_factory=dict)
    fault: Fault = no_fault
    calls: list[tuple[float, str]] = field(default_factory=list)
    done: list[tuple[str, str]] = field(default_factory=list)
    signs: list[float] = field(default_factory=list)

    def worker(self) -> Worker:
        """A worker before this cloud, not yet started."""
        sqs = aws.client("sqs", wire.REGION, connections=1, attempts=1)
        s3 = aws.client("s3", wire.REGION, connections=1, attempts=1)
        wire.connect(sqs, self._answer)
        wire.connect(s3, self._answer)
        return assemble(self.settings, sqs, s3, lambda: self.signs.append(self.runtime.monotonic()), self.runtime)

    def send(self, *bodies: str) -> None:
        """Puts messages into the queue."""
        self.items += [Item(body) for body in bodies]

    def times(self, operation: str) -> list[float]:
        """When an operation was called."""
        return [at for at, called in self.calls if called == operation]

    def _answer(self, operation: str, request: AWSPreparedRequest) -> wire.Sent:
        self.calls.append((self.runtime.monotonic(), operation))
        body = wire.body(request)
        if (fault := self.fault(operation, body)) is not None:
            return fault
        if operation == "PutObject":
            return self._put(request.url, body)
        call = json.loads(body)
        if operation == "ReceiveMessage":
            return self._receive(call["MaxNumberOfMessages"], call["WaitTimeSeconds"], call["VisibilityTimeout"])
        for entry in call["Entries"]:
            item = next((item for item in self.items if item.handle == entry["ReceiptHandle"]), None)
            if item is None:
                continue
            if operation == "DeleteMessageBatch":
                self.items.remove(item)
                self.done.append(("delete", json.loads(item.body)["id"]))
            else:
                item.visible_at = self.runtime.monotonic() + entry["VisibilityTimeout"]
        return wire.ok({"Successful": [{"Id": entry["Id"]} for entry in call["Entries"]]})

    def _receive(self, most: int, wait: int, visibility: int) -> wire.Sent:
        until = self.runtime.monotonic() + wait
        while not self._visible() and self.runtime.monotonic() < until:
            self.runtime.sleep(1)
        taken = self._visible()[:most]
        for item in taken:
            item.receives += 1
            item.visible_at = self.runtime.monotonic() + visibility
            item.handle = f"{item.receives} {item.body}"
        return wire.ok({"Messages": list(map(_delivered, taken))} if taken else {})

    def _put(self, url: str, body: str) -> wire.Sent:
        key = unquote(urlsplit(url).path).removeprefix("/")
        self.objects[key] = body
        self.done.append(("put", key.rpartition("/")[2].removesuffix(".json")))
        return wire.Reply(200)

    def _visible(self) -> list[Item]:
        return [item for item in self.items if item.visible_at <= self.runtime.monotonic()]


def _delivered(item: Item) -> dict[str, Any]:
    return {
        "MessageId": "named by SQS",
        "ReceiptHandle": item.handle,
        "Body": item.body,
        "Attributes": {"ApproximateReceiveCount": str(item.receives)},
    }
