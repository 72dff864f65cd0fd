"""The state of the AWS stub: one queue, the stored objects, and counts of the calls.

This module uses no socket and no clock. Until it is deleted, a message is either waiting or in flight. There is no
visibility timeout, so a message that a worker does not delete stays in flight and shows in the figures.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.sample import TOKEN

Json = dict[str, Any]

BATCH_ENTRIES = 10
"""https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html"""


@dataclass(frozen=True)
class Ledger:
    """Counts since the last reset: `calls` by operation; the others count messages and objects."""

    calls: Mapping[str, int]
    sent: int
    received: int
    deleted: int
    put: int
    """How many writes of objects there were."""
    objects: int
    """How many objects exist."""
    waiting: int
    in_flight: int
    drain_seconds: float
    """From the seeding of the queue to the last delete; 0 if either is missing."""

    def stored_exactly(self, messages: int) -> bool:
        """True if `messages` messages were received, stored and deleted exactly once, and the queue is empty."""
        return (
            self.received == self.put == self.objects == self.deleted == messages
            and self.waiting == self.in_flight == 0
        )


class UnknownOperation(Exception):
    """A call of an operation that the stub does not have."""


class Account:
    """One queue, one bucket and one parameter. It ignores their names."""

    def __init__(self) -> None:
        self._numbers = 0
        self._waiting: deque[tuple[str, str]] = deque()
        self._in_flight: dict[str, str] = {}
        self._operations: Mapping[str, Callable[[Json], Json]] = {
            "SendMessage": lambda call: self._send(call["MessageBody"]),
            "SendMessageBatch": _batch(lambda entry: self._send(entry["MessageBody"])),
            "DeleteMessage": self._delete,
            "DeleteMessageBatch": _batch(self._delete),
            "ChangeMessageVisibility": self._change_visibility,
            "ChangeMessageVisibilityBatch": _batch(self._change_visibility),
            "GetQueueAttributes": lambda _: {"Attributes": {"QueueArn": "arn:aws:sqs:eu-central-1:000000000000:bench"}},
            "GetParameter": lambda call: {
                "Parameter": {"Name": call["Name"], "Type": "SecureString", "Value": TOKEN, "Version": 1}
            },
        }
        self.reset()

    def reset(self) -> None:
        """Empties the queue and the bucket, and sets all counts to zero. Messages in flight stay in flight."""
        self._waiting.clear()
        self._calls: Counter[str] = Counter()
        self._sent = self._received = self._deleted = 0
        self._puts: Counter[str] = Counter()
        self._seeded_at = self._deleted_at = 0.0

    def seed(self, bodies: Sequence[str], now: float) -> None:
        """Puts messages into the queue."""
        for body in bodies:
            self._send(body)
        self._seeded_at = now

    def call(self, operation: str, payload: Json, now: float) -> Json:
        """The answer to any call but ReceiveMessage and PutObject; `now` in seconds. Raises UnknownOperation."""
        if operation not in self._operations:
            raise UnknownOperation(operation)
        self._calls[operation] += 1
        deleted = self._deleted
        answer = self._operations[operation](payload)
        if self._deleted > deleted:
            self._deleted_at = now
        return answer

    def asked_to_receive(self) -> None:
        """Counts a ReceiveMessage call. `receive` takes its messages, perhaps much later."""
        self._calls["ReceiveMessage"] += 1

    def receive(self, limit: int) -> list[str]:
        """Moves up to `limit` messages into flight. Returns each as the JSON text of a member of `Messages`."""
        taken = [self._waiting.popleft() for _ in range(min(limit, BATCH_ENTRIES, len(self._waiting)))]
        self._in_flight.update(taken)
        self._received += len(taken)
        return [text for _, text in taken]

    def put_object(self, key: str) -> None:
        """Stores an object."""
        self._calls["PutObject"] += 1
        self._puts[key] += 1

    def ledger(self) -> Ledger:
        """The counts since the last reset."""
        return Ledger(
            calls=dict(self._calls),
            sent=self._sent,
            received=self._received,
            deleted=self._deleted,
            put=self._puts.total(),
            objects=len(self._puts),
            waiting=len(self._waiting),
            in_flight=len(self._in_flight),
            drain_seconds=self._deleted_at - self._seeded_at if self._seeded_at and self._deleted_at else 0.0,
        )

    def _send(self, body: str) -> Json:
        self._numbers += 1
        handle = f"{self._numbers:032x}"
        digest = hashlib.md5(body.encode(), usedforsecurity=False).hexdigest()
        message = {
            "MessageId": handle,
            "ReceiptHandle": handle,
            "MD5OfBody": digest,
            "Body": body,
            "Attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "1693561101500"},
        }
        self._waiting.append((handle, json.dumps(message)))
        self._sent += 1
        return {"MessageId": handle, "MD5OfMessageBody": digest}

    def _delete(self, entry: Json) -> Json:
        if self._in_flight.pop(entry["ReceiptHandle"], None) is not None:
            self._deleted += 1
        return {}

    def _change_visibility(self, entry: Json) -> Json:
        handle = entry["ReceiptHandle"]
        if entry["VisibilityTimeout"] == 0 and handle in self._in_flight:
            self._waiting.append((handle, self._in_flight.pop(handle)))
        return {}


def _batch(one: Callable[[Json], Json]) -> Callable[[Json], Json]:
    return lambda call: {
        "Successful": [{"Id": entry["Id"], **one(entry)} for entry in call["Entries"]],
        "Failed": [],
    }
