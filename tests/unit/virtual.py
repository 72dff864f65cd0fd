"""A `Runtime` for unit tests: virtual time, seeded randomness, and tasks of which one runs at a time.

A task gives way only where it waits: in `sleep`, in the `wait` of an event, for a lock that another holds.
The next that can go on then does; when none can, the clock jumps to the earliest end of a wait. So an hour
takes no time, and a test runs the same way every time.
"""

from __future__ import annotations

import math
import random
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

EPOCH = 1_700_000_000.0
"""What `time` says at the start."""


class Deadlock(Exception):
    """Every task waits for another, none for a time."""


class _Ended(BaseException):
    """Raised in the tasks that still wait when the test is over."""


@dataclass(eq=False)
class _Waiter:
    """A thread whose turn comes once `ready` says so, or at `deadline`."""

    ready: Callable[[], bool]
    deadline: float = math.inf
    thread: threading.Thread = field(default_factory=threading.current_thread)
    turn: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    deadlocked: bool = False


class VirtualEvent:
    """As `threading.Event`."""

    def __init__(self, runtime: VirtualRuntime) -> None:
        self._runtime = runtime
        self._set = False

    def set(self) -> None:
        self._set = True

    def is_set(self) -> bool:
        return self._set

    def wait(self, timeout: float | None = None) -> bool:
        if not self._set:
            self._runtime.give_way(self.is_set, math.inf if timeout is None else timeout)
        return self._set


class VirtualLock:
    """As `threading.Lock`, for `with` only."""

    def __init__(self, runtime: VirtualRuntime) -> None:
        self._runtime = runtime
        self._held = False

    def __enter__(self) -> None:
        if self._held:
            self._runtime.give_way(lambda: not self._held, math.inf)
        self._held = True

    def __exit__(self, *_error: object) -> None:
        self._held = False


class VirtualRuntime:
    """The test's own thread is a task like those that are spawned. `close` ends those that are left."""

    def __init__(self, seed: int = 0) -> None:
        self.random = random.Random(seed)
        self._test = threading.current_thread()
        self._now = 0.0
        self._waiters: list[_Waiter] = []
        self._closed = False

    def time(self) -> float:
        return EPOCH + self._now

    def monotonic(self) -> float:
        return self._now

    def sleep(self, seconds: float) -> None:
        self.give_way(lambda: False, seconds)

    def event(self) -> VirtualEvent:
        return VirtualEvent(self)

    def lock(self) -> VirtualLock:
        return VirtualLock(self)

    def spawn(self, function: Callable[[], None]) -> None:
        def run() -> None:
            with suppress(_Ended):
                self._await_turn(waiter)
                try:
                    function()
                finally:
                    self._pass_on()

        waiter = _Waiter(lambda: True, thread=threading.Thread(target=run, daemon=True))
        self._waiters.append(waiter)
        waiter.thread.start()

    def give_way(self, ready: Callable[[], bool], seconds: float) -> None:
        """Lets the others run until `ready`, for so many seconds at most. Raises Deadlock, in the test's thread."""
        waiter = _Waiter(ready, self._now + seconds)
        self._waiters.append(waiter)
        self._pass_on()
        self._await_turn(waiter)

    def close(self) -> None:
        """Ends every task, one after the other."""
        self._closed = True
        while self._waiters:
            waiter = self._waiters.pop()
            waiter.turn.release()
            waiter.thread.join()

    def _await_turn(self, waiter: _Waiter) -> None:
        waiter.turn.acquire()
        if self._closed:
            raise _Ended
        if waiter.deadlocked:
            raise Deadlock

    def _pass_on(self) -> None:
        if self._closed:
            return
        chosen = next((waiter for waiter in self._waiters if waiter.ready()), None)
        if chosen is None:
            chosen = min(self._waiters, key=lambda waiter: waiter.deadline)
            if chosen.deadline == math.inf:
                chosen = next(waiter for waiter in self._waiters if waiter.thread is self._test)
                chosen.deadlocked = True
            else:
                self._now = max(self._now, chosen.deadline)
        self._waiters.remove(chosen)
        chosen.turn.release()
