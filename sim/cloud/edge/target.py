"""The side of an instance: a connection to one of its ports, for one request after the other."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

from sim.cloud.edge.forwarding import keeps_alive
from sim.cloud.edge.messages import (
    Body,
    EndlessBody,
    LengthBody,
    Malformed,
    Response,
    end_of_head,
    response,
    response_body,
)

if TYPE_CHECKING:
    from sim.cloud.edge.exchange import Exchange
    from sim.cloud.edge.node import Node


class TargetConnection(asyncio.Protocol):
    """Carries the request of an exchange, and reads the answer. It may have nothing to do for `idle` seconds."""

    def __init__(self, node: Node, target: str, port: int, *, tls: bool, idle: float) -> None:
        self.target = target
        self.port = port
        self.address = "-"
        self.closed = False
        self._node = node
        self._tls = tls
        self._idle = idle
        self._loop = asyncio.get_running_loop()
        self._exchange: Exchange | None = None
        self._transport: asyncio.Transport
        self._timer: asyncio.TimerHandle | None = None
        self._free_since = 0.0
        self._paused = False
        self._silent = False
        self._received = b""
        self._head: Response | None = None
        self._body: Body = LengthBody(0)
        self._stays = False
        """True if the instance leaves the connection open after its answer."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        host, port = transport.get_extra_info("peername")[:2]
        self.address = f"{host}:{port}"
        self._node.connections[self.target].add(self)

    def connection_lost(self, error: Exception | None) -> None:
        self.closed = True
        if self._timer is not None:
            self._timer.cancel()
        self._node.forget(self, tls=self._tls)
        exchange, self._exchange = self._exchange, None
        if exchange is None:
            return
        if isinstance(self._body, EndlessBody) and self._head is not None and error is None:
            exchange.answer_ended(())
        else:
            exchange.target_lost(readable=not self._received)

    def carry(self, exchange: Exchange) -> None:
        """The connection is for this exchange now."""
        self._exchange = exchange
        self._head = None

    def write(self, data: bytes) -> None:
        """Sends a part of the request."""
        if not self._silent:
            self._transport.write(data)

    def pause(self) -> None:
        """Reads no more of the answer for now, since the client does not take it."""
        self._paused = True
        self._transport.pause_reading()

    def resume(self) -> None:
        """Reads on."""
        if self._paused and not self._silent and not self.closed:
            self._paused = False
            self._transport.resume_reading()

    def close(self) -> None:
        """Closes the connection, which has nothing to do."""
        self.closed = True
        self._transport.close()

    def cut(self) -> None:
        """See Cuttable."""
        self.closed = True
        self._transport.abort()

    def silence(self) -> None:
        """See Cuttable."""
        self._silent = True
        self._transport.pause_reading()

    def give_up(self) -> None:
        """The exchange is over before its answer is."""
        self._exchange = None
        self.cut()

    def pause_writing(self) -> None:
        if self._exchange is not None:
            self._exchange.pause_request()

    def resume_writing(self) -> None:
        if self._exchange is not None:
            self._exchange.resume_request()

    def data_received(self, data: bytes) -> None:
        if self._exchange is None:
            self.cut()  # nothing was asked
            return
        try:
            self._read(self._exchange, data)
        except Malformed:
            exchange, self._exchange = self._exchange, None
            self.cut()
            if exchange is not None:
                exchange.target_lost(readable=False)

    def _read(self, exchange: Exchange, data: bytes) -> None:
        exchange.touch()
        while self._head is None:
            data, self._received = self._received + data, b""
            end = end_of_head(data)
            if end is None:
                self._received = data
                return
            head = response(data[: end[0]])
            data = data[end[1] :]
            if head.is_interim:
                exchange.interim(head)
            else:
                self._head = head
                self._body = response_body(head, to=exchange.head.method)
                self._stays = keeps_alive(head.minor, head.fields.options)
                exchange.answer(head, self._body)
        payload, rest = self._body.feed(data)
        if payload:
            exchange.answer_goes_on(payload)
        if self._body.done:
            self._finish(exchange, rest)
        else:
            exchange.flush()

    def _check_idle(self) -> None:
        """Closes the connection if it has had nothing to do for the idle timeout; comes again otherwise."""
        due = self._idle + (self._free_since if self._exchange is None else self._loop.time())
        if self._loop.time() < due:
            self._timer = self._loop.call_at(due, self._check_idle)
        else:
            self.close()

    def _finish(self, exchange: Exchange, rest: bytes) -> None:
        """The answer is whole. The connection is kept if both sides can go on with it."""
        self._exchange = None
        if rest or self.closed or not exchange.request_is_whole or not self._stays:
            self.cut()
        else:
            self._free_since = self._loop.time()
            if self._timer is None:
                self._timer = self._loop.call_later(self._idle, self._check_idle)
            self._node.keep(self, tls=self._tls)
        exchange.answer_ended(self._body.trailers)
