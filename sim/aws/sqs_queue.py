"""What SQS keeps: queues and their messages, and what becomes of them with time.

A message is *visible* once its `visible_at` has come, and hidden before: delayed, or in flight after a delivery. One
that has been delivered `max_receive_count` times goes to the dead-letter queue instead of being delivered again; one
that is older than the retention is gone.

[Guide] is https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/. Times are Unix seconds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field


@dataclass(slots=True)
class Message:
    """A message. A dead letter keeps the time at which it was first sent and its receive count."""

    id: str
    body: str
    sent_at: float
    visible_at: float
    receive_count: int = 0
    first_received_at: float | None = None
    received_at: float = 0.0
    handles: list[str] = field(default_factory=list)
    """One for each delivery, the last one is the current."""

    def visible(self, now: float) -> bool:
        return self.visible_at <= now

    def in_flight(self, now: float) -> bool:
        return now < self.visible_at and bool(self.handles)


@dataclass
class Queue:
    """A queue: its attributes with AWS's defaults, and its messages by id in the order of their coming."""

    url: str
    arn: str
    visibility_timeout: int = 30
    delay_seconds: int = 0
    receive_wait_seconds: int = 0
    retention_seconds: int = 345_600
    max_in_flight: int = 120_000
    max_receive_count: int | None = None
    dead_letters: Queue | None = None
    messages: dict[str, Message] = field(default_factory=dict)
    by_handle: dict[str, Message] = field(default_factory=dict)
    changes: int = 0
    """Grows whenever a receive that waits may have something to look at."""
    expired: int = 0
    """How many messages were gone for their age."""
    _none_expires_before: float = math.inf
    _spent: dict[str, Message] = field(default_factory=dict)
    """Those that were delivered max_receive_count times."""

    def add(self, message: Message) -> None:
        self.messages[message.id] = message
        self._none_expires_before = min(self._none_expires_before, self._expires_at(message))
        self.changes += 1

    def remove(self, message: Message) -> None:
        del self.messages[message.id]
        self._spent.pop(message.id, None)
        for handle in message.handles:
            del self.by_handle[handle]

    def count_delivery(self, message: Message, deliveries: int) -> None:
        """Adds to the receive count: 1 for a delivery, -1 for one that is forgotten."""
        message.receive_count = max(0, message.receive_count + deliveries)
        if self.max_receive_count is not None and message.receive_count >= self.max_receive_count:
            self._spent[message.id] = message
        else:
            self._spent.pop(message.id, None)

    def count_in_flight(self, now: float) -> int:
        return sum(message.in_flight(now) for message in self.messages.values())

    def expire(self, now: float) -> None:
        """[Guide] sqs-message-lifecycle: what is longer in the queue than the retention period is deleted."""
        if now < self._none_expires_before:
            return
        for message in [each for each in self.messages.values() if self._expires_at(each) <= now]:
            self.remove(message)
            self.expired += 1
        self._none_expires_before = min(map(self._expires_at, self.messages.values()), default=math.inf)

    def redrive(self, now: float) -> None:
        """Moves the visible messages of which one more delivery would exceed maxReceiveCount. A receive does this.

        [Guide] sqs-dead-letter-queues: the message moves once its receive count would exceed maxReceiveCount. In a
        standard queue it expires by the time at which it was first sent, and so does the dead letter. Its receipt
        handles do not come along.
        """
        if self.dead_letters is None:
            return
        for message in [each for each in self._spent.values() if each.visible(now)]:
            self.remove(message)
            message.handles = []
            message.visible_at = now
            self.dead_letters.add(message)

    def _expires_at(self, message: Message) -> float:
        return message.sent_at + self.retention_seconds
