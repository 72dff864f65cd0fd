"""A thread beside CloudWatch: it evaluates the alarms, and publishes metrics every minute."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Final

_LOG: Final = logging.getLogger(__name__)
_LOOK_SECONDS: Final = 1.0
_MINUTE: Final = 60


class Watch:
    """`publish` takes the beginning of the minute that has ended, all of `evaluate` look at every alarm."""

    def __init__(
        self, publish: Callable[[int], None], evaluate: Sequence[Callable[[], None]], now: Callable[[], float]
    ) -> None:
        self._publish = publish
        self._evaluate = evaluate
        self._now = now
        self._closing = threading.Event()

    def begin(self) -> None:
        """Starts the thread."""
        threading.Thread(target=self._run, name="cloudwatch-alarms", daemon=True).start()

    def close(self) -> None:
        """Ends the thread."""
        self._closing.set()

    def _run(self) -> None:
        published = int(self._now() // _MINUTE)
        while not self._closing.wait(_LOOK_SECONDS):
            minute = int(self._now() // _MINUTE)
            try:
                if minute > published:
                    self._publish((minute - 1) * _MINUTE)
                    published = minute
                for evaluate in self._evaluate:
                    evaluate()
            except Exception:
                _LOG.exception("The alarms were not evaluated; they are tried again in a second.")
