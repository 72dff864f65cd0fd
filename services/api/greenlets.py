"""A `Runtime` on gevent's greenlets: code that waits gives way to the others of its thread."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, cast

import gevent
import gevent.event
from gevent.lock import BoundedSemaphore

from services.pipeline.runtime import Event, Machine


class GreenletRuntime(Machine):
    """The machine's clocks and entropy, and greenlets. gevent's own locks cost less than the patched ones of Python."""

    def sleep(self, seconds: float) -> None:
        gevent.sleep(seconds)

    def event(self) -> Event:
        return cast("Event", gevent.event.Event())

    def lock(self) -> AbstractContextManager[object]:
        return BoundedSemaphore(1)

    def spawn(self, function: Callable[[], None]) -> None:
        gevent.spawn(function)


class Bounded:
    """An AWS client that makes no more calls at once than it has connections; other callers wait."""

    def __init__(self, client: object, calls: int) -> None:
        self._client = client
        self._turns = BoundedSemaphore(calls)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._client, name)

        def call(**parameters: Any) -> Any:
            with self._turns:
                return method(**parameters)

        return call
