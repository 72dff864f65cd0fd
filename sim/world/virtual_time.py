"""A `Runtime` for the services, in virtual time."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from sim.world.scheduler import Scheduler, Task

if TYPE_CHECKING:
    import random

EPOCH = 1_700_000_000.0
"""What `time` returns at the start, in Unix seconds."""


class WorldEvent:
    """An event like `threading.Event`."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._set = False
        self._waiting: list[Task] = []

    def set(self) -> None:
        self._set = True
        for task in self._waiting:
            self._scheduler.wake(task)
        self._waiting.clear()

    def is_set(self) -> bool:
        return self._set

    def wait(self, timeout: float | None = None) -> bool:
        if not self._set:
            task = self._scheduler.current
            self._waiting.append(task)
            if timeout is None:
                self._scheduler.park()
            elif not self._scheduler.park(timeout) and not self._set:
                self._waiting.remove(task)
        return self._set


class WorldLock:
    """A lock like `threading.Lock`, for `with` only. A task that has just arrived may get it before one that waits."""

    def __init__(self, scheduler: Scheduler, pause: Callable[[], None] | None = None) -> None:
        self._scheduler = scheduler
        self._pause = pause
        self._held = False
        self._waiting: list[Task] = []

    def __enter__(self) -> None:
        if self._pause is not None:
            self._pause()
        while self._held:
            self._waiting.append(self._scheduler.current)
            self._scheduler.park()
        self._held = True

    def __exit__(self, *_error: object) -> None:
        self._held = False
        if self._waiting:
            self._scheduler.wake(self._waiting.pop(0))


class WorldRuntime:
    """One machine's clocks and tasks. Its clock is `skew` seconds ahead of the others'.

    `pause` is called before each lock is taken, so that other tasks may run there. `failed` gets each exception that
    ends a task; without it, the exception is raised where the scheduler was made.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        draw: random.Random,
        *,
        pause: Callable[[], None] | None = None,
        failed: Callable[[Exception], None] | None = None,
    ) -> None:
        self.random = draw
        self.skew = 0.0
        self._failed = failed
        self.scheduler = scheduler
        self._pause = pause
        self._tasks: dict[Task, None] = {}

    def time(self) -> float:
        return EPOCH + self.scheduler.now + self.skew

    def monotonic(self) -> float:
        return self.scheduler.now

    def sleep(self, seconds: float) -> None:
        self.scheduler.park(seconds)

    def event(self) -> WorldEvent:
        return WorldEvent(self.scheduler)

    def lock(self) -> AbstractContextManager[object]:
        return WorldLock(self.scheduler, self._pause)

    def spawn(self, function: Callable[[], None]) -> None:
        def run() -> None:
            try:
                function()
            except Exception as error:
                if self._failed is None:
                    raise
                self._failed(error)
            finally:
                del self._tasks[task]

        task = self.scheduler.spawn(run)
        self._tasks[task] = None

    def crash(self) -> None:
        """Ends every task of this machine where it is."""
        for task in self._tasks:
            self.scheduler.kill(task)
