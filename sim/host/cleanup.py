"""What one run of the kit owns, and loses when it ends."""

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

Kind = Literal["group", "path", "label"]
"""As `sim.host.watchdog` has them."""


class Cleanup:
    """A temporary folder, process groups, containers: gone when the cleanup closes, or when the parent dies.

    A context manager; or `begin` and `close`.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watchdog: subprocess.Popen[str] | None = None

    def begin(self) -> None:
        """Starts the watchdog, and makes the folder: `directory`."""
        self._watchdog = subprocess.Popen(  # noqa: S603 - this Python, with a file of ours
            [sys.executable, "-I", watchdog.__file__],
            stdin=subprocess.PIPE,
            # Not the parent's, or whoever reads the parent's output would wait for the watchdog too.
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        self.directory = Path(tempfile.mkdtemp(prefix="sim-"))
        self.owns("path", self.directory)

    def owns(self, kind: Kind, name: object) -> None:
        """Something that ends with the run, which has begun."""
        self._send(f"+ {kind} {name}")

    def disowns(self, kind: Kind, name: object) -> None:
        """It has ended."""
        self._send(f"- {kind} {name}")

    def close(self) -> None:
        """Removes the folder and lets the watchdog end whatever else is left; nothing to do if it never began."""
        if self._watchdog is not None:
            shutil.rmtree(self.directory, ignore_errors=True)
            with contextlib.suppress(BrokenPipeError):
                self._watchdog.communicate()

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
