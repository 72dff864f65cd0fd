"""The storage of the registry: a standard registry in a container, which keeps manifests and blobs by their digests."""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from dataclasses import replace
from typing import Final, Protocol

from sim.cloud.http import Request, Response, UpstreamLost, ask_once

_READY_SECONDS: Final = 120
_POLL_SECONDS: Final = 0.05
_OK: Final = 200


class StorageFailed(Exception):
    """The storage does not answer. The message says why, and the remedy."""


class Keeper(Protocol):
    """What runs the storage."""

    async def begin(self) -> None:
        """Begins to run it, unless it runs already."""

    async def check(self) -> None:
        """Raises StorageFailed if it has ended."""

    async def end(self) -> None:
        """Ends it, and returns when nothing is left of it."""


class Elsewhere:
    """A storage that somebody else runs."""

    async def begin(self) -> None:
        return

    async def check(self) -> None:
        return

    async def end(self) -> None:
        return


class Child:
    """A storage that a child process runs, from its first use on. `python -m sim.cloud.registry` is that process."""

    def __init__(self, image: str, port: int) -> None:
        self._command = (sys.executable, "-m", "sim.cloud.registry", image, str(port))
        self._process: asyncio.subprocess.Process | None = None
        self._errors: asyncio.Task[bytes] | None = None

    async def begin(self) -> None:
        if self._process is None or self._process.returncode is not None:
            # Not to the gateway's standard output, which is the trail.
            self._process = await asyncio.create_subprocess_exec(
                *self._command, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
            )
            assert self._process.stderr is not None  # noqa: S101 - it was opened with a pipe
            self._errors = asyncio.create_task(self._process.stderr.read())

    async def check(self) -> None:
        if self._process is not None and self._process.returncode is not None and self._errors is not None:
            reason = (await self._errors).decode(errors="replace").strip()
            raise StorageFailed(reason or f"{self._command} ended with {self._process.returncode}")

    async def end(self) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.terminate()
            await self._process.wait()


class Storage:
    """The storage at an address, which Docker reaches at `url`."""

    def __init__(self, address: tuple[str, int], url: str, keeper: Keeper) -> None:
        self.url = url
        self._address = address
        self._keeper = keeper
        self._starting = asyncio.Lock()

    async def ready(self) -> None:
        """Returns when the storage answers. Starts it if it does not run. Raises StorageFailed."""
        async with self._starting:
            if await self._answers():
                return
            await self._keeper.begin()
            with suppress(TimeoutError):
                async with asyncio.timeout(_READY_SECONDS):
                    while not await self._answers():
                        await self._keeper.check()
                        await asyncio.sleep(_POLL_SECONDS)
                    return
        raise StorageFailed(f"{self.url} did not answer within {_READY_SECONDS} s; `docker ps` shows what runs")

    async def ask(self, request: Request, target: str) -> Response:
        """The storage's answer to a request for another target. Raises OSError or UpstreamLost."""
        headers = [field for field in request.headers if field[0].lower() != b"authorization"]
        return await ask_once(self._address, replace(request, target=target.encode(), headers=headers))

    async def _answers(self) -> bool:
        try:
            host = b"%b:%d" % (self._address[0].encode(), self._address[1])
            answer = await ask_once(self._address, Request(b"GET", b"/v2/", [(b"Host", host)], b""))
        except (OSError, UpstreamLost):
            return False
        return answer.status == _OK
