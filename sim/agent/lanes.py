"""Work in threads: one after the other within a lane, at the same time across lanes."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor

Work = Callable[[], None]


class Lanes:
    """Hands work to an executor, of each lane one piece at a time."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._lock = threading.Lock()
        self._waiting: dict[str, deque[Work]] = {}

    def submit(self, lane: str, work: Work) -> None:
        """Has the work done, after all that was submitted to its lane before."""
        with self._lock:
            if lane in self._waiting:
                self._waiting[lane].append(work)
                return
            self._waiting[lane] = deque()
        self._executor.submit(self._run, lane, work)

    def _run(self, lane: str, work: Work) -> None:
        try:
            work()
        finally:
            with self._lock:
                rest = self._waiting[lane]
                following = rest.popleft() if rest else None
                if following is None:
                    del self._waiting[lane]
            if following is not None:
                self._executor.submit(self._run, lane, following)
