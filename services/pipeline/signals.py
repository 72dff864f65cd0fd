"""The signals that end a service. Imports next to nothing, because it is what a service does first."""

import os
import signal

END: frozenset[int] = frozenset({signal.SIGTERM, signal.SIGINT})


def end_at_once() -> None:
    """Has a signal of END end the process with 0, until the service handles it: before that nothing is in hand.

    The first process of a container gets no signal that it has no handler for.
    """
    for number in END:
        signal.signal(number, lambda *_: os._exit(0))
