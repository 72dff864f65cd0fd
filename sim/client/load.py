"""Clients that publish steadily, each request once: what a deployment costs them is what they see."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

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


@dataclass
class Load:
    """What the clients have seen so far: how long each request took in seconds, which were accepted, what went wrong.

    `accepted` are ids of e-mails, `failed_at` the times in seconds at which requests began that failed.
    """

    seconds: list[float] = field(default_factory=list)
    accepted: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    failed_at: list[float] = field(default_factory=list)

    @property
    def requests(self) -> int:
        """All requests that have an end."""
        return len(self.seconds)

    @property
    def outage(self) -> float:
        """The seconds between the first and the last request that failed; 0 without one."""
        return max(self.failed_at) - min(self.failed_at) if self.failed_at else 0.0

    def percentile(self, share: float) -> float:
        """The seconds within which this share of the requests ended; 0 without a request."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0

    def __str__(self) -> str:
        slowest = self.percentile(0.99) * 1000
        failed = (
            f"{len(self.failures)} failed: {', '.join(sorted(set(self.failures)))}" if self.failures else "0 failed"
        )
        return f"{self.requests} requests, {failed}; 99% within {slowest:.0f} ms"


@contextmanager
def publishing(client: Client, clients: int = CLIENTS) -> Iterator[Load]:
    """Publishes by so many clients until the block ends. They take turns, so that requests come evenly."""
    load, over, lock = Load(), threading.Event(), threading.Lock()

    def publish(pause: float) -> None:
        while not over.wait(pause):
            pause = PAUSE_SECONDS
            began = time.monotonic()
            answer = client.publish(_EMAIL)
            with lock:
                load.seconds.append(time.monotonic() - began)
                if answer.accepted:
                    load.accepted.append(answer.message_id)
                else:
                    load.failures.append(answer.why())
                    load.failed_at.append(began)

    threads = [
        threading.Thread(target=publish, args=(PAUSE_SECONDS * n / clients,), name=f"client {n + 1}", daemon=True)
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
