"""The same work in several processes, because Python uses one core at a time."""

from __future__ import annotations

import multiprocessing
import signal
import sys
from collections.abc import Callable
from multiprocessing import resource_tracker

from services.pipeline.signals import END


def run(count: int, work: Callable[[int], int]) -> int:
    """Runs `work(number)` in `count` processes, until a signal of END comes or one of them ends. Then ends all of them.

    Returns the first exit status that is not 0; 1 if a process ended without a signal.

    `work` is pickled, and runs in a process of its own with END blocked.
    """
    came: list[int] = []
    for end in END:
        signal.signal(end, lambda number, _: came.append(number))
    spawn = multiprocessing.get_context("spawn")
    children = [spawn.Process(target=_child, args=(work, number)) for number in range(count)]
    waited_for = {*END, signal.SIGCHLD}
    # multiprocessing starts its helper with the first child, and unblocks END for that.
    resource_tracker.ensure_running()
    # The children begin with this mask: one that gets a signal while it loads ends when it has loaded.
    signal.pthread_sigmask(signal.SIG_BLOCK, waited_for)
    for child in children:
        child.start()
    # SIGCHLD comes for a child that is stopped or continued, too.
    while not came and all(child.is_alive() for child in children):
        came += {signal.sigwait(waited_for)} & END
    for child in children:
        child.terminate()
    for child in children:
        child.join()
    failed = [child.exitcode for child in children if child.exitcode]
    return abs(failed[0] or 1) if failed else int(not came)


def _child(work: Callable[[int], int], number: int) -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
    sys.exit(work(number))
