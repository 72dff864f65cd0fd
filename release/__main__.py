"""`python -m release COMMAND`; see `cli`."""

from __future__ import annotations

import io
import signal
import sys
from types import FrameType

from release.cli import main

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def _end(number: int, _: FrameType | None) -> None:
    """Ends the process, once. Whoever asks again waits with it until Terraform has saved its state."""
    for each in _ENDING:
        signal.signal(each, signal.SIG_IGN)
    print("release: ending; Terraform is asked to stop, and saves its state first", file=sys.stderr, flush=True)
    sys.exit(128 + number)


if __name__ == "__main__":
    for each in _ENDING:
        signal.signal(each, _end)
    for stream in (sys.stdout, sys.stderr):
        # Not every terminal can show every character, and no work is to be lost for one that it cannot show.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    sys.exit(main(sys.argv[1:]))
