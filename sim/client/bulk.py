"""Publishes many e-mails, several at once."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Generic, TypeVar

from services.pipeline.message import Email
from sim.client.api import ApiAnswer, Client

K = TypeVar("K")


@dataclass(frozen=True)
class Published(Generic[K]):
    """One of many: what the caller calls it, and its answer."""

    name: K
    answer: ApiAnswer


def publish_all(
    client: Client, emails: Iterable[tuple[K, Email]], *, concurrency: int, rate: float | None = None
) -> Iterator[Published[K]]:
    """Publishes lazily, `concurrency` at once and `rate` a second at most; the answers as they come."""
    under_way: dict[Future[ApiAnswer], K] = {}
    pace = _Pace(rate)
    with ThreadPoolExecutor(concurrency, thread_name_prefix="publish") as pool:
        for name, email in emails:
            pace.wait()
            under_way[pool.submit(client.publish_surely, email)] = name
            if len(under_way) >= concurrency:
                yield from _finished(under_way)
        while under_way:
            yield from _finished(under_way)


def _finished(under_way: dict[Future[ApiAnswer], K]) -> Iterator[Published[K]]:
    done, _ = wait(under_way, return_when=FIRST_COMPLETED)
    for future in done:
        yield Published(under_way.pop(future), future.result())


class _Pace:
    """Lets `rate` callers a second through, evenly."""

    def __init__(self, rate: float | None) -> None:
        self._step = 1 / rate if rate else 0.0
        self._next = time.monotonic()

    def wait(self) -> None:
        time.sleep(max(0.0, self._next - time.monotonic()))
        self._next = max(self._next, time.monotonic()) + self._step
