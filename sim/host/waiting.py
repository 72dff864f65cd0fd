"""The one way in which the kit waits: for a condition, with a deadline, and an account of what was seen instead."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from sim.errors import SimError

T = TypeVar("T")

_POLL_SECONDS = 0.05


class TimedOut(SimError):
    """Something awaited did not come in time."""


def until(condition: Callable[[], T], what: str, *, seconds: float, seen: Callable[[], object] | None = None) -> T:
    """The first true value that `condition` gives.

    Raises TimedOut after `seconds`, naming `what` and what `seen` tells then (else the last value).
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
