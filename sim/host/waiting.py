"""Waits for a condition, with a deadline. The error reports what was seen instead. All waiting in the kit uses it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from sim.errors import SimError

T = TypeVar("T")

_SHORTEST_PAUSE = 0.05
_LONGEST_PAUSE = 0.5
_SHARE = 0.05
"""Of the time waited so far: a long wait asks less often, and its end is still seen within this share."""


class TimedOut(SimError):
    """A condition did not become true in time."""


def until(condition: Callable[[], T], what: str, *, seconds: float, seen: Callable[[], object] | None = None) -> T:
    """Calls `condition` until it returns a true value, and returns that value. It calls less often the longer it waits.

    Raises TimedOut after `seconds`. The message names `what`, and the result of `seen` or else the last value.
    """
    began = time.monotonic()
    while True:
        value = condition()
        if value:
            return value
        waited = time.monotonic() - began
        if waited >= seconds:
            last = seen() if seen is not None else value
            raise TimedOut(f"waited {seconds:g} s for {what}; seen instead: {last!r}")
        time.sleep(min(max(_SHORTEST_PAUSE, _SHARE * waited), _LONGEST_PAUSE))
