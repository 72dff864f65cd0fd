"""Child processes. Each leads its own process group, and none outlives the parent."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
from collections.abc import Mapping, Sequence

from sim.errors import SimError
from sim.host.cleanup import Cleanup

_KILL_SECONDS = 10


class ProcessFailed(SimError):
    """A child process ended when it should not have, or did not end when it should have."""


_given: set[int] = set()


def free_port() -> int:
    """A free loopback port, and a new one at each call, since an earlier caller may not listen yet."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        if port not in _given:
            _given.add(port)
            return port


class Process:
    """A program that can be started, stopped and started again. It appends its output to one log file."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str],
        cleanup: Cleanup,
        inherits: Sequence[int] = (),
    ) -> None:
        """`inherits` are file descriptors that the program gets under the same numbers."""
        self.name = name
        self.log = cleanup.directory / f"{name}.log"
        self._command = list(command)
        self._environment = dict(environment)
        self._inherits = tuple(inherits)
        self._cleanup = cleanup
        self._popen: subprocess.Popen[bytes] | None = None
        self.starts = 0
        """How many times it was started."""
        self._group: int | None = None  # None once the whole group has ended, since the system may reuse its number

    @property
    def pid(self) -> int | None:
        """The process id; None if the process is not running."""
        return self._popen.pid if self._popen is not None and self._popen.poll() is None else None

    def start(self) -> None:
        """Starts the program."""
        with self.log.open("ab") as log:
            self._popen = subprocess.Popen(  # noqa: S603 - a command of the kit's
                self._command,
                env=self._environment,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                pass_fds=self._inherits,
            )
        self.starts += 1
        self._group = self._popen.pid
        self._cleanup.owns("group", self._group)

    def check(self) -> None:
        """Raises ProcessFailed, with the end of the log, if the process has ended."""
        if self.pid is None:
            code = self._popen.returncode if self._popen is not None else "no start"
            raise ProcessFailed(f"{self.name} ended with {code}; the end of its log:\n{self.tail()}")

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal to the process and to all its children."""
        if self._group is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._group, number)

    def terminate(self) -> None:
        """Sends SIGTERM to the process alone, as a container engine does to the first process."""
        if self.pid is not None:
            os.kill(self.pid, signal.SIGTERM)

    def wait(self, seconds: float) -> int:
        """Waits for the end, then kills the rest of the group. Returns the exit code.

        Raises ProcessFailed if the process does not end within `seconds`.
        """
        if self._popen is None:
            raise ProcessFailed(f"{self.name} was never started")
        try:
            code = self._popen.wait(seconds)
        except subprocess.TimeoutExpired:
            raise ProcessFailed(f"{self.name} did not end within {seconds:g} s:\n{self.tail()}") from None
        if self._group is not None:
            self.signal(signal.SIGKILL)
            self._cleanup.disowns("group", self._group)
            self._group = None
        return code

    def kill(self) -> None:
        """Sends SIGKILL to the process and all its children, and waits for the end."""
        if self._group is not None:
            self.signal(signal.SIGKILL)
            self.wait(_KILL_SECONDS)

    def tail(self, lines: int = 30) -> str:
        """The last lines of the log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:]) if self.log.exists() else ""
