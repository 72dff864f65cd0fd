"""Removes everything that a run of the kit created, when the run ends."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from sim.host import watchdog

Kind = Literal["group", "groups", "path", "label", "images"]
"""The kinds of things that `sim.host.watchdog` removes."""


class Cleanup:
    """Owns a temporary folder, process groups and containers. Removes them when it closes, or when the parent dies.

    Use it as a context manager, or call `begin` and `close`.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watchdog: subprocess.Popen[str] | None = None

    def begin(self) -> None:
        """Starts the watchdog and creates the temporary folder `directory`."""
        self._watchdog = subprocess.Popen(  # noqa: S603 - this Python, with a file of ours
            [sys.executable, "-I", watchdog.__file__],
            stdin=subprocess.PIPE,
            # Not the parent's output, since its readers would then wait for the watchdog too.
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        self.directory = Path(tempfile.mkdtemp(prefix="sim-"))
        self.owns("path", self.directory)

    def owns(self, kind: Kind, name: object) -> None:
        """Registers something to remove when the run ends. Call `begin` first."""
        self._send(f"+ {kind} {name}")

    def disowns(self, kind: Kind, name: object) -> None:
        """Unregisters something that has ended already."""
        self._send(f"- {kind} {name}")

    def close(self) -> None:
        """Lets the watchdog remove everything. Does nothing without a `begin`."""
        if self._watchdog is not None:
            # The folder last, since a list of process groups may be in it.
            with contextlib.suppress(BrokenPipeError):
                self._watchdog.communicate()
            shutil.rmtree(self.directory, ignore_errors=True)
            self._watchdog = None

    def __enter__(self) -> Self:
        self.begin()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _send(self, line: str) -> None:
        assert self._watchdog is not None  # noqa: S101 - it has begun
        assert self._watchdog.stdin is not None  # noqa: S101 - it was opened with a pipe
        with self._lock:
            self._watchdog.stdin.write(line + "\n")
            self._watchdog.stdin.flush()
