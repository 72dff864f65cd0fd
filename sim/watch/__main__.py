"""`python -m sim.watch DIRECTORY SOCKET`: serves the live page of the stack of this directory until the stack ends.

The stack's supervisor starts it, and hands it the file descriptor of a socket that listens. The token is in the state
file of the stack, which only its owner reads.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from sim.stack import lifecycle
from sim.watch.watch import Watch
from sim.watch.watched import running_stack


def main() -> None:
    """Runs the command line. Raises NothingRuns, or another error if the stack does not answer."""
    parser = argparse.ArgumentParser(prog="python -m sim.watch", description="Serves the live page of a stack.")
    parser.add_argument("directory", type=Path)
    parser.add_argument("socket", type=int)
    given = parser.parse_args()
    token = lifecycle.running(given.directory).page.token
    with Watch(running_stack(given.directory), token=token, socket=given.socket) as page:
        page.wait()


if __name__ == "__main__":
    main()
