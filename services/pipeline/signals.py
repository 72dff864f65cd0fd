"""The signals that end a service. Imports next to nothing, because it is what a service does first."""

import os
import signal

END: frozenset[int] = frozenset({signal.SIGTERM, signal.SIGINT})


def end_at_once() -> None:
    """A signal of END ends the process with 0 until the service handles it by itself: nothing is in hand before that.

    The first process of a container gets no signal that it has no handler for.
    """
    for number in END:
        signal.signal(number, lambda *_: os._exit(0))
