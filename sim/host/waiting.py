"""Waits for a condition, with a deadline. The error reports what was seen instead. All waiting in the kit uses it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from sim.errors import SimError

T = TypeVar("T")

_POLL_SECONDS = 0.05


class TimedOut(SimError):
    """A condition did not become true in time."""


def until(condition: Callable[[], T], what: str, *, seconds: float, seen: Callable[[], object] | None = None) -> T:
    """Calls `condition` until it returns a true value, and returns that value.

    Raises TimedOut after `seconds`. The message names `what`, and the result of `seen` or else the last value.
    """
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= deadline:
            last = seen() if seen is not None else value
            raise TimedOut(f"waited {seconds:g} s for {what}; seen instead: {last!r}")
        time.sleep(_POLL_SECONDS)
