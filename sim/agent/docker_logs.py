"""The lines of a container of the Docker engine."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from sim.agent.logs import MOST_EVENTS, LogEvent
from sim.host.engine_api import EngineApi

_LOG: Final = logging.getLogger(__name__)
_MOST_WAITING: Final = 100_000
_MICROSECONDS: Final = 26
"""Characters of a time in RFC 3339 up to its microseconds."""


class DockerSource:
    """Follows the container's log in a thread of its own. The time of the last line that was sent is in a file.

    Of lines that wait too long, the newest are dropped, as by the driver with the mode `non-blocking`.
    """

    def __init__(self, engine: EngineApi, container: str, position: Path) -> None:
        self._engine = engine
        self._container = container
        self._position = position
        self._waiting: deque[tuple[float, str]] = deque()
        self._read = 0
        self._over = threading.Event()
        threading.Thread(target=self._run, name=f"log of {container}", daemon=True).start()

    def read(self) -> Sequence[LogEvent]:
        lines = [self._waiting[number] for number in range(min(len(self._waiting), MOST_EVENTS))]
        self._read = len(lines)
        return [(int(at * 1000), line) for at, line in lines]

    def sent(self) -> None:
        last = 0.0
        for _ in range(self._read):
            last = self._waiting.popleft()[0]
        self._position.write_text(repr(last))

    def end(self) -> None:
        """The engine says by itself when the log has ended."""

    def is_over(self) -> bool:
        return self._over.is_set() and not self._waiting

    def _run(self) -> None:
        self._done = float(self._position.read_text()) if self._position.exists() else 0.0
        try:
            self._follow()
        except Exception as error:
            _LOG.warning("the log of %s is not shipped any more: %s", self._container, error)
        self._over.set()

    def _follow(self) -> None:
        rest = b""
        for piece in self._engine.logs(self._container, self._done or None):
            *lines, rest = (rest + piece).split(b"\n")
            for line in lines:
                self._take(line.decode(errors="replace"))

    def _take(self, line: str) -> None:
        stamp, _, text = line.partition(" ")
        at = _seconds(stamp)
        if at > self._done and len(self._waiting) < _MOST_WAITING:
            self._waiting.append((at, text.rstrip("\r")))


def _seconds(stamp: str) -> float:
    """The seconds since 1970 of a time such as 2026-11-27T04:00:00.123456789Z."""
    return datetime.fromisoformat(stamp[:_MICROSECONDS].rstrip("Z") + "+00:00").timestamp()
