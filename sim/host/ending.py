"""What is to be undone is undone, also when somebody ends the process by a signal."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

_ENDING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_SIGNALLED: Final = 128
"""With the number of the signal: the exit status of a process that a signal has ended, as shells report it."""


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Inside, the first SIGINT, SIGTERM or SIGHUP raises SystemExit in the main thread. Later ones are ignored.

    Whoever asks twice waits until all is undone. A signal that was ignored before, as by `nohup`, is ignored still.
    Only the main thread may enter.
    """
    heeded = [each for each in _ENDING if signal.getsignal(each) is not signal.SIG_IGN]
    before = {each: signal.signal(each, _end) for each in heeded}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(number: int, _: FrameType | None) -> None:
    for each in _ENDING:
        signal.signal(each, signal.SIG_IGN)
    raise SystemExit(_SIGNALLED + number)
