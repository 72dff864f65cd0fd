"""A connection of a TCP or SSL listener, and the one to an instance that it goes on in: bytes, whatever they are."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, cast

from sim.cloud.edge.record import Record
from sim.cluster.balancer.routing import Close, Queue, route_connection

if TYPE_CHECKING:
    from sim.cloud.edge.listener import Listener


class Side(asyncio.Protocol):
    """One of the two connections. What comes is written to the other, which slows it down if it is slow."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.other: Side | None = None
        self.bytes = 0
        self.has_ended = False
        """True if nothing more comes by it."""
        self._silent = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self.bytes += len(data)
        self.moved()
        if self.other is not None:
            self.other.write(data)

    def eof_received(self) -> bool:
        """One direction can end before the other; TLS has no such thing."""
        self.has_ended = True
        if self.other is None or self.other.transport is None or not self.other.transport.can_write_eof():
            return False
        if self.other.has_ended:  # both directions are over, and no transport closes by itself then
            self.other.transport.close()
            return False
        self.other.transport.write_eof()
        return self.transport is not None and self.transport.can_write_eof()

    def pause_writing(self) -> None:
        if self.other is not None and self.other.transport is not None:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.other is not None and self.other.transport is not None:
            self.other.transport.resume_reading()

    def connection_lost(self, _: Exception | None) -> None:
        self.transport = None
        if self.other is not None and self.other.transport is not None:
            self.other.transport.close()

    def moved(self) -> None:
        """Bytes came."""
        if isinstance(self.other, ClientSide):
            self.other.moved()

    def write(self, data: bytes) -> None:
        """Sends on what came by the other."""
        if self.transport is not None and not self._silent:
            self.transport.write(data)


class TargetSide(Side):
    """The connection to an instance. Bytes may come from there as soon as it is made."""

    def __init__(self, client: ClientSide) -> None:
        super().__init__()
        self.other = client
        self._client = client

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._client.connected(self)

    def cut(self) -> None:
        """See Cuttable."""
        if self.transport is not None:
            self.transport.abort()

    def silence(self) -> None:
        """See Cuttable."""
        self._silent = True
        if self.transport is not None:
            self.transport.pause_reading()


class ClientSide(Side):
    """The connection that a client made. Without a target in service it is closed at once."""

    def __init__(self, listener: Listener) -> None:
        super().__init__()
        self.record = Record(time.time())
        self.address = "-"
        self.cipher: tuple[str, str, int] | None = None
        self._listener = listener
        self._node = listener.next_node()
        self._loop = asyncio.get_running_loop()
        self._active_at = self._loop.time()
        self._timer: asyncio.TimerHandle | None = None
        self._early = b""
        """What came before there was a connection to an instance."""
        self._tried: set[str] = set()
        self._target = ""
        self._side: TargetSide | None = None
        self._connecting: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        host, port = transport.get_extra_info("peername")[:2]
        self.address = f"{host}:{port}"
        self.cipher = transport.get_extra_info("cipher")
        self._listener.connections.add(self)
        self._timer = self._loop.call_later(self._listener.settings.idle_timeout, self._check_idle)
        self._route()

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)
        self._listener.connections.discard(self)
        self._node.waiting.pop(self, None)
        if self._timer is not None:
            self._timer.cancel()
        if self._connecting is not None:
            self._connecting.cancel()
        self.record.received = self.bytes
        if self._side is not None:
            self.record.sent = self._side.bytes
            self._node.connections[self._target].discard(self._side)
        self._release()
        self._listener.record_connection(self)

    @property
    def zone(self) -> str:
        """Of the node that it came to."""
        return self._node.zone

    def moved(self) -> None:
        self._active_at = self._loop.time()

    def connected(self, side: TargetSide) -> None:
        """The connection to the instance is made."""
        if side.transport is None or self.transport is None:
            side.cut()
            return
        host, port = side.transport.get_extra_info("peername")[:2]
        self.record.sent_to(f"{host}:{port}", time.time())
        self._node.connections[self._target].add(side)
        self._side = self.other = side
        if self._early:
            side.write(self._early)
            self._early = b""
        if self.has_ended:
            self.eof_received()
        else:
            self.transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.other is None and self.transport is not None:
            self._early += data
            self.transport.pause_reading()

    def eof_received(self) -> bool:
        if self.other is None:
            self.has_ended = True
            return self.cipher is None
        return super().eof_received()

    def close(self) -> None:
        """Ends both connections; what was written still arrives."""
        if self.transport is not None:
            self.transport.close()

    def abort(self) -> None:
        """Ends both connections at once."""
        if self.transport is not None:
            self.transport.abort()

    def close_when_idle(self) -> None:
        """A tunnel is never idle while it is open: it goes on until one of its ends closes."""

    def ask_again(self) -> None:
        """See Waiting."""
        self._tried.clear()
        self._route()

    def _route(self) -> None:
        node = self._node
        choice = route_connection(node.targets, node.turn, tried=self._tried, waiting=len(node.waiting))
        if isinstance(choice, Close):
            if node.targets:
                node.metrics.count(node.zone, "SpilloverCount")
            self.close()
        elif isinstance(choice, Queue):
            node.wait(self)
        else:
            self._target = choice.target
            node.take(choice.target)
            self._connecting = self._loop.create_task(self._connect(choice.target))

    async def _connect(self, target: str) -> None:
        port, tls = self._listener.instance_port, self._listener.tls_to_instance
        try:
            await self._node.connect(target, port, lambda: TargetSide(self), tls=tls)
        except OSError:
            self._release()
            self._tried.add(target)
            self._route()

    def _release(self) -> None:
        target, self._target = self._target, ""
        if target:
            self._node.release(target)

    def _check_idle(self) -> None:
        due = self._active_at + self._listener.settings.idle_timeout
        if self._loop.time() < due:
            self._timer = self._loop.call_at(due, self._check_idle)
        else:
            self.close()
