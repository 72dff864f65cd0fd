"""The newest picture, for all who look at it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sim.watch.difference import difference
from sim.watch.draw import Drawn
from sim.watch.observed import Observation


class Board:
    """Shows one picture after the other, and knows whether somebody looks.

    Readers get the whole first, and then what has changed.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._drawn: Drawn | None = None
        self._document: dict[str, Any] = {}
        self._number = 0
        self._readers = 0

    @property
    def drawn(self) -> Drawn | None:
        """The newest picture; None before the first."""
        return self._drawn

    @property
    def observation(self) -> Observation | None:
        """What the newest picture was drawn from."""
        return self._drawn.observation if self._drawn else None

    def show(self, drawn: Drawn) -> None:
        """Shows the next picture."""
        document = drawn.picture.document()
        with self._changed:
            self._drawn, self._document = drawn, document
            self._number += 1
            self._changed.notify_all()

    def clear(self) -> None:
        """Takes the picture away: the next one is drawn as the first."""
        with self._changed:
            self._drawn, self._document = None, {}

    def await_reader(self, seconds: float) -> bool:
        """True if somebody looks at it. Waits up to so many seconds for that."""
        with self._changed:
            return self._changed.wait_for(lambda: self._readers > 0, seconds)

    def patches(self, seconds: float) -> Iterator[dict[str, Any]]:
        """Patches without end: the first has the whole picture. An empty one comes after so many quiet seconds."""
        shown: dict[str, Any] = {}
        number = 0
        with self._read():
            while True:
                with self._changed:
                    if self._number == number:
                        self._changed.wait(seconds)
                    document, number = self._document, self._number
                yield difference(shown, document)
                shown = document

    @contextmanager
    def _read(self) -> Iterator[None]:
        self._count(1)
        try:
            yield
        finally:
            self._count(-1)

    def _count(self, more: int) -> None:
        with self._changed:
            self._readers += more
            self._changed.notify_all()
