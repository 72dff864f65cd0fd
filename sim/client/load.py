"""Clients that send requests steadily, each once: what a deployment costs them is what they see."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import TypeAlias

from services.pipeline.message import Email
from sim.client.api import Client

CLIENTS = 64
PAUSE_SECONDS = 2.0
"""Between two requests of a client: what is to be seen is a deployment, not how much this machine can do.

LocalStack is one process, and stores every e-mail beside the work of the deployment.
"""
_EMAIL = Email(
    email_subject="Is anybody there?",
    email_sender="load@example.com",
    email_timestream="1693561101",
    email_content="One of many.\n",
)


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its end. `began` is of the monotonic clock, in seconds, and `seconds` is how long it took.

    `failure` says in a few words what went wrong; "" if nothing did. `accepted` is the id of an e-mail, if it was one.
    """

    began: float
    seconds: float
    failure: str = ""
    accepted: str = ""


Send: TypeAlias = Callable[[], tuple[str, str]]
"""Sends one request, and returns `failure` and `accepted` of its exchange."""


@dataclass
class Load:
    """What the clients have seen so far, in the order in which the requests ended."""

    exchanges: list[Exchange] = field(default_factory=list)

    @property
    def requests(self) -> int:
        """All requests that have an end."""
        return len(self.exchanges)

    @property
    def accepted(self) -> list[str]:
        """The ids of the e-mails that were accepted."""
        return [each.accepted for each in self.exchanges if each.accepted]

    @property
    def failures(self) -> list[str]:
        """What went wrong, once for each request that failed."""
        return [each.failure for each in self.exchanges if each.failure]

    @property
    def outage(self) -> float:
        """The seconds between the beginnings of the first and the last request that failed; 0 without one."""
        failed = [each.began for each in self.exchanges if each.failure]
        return max(failed) - min(failed) if failed else 0.0

    def percentile(self, share: float) -> float:
        """The seconds within which this share of the requests ended; 0 without a request."""
        return percentile([each.seconds for each in self.exchanges], share) or 0.0

    def __str__(self) -> str:
        slowest, failures = self.percentile(0.99) * 1000, self.failures
        failed = f"{len(failures)} failed: {', '.join(sorted(set(failures)))}" if failures else "0 failed"
        return f"{self.requests} requests, {failed}; 99% within {slowest:.0f} ms"


def percentile(seconds: Sequence[float], share: float) -> float | None:
    """The time in seconds within which this share of the requests ended; None without a request."""
    ordered = sorted(seconds)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None


def publishing(client: Client, clients: int = CLIENTS) -> AbstractContextManager[Load]:
    """Publishes by so many clients until the block ends."""

    def publish() -> tuple[str, str]:
        answer = client.publish(_EMAIL)
        return ("", answer.message_id) if answer.accepted else (answer.why(), "")

    return sending(publish, clients, PAUSE_SECONDS)


@contextmanager
def sending(send: Send, clients: int, pause_seconds: float) -> Iterator[Load]:
    """Sends by so many clients until the block ends, each so often. They take turns, so that requests come evenly."""
    load, over = Load(), threading.Event()

    def go_on(wait: float) -> None:
        while not over.wait(wait):
            began = time.monotonic()
            failure, accepted = send()
            load.exchanges.append(Exchange(began, time.monotonic() - began, failure, accepted))
            wait = pause_seconds

    threads = [
        threading.Thread(target=go_on, args=(pause_seconds * n / clients,), name=f"client {n + 1}", daemon=True)
        for n in range(clients)
    ]
    for each in threads:
        each.start()
    try:
        yield load
    finally:
        over.set()
        for each in threads:
            each.join()
