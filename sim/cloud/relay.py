"""TCP relays in front of LocalStack, one for each AWS service, so that each can be cut off alone and come back.

The services are given only the relays' addresses. While a relay is cut, its port is closed and the
connections that it had are reset, as when a service cannot be reached.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

from sim.errors import SimError

T = TypeVar("T")

_BUFFER_BYTES = 65_536
_STOP_SECONDS = 5


class _Relay:
    """One listening port. All of it runs in the loop's thread."""

    def __init__(self, upstream: tuple[str, int]) -> None:
        self._upstream = upstream
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self.port = 0

    async def open(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(self._connection, "127.0.0.1", self.port, backlog=1024)
            self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        if self._server is None:
            return
        self._server.close()
        self._server = None
        for connection in self._connections:
            connection.cancel()
        if self._connections:
            await asyncio.wait(self._connections)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = asyncio.create_task(self._relay(reader, writer))
        self._connections.add(connection)
        connection.add_done_callback(self._connections.discard)
        connection.add_done_callback(lambda _: writer.transport.abort())

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._server is None:  # cut between the accept and now
            return
        with contextlib.suppress(OSError):
            upstream_reader, upstream_writer = await asyncio.open_connection(*self._upstream)
            try:
                await asyncio.gather(pump(reader, upstream_writer), pump(upstream_reader, writer))
            finally:
                upstream_writer.transport.abort()


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Bytes from one side to the other until either is gone; so is the other then."""
    writer.transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        while data := await reader.read(_BUFFER_BYTES):
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
    except OSError:
        writer.transport.abort()


class Relays:
    """A relay for each name, to one upstream address, in a thread of their own."""

    def __init__(self, names: Iterable[str], upstream: tuple[str, int]) -> None:
        self._relays = {name: _Relay(upstream) for name in names}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="relays", daemon=True)

    def start(self) -> None:
        """Opens all of them."""
        self._thread.start()
        for name in self._relays:
            self.open(name)

    def endpoint(self, name: str) -> str:
        """The URL of a relay."""
        return f"http://127.0.0.1:{self._relay(name).port}"

    def cut(self, name: str) -> None:
        """Closes the port and resets the connections."""
        self._run(self._relay(name).cut())

    def open(self, name: str) -> None:
        """Opens the port, the same as before."""
        self._run(self._relay(name).open())

    def stop(self) -> None:
        """Ends all of them."""
        for name in self._relays:
            self.cut(name)
        self._run(_settle())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_STOP_SECONDS)
        self._loop.close()

    def _relay(self, name: str) -> _Relay:
        if name not in self._relays:
            raise SimError(f"no relay is named {name!r}; there are: {', '.join(self._relays)}")
        return self._relays[name]

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_STOP_SECONDS)


async def _settle() -> None:
    """Lets the connections that were reset come to their end."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    if others:
        await asyncio.wait(others, timeout=1)
