"""What a service takes from the machine it runs on: time, randomness, threads.

A service is handed a `Runtime` and never asks the machine itself, so that the same code runs on
threads in production and on a seeded scheduler under virtual time in a simulation.
"""

from __future__ import annotations

import logging
import os
import queue
import random
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

log = logging.getLogger(__name__)


class Event(Protocol):
    """An event like `threading.Event`."""

    def set(self) -> None: ...
    def is_set(self) -> bool: ...
    def wait(self, timeout: float | None = None) -> bool: ...


class Runtime(Protocol):
    """Time in seconds; `time` is since the Unix epoch, `monotonic` since no particular moment."""

    @property
    def random(self) -> random.Random: ...
    def time(self) -> float: ...
    def monotonic(self) -> float: ...
    def sleep(self, seconds: float) -> None: ...
    def event(self) -> Event: ...
    def lock(self) -> AbstractContextManager[object]: ...
    def spawn(self, function: Callable[[], None]) -> None: ...


class Machine:
    """The clocks and the entropy of the machine."""

    def __init__(self) -> None:
        self.random: random.Random = random.SystemRandom()

    def time(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()


class ThreadRuntime(Machine):
    """The machine's, and threads, as many as are busy at once.

    A thread that is done waits for the next function: to start one costs as much as a tenth of a call of AWS. They
    are daemons, because a thread in a long poll must not hold up the end of its process. A function that raises ends
    the process with status 1, since nothing else would notice that its work is no longer done.
    """

    def __init__(self) -> None:
        super().__init__()
        self._functions: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._idle = 0

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def event(self) -> Event:
        return threading.Event()

    def lock(self) -> AbstractContextManager[object]:
        return threading.Lock()

    def spawn(self, function: Callable[[], None]) -> None:
        with self._lock:
            if self._idle:
                self._idle -= 1
            else:
                threading.Thread(target=self._run, daemon=True).start()
        self._functions.put(function)

    def _run(self) -> None:
        while True:
            try:
                self._functions.get()()
            except BaseException:
                log.critical("a thread failed, which ends the process", exc_info=True)
                os._exit(1)
            with self._lock:
                self._idle += 1


def full_jitter(attempt: int, *, base: float, cap: float, draw: random.Random) -> float:
    """Seconds to wait before attempt `attempt` (the first retry is 1): uniform in 0 to min(cap, base * 2**attempt).

    https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    """
    return draw.uniform(0, min(cap, base * 2 ** min(attempt, 30)))
