"""Child processes, each the leader of a process group of its own, none of which outlives the parent."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from sim.errors import SimError
from sim.runtime import watchdog

_KILL_SECONDS = 10


class ProcessFailed(SimError):
    """A child process ended when it should not have, or did not end when it should have."""


def free_port() -> int:
    """A loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Scope:
    """What one run owns: a temporary folder and process groups. All gone when the scope closes or the parent dies."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watchdog = subprocess.Popen(  # noqa: S603 - this Python, with a file of ours
            [sys.executable, "-I", "-S", watchdog.__file__],
            stdin=subprocess.PIPE,
            # Not the parent's, or whoever reads the parent's output would wait for the watchdog too.
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        self.directory = Path(tempfile.mkdtemp(prefix="sim-"))
        self._tell(f"+ path {self.directory}")

    def owns(self, group: int) -> None:
        """A process group that ends with the scope."""
        self._tell(f"+ group {group}")

    def disowns(self, group: int) -> None:
        """It has ended."""
        self._tell(f"- group {group}")

    def close(self) -> None:
        """Removes the folder and lets the watchdog end whatever group is left."""
        shutil.rmtree(self.directory, ignore_errors=True)
        with contextlib.suppress(BrokenPipeError):
            self._watchdog.communicate()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _tell(self, line: str) -> None:
        assert self._watchdog.stdin is not None  # noqa: S101 - it was opened with a pipe
        with self._lock:
            self._watchdog.stdin.write(line + "\n")
            self._watchdog.stdin.flush()


class Process:
    """A program that can be started, stopped and started again; its output goes to the end of one log file."""

    def __init__(self, name: str, command: Sequence[str], environment: Mapping[str, str], scope: Scope) -> None:
        self.name = name
        self.log = scope.directory / f"{name}.log"
        self._command = list(command)
        self._environment = dict(environment)
        self._scope = scope
        self._popen: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """Its process id while it runs."""
        return self._popen.pid if self._popen is not None and self._popen.poll() is None else None

    def start(self) -> None:
        """Starts it."""
        with self.log.open("ab") as log:
            self._popen = subprocess.Popen(  # noqa: S603 - a command of the kit's
                self._command,
                env=self._environment,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        self._scope.owns(self._popen.pid)

    def check(self) -> None:
        """Raises ProcessFailed, with the end of its log, if it has ended."""
        if self.pid is None:
            code = self._popen.returncode if self._popen is not None else "no start"
            raise ProcessFailed(f"{self.name} ended with {code}; the end of its log:\n{self.tail()}")

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal to the process and to all its children."""
        if self._popen is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._popen.pid, number)

    def terminate(self) -> None:
        """SIGTERM to the process alone, as a container's first process gets it."""
        if self.pid is not None:
            os.kill(self.pid, signal.SIGTERM)

    def wait(self, seconds: float) -> int:
        """Its exit code. Raises ProcessFailed if it does not end within `seconds`."""
        if self._popen is None:
            raise ProcessFailed(f"{self.name} was never started")
        try:
            code = self._popen.wait(seconds)
        except subprocess.TimeoutExpired:
            raise ProcessFailed(f"{self.name} did not end within {seconds:g} s:\n{self.tail()}") from None
        self.signal(signal.SIGKILL)
        self._scope.disowns(self._popen.pid)
        return code

    def kill(self) -> None:
        """SIGKILL to the process and to all its children."""
        if self._popen is not None:
            self.signal(signal.SIGKILL)
            self.wait(_KILL_SECONDS)

    def tail(self, lines: int = 30) -> str:
        """The last lines of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:]) if self.log.exists() else ""
