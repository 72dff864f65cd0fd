"""The live page as a part of the stack. Its port is open from the start, its process starts for the first caller.

The supervisor holds the socket, as inetd and systemd do: the link works as soon as it is printed, callers wait in the
socket's queue while the process starts, and a page that nobody opens costs no more than a socket.
"""

from __future__ import annotations

import os
import secrets
import select
import socket
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from sim.host.cleanup import Cleanup
from sim.host.process import Process

_MODULE: Final = "sim.watch"
"""What serves it: a program, since it is built upon the stack."""
_AGAIN_SECONDS: Final = 5.0
"""One that ends at once is not started more often."""


@dataclass(frozen=True)
class PageAddress:
    """Where the page of a run is, and the token without which it shows nothing."""

    port: int
    token: str = field(repr=False)

    @property
    def link(self) -> str:
        """The page's address, with the token where no server and no log sees it."""
        return f"http://127.0.0.1:{self.port}/#{self.token}"


class PagePart:
    """A context manager: inside, somebody can open the page. `directory` is the stack's."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._cleanup = Cleanup()
        self._process: Process | None = None
        self._started = float("-inf")
        self._pid: int | None = None

    def __enter__(self) -> Self:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = PageAddress(self._socket.getsockname()[1], secrets.token_urlsafe(24))
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.kill()
        self._cleanup.close()
        self._socket.close()

    @property
    def processes(self) -> list[Process]:
        """Its process, once it was started."""
        return [self._process] if self._process else []

    def wait(self, seconds: float) -> bool:
        """Waits so long, or until somebody asks for a page that does not run, and starts it.

        True if its process has started or ended since the last call.
        """
        if self._running is not None:
            time.sleep(seconds)
        elif self._is_asked(seconds):
            self._start()
        before, self._pid = self._pid, self._running
        return self._pid != before

    @property
    def _running(self) -> int | None:
        return self._process.pid if self._process is not None else None

    def _is_asked(self, seconds: float) -> bool:
        if time.monotonic() - self._started < _AGAIN_SECONDS:
            time.sleep(seconds)
            return False
        return bool(select.select([self._socket], [], [], seconds)[0])

    def _start(self) -> None:
        self._started = time.monotonic()
        if self._process is None:
            self._cleanup.begin()
            handle = self._socket.fileno()
            command = [sys.executable, "-m", _MODULE, str(self._directory), str(handle)]
            self._process = Process("page", command, os.environ, self._cleanup, inherits=(handle,))
        self._process.kill()
        self._process.start()
