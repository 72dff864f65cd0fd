"""Where listeners listen: on the host a free loopback port each, in a container their own ports and published ones."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

_BACKLOG: Final = 1024


class Sockets:
    """Opens ports of a host, and remembers them in a file, so that a listener has the same after a restart.

    With `published`, ports of a container that its host publishes, each listener has its own port and one of those; if
    another load balancer has its own port already, it has the other alone.
    """

    def __init__(self, host: str, memory: Path, published: Sequence[int] = ()) -> None:
        self._host = host
        self._memory = memory
        self._published = published

    async def listen(
        self, name: str, port: int, make: Callable[[], asyncio.Protocol], tls: ssl.SSLContext | None
    ) -> tuple[list[asyncio.Server], tuple[tuple[str, int], ...]]:
        """Opens the ports of a listener; `name` is that of its load balancer. Returns them. Raises OSError."""
        key = f"{name}:{port}"
        servers = []
        if self._published:
            servers += await self._open_one_of([port], make, tls, fails=False)
        remembered = json.loads(self._memory.read_text()) if self._memory.exists() else {}
        wanted = [remembered[key]] if key in remembered else []
        servers += await self._open_one_of([*wanted, *(self._published or [0])], make, tls)
        addresses = [each.sockets[0].getsockname()[:2] for each in servers]
        self._memory.write_text(json.dumps({**remembered, key: addresses[-1][1]}))
        return servers, tuple((str(host), int(number)) for host, number in addresses)

    async def _open_one_of(
        self,
        ports: Sequence[int],
        make: Callable[[], asyncio.Protocol],
        tls: ssl.SSLContext | None,
        *,
        fails: bool = True,
    ) -> list[asyncio.Server]:
        """Opens the first port that is free. Without one: raises OSError, or, unless it `fails`, opens none."""
        fault: OSError | None = None
        for port in ports:
            try:
                loop = asyncio.get_running_loop()
                return [await loop.create_server(make, self._host, port, ssl=tls, backlog=_BACKLOG)]
            except OSError as error:
                fault = error
        if fails and fault is not None:
            raise fault
        return []
