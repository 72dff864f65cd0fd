"""Whether the API can do its work: what it depends on, asked once in a while however often it is asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from services.api.problems import Rejection

if TYPE_CHECKING:
    from services.pipeline.runtime import Runtime

CACHE_SECONDS = 1.0


class Readiness:
    """The state of each dependency by name; a check raises Rejection when its dependency cannot be used."""

    def __init__(self, checks: Mapping[str, Callable[[], None]], runtime: Runtime) -> None:
        self._checks = checks
        self._runtime = runtime
        self._lock = runtime.lock()
        self._asked_at = float("-inf")
        self._states: dict[str, str] = {}

    def states(self) -> dict[str, str]:
        """For each dependency `ok`, or what is wrong with it; at most CACHE_SECONDS old."""
        with self._lock:
            if self._runtime.monotonic() - self._asked_at >= CACHE_SECONDS:
                self._states = {name: _state(check) for name, check in self._checks.items()}
                self._asked_at = self._runtime.monotonic()
            return self._states


def _state(check: Callable[[], None]) -> str:
    try:
        check()
    except Rejection as rejection:
        return rejection.problem.detail
    return "ok"
