"""The client's side of an HTTP or HTTPS listener: one connection, one request at a time, pipelined ones in turn."""

from __future__ import annotations

import asyncio
import time
from email.utils import formatdate
from typing import TYPE_CHECKING, cast

from sim.cloud.edge import forwarding
from sim.cloud.edge.messages import Malformed, end_of_head, request
from sim.cloud.edge.record import Record
from sim.cluster.balancer import desync
from sim.cluster.balancer.answers import OwnAnswer

if TYPE_CHECKING:
    from sim.cloud.edge.exchange import Exchange
    from sim.cloud.edge.listener import Listener

_BLANK = b"\r\n"


class ClientConnection(asyncio.Protocol):
    """A connection that a client made to a listener."""

    def __init__(self, listener: Listener) -> None:
        self.listener = listener
        self._node = listener.next_node()
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport
        self._timer: asyncio.TimerHandle | None = None
        self._active_at = 0.0
        self._began = 0.0
        self._received = b""
        self._exchange: Exchange | None = None
        self._reads = True
        self._takes = True
        """False while the client does not read what it is sent."""
        self._has_ended = False
        """True if it will send nothing more."""
        self._closing = False

    @property
    def idle_seconds(self) -> float:
        """The listener's idle timeout."""
        return self.listener.settings.idle_timeout

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        host, port = transport.get_extra_info("peername")[:2]
        self.address = f"{host}:{port}"
        self.described = self.listener.described(host)
        self.cipher = transport.get_extra_info("cipher")
        self.listener.connections.add(self)
        self.touch()
        self._timer = self._loop.call_later(self.idle_seconds, self._check_idle)

    def connection_lost(self, _: Exception | None) -> None:
        self._closing = True
        self.listener.connections.discard(self)
        if self._timer is not None:
            self._timer.cancel()
        exchange, self._exchange = self._exchange, None
        if exchange is not None and not exchange.ended:
            exchange.client_lost()

    def eof_received(self) -> bool:
        """A client may say that it sends no more, and wait for its answer; not so over TLS, which has no such thing."""
        self._has_ended = True
        exchange = self._exchange
        return exchange is not None and exchange.request_is_whole and not exchange.ended and self.cipher is None

    def data_received(self, data: bytes) -> None:
        self.touch()
        if self._closing:
            return
        exchange = self._exchange
        self._received += self._feed(exchange, data) if exchange is not None else data
        self._go_on()

    def pause_writing(self) -> None:
        self._takes = False
        if self._exchange is not None:
            self._exchange.pause_answer()

    def resume_writing(self) -> None:
        self._takes = True
        if self._exchange is not None:
            self._exchange.resume_answer()
        self._go_on()

    def touch(self) -> None:
        """Bytes came from either side."""
        self._active_at = self._loop.time()

    def write(self, data: bytes) -> None:
        """Sends the client a part of an answer."""
        self._transport.write(data)

    def answer_itself(self, answer: OwnAnswer, *, minor: int, keeps: bool, bodiless: bool = False) -> None:
        """Sends the client an answer of the balancer's own."""
        date = formatdate(time.time(), usegmt=True)
        self._transport.write(forwarding.own(answer, date=date, minor=minor, keeps=keeps, bodiless=bodiless))

    def pause(self) -> None:
        """Reads no more for now."""
        if self._reads and not self._closing:
            self._reads = False
            self._transport.pause_reading()

    def resume(self) -> None:
        """Reads on."""
        if not self._reads and not self._closing:
            self._reads = True
            self._transport.resume_reading()

    def close(self) -> None:
        """Ends the connection; what was written still arrives."""
        self._closing = True
        self._transport.close()

    def abort(self) -> None:
        """Ends the connection at once."""
        self._closing = True
        self._transport.abort()

    def close_when_idle(self) -> None:
        """The listener ends: a request in flight goes on, and is the last."""
        if self._exchange is None:
            self.close()
        else:
            self._has_ended = True

    def record(self, record: Record, exchange: Exchange) -> None:
        """A request is over."""
        self.listener.record(record, self._node.zone, exchange.head, self)

    def exchange_ended(self, exchange: Exchange, *, keeps: bool) -> None:
        """An answer is whole. Of a request that is not, the rest is read and dropped."""
        if not keeps or self._has_ended:
            self.close()
            return
        self.resume()
        if exchange.request_is_whole:
            self._exchange = None
            if self._received:
                self._loop.call_soon(self._go_on)

    def _go_on(self) -> None:
        """Begins with what has come, as long as nothing is in hand and the client takes answers."""
        while self._received and self._exchange is None and self._takes and not self._closing:
            if not self._next():
                self.resume()
                return
        if self._received:
            self.pause()

    def _next(self) -> bool:
        """Begins with the next request. Returns False if its head is not there yet."""
        if self._received.startswith(_BLANK):
            self._received = self._received.lstrip(_BLANK)
            return bool(self._received)
        if not self._began:
            self._began = time.time()
        try:
            end = end_of_head(self._received)
            if end is None:
                return False
            raw, rest = self._received[: end[0]], self._received[end[1] :]
            self._received = b""
            exchange = self._begin(raw)
            self._received = self._feed(exchange, rest)
        except Malformed:
            self._refuse_unread(self.listener.answers.BAD_REQUEST)
        return True

    def _begin(self, raw: bytes) -> Exchange:
        """Begins with a request. Raises Malformed."""
        read = request(raw)
        treatment = desync.treat(self.listener.settings.desync, read.finding.severity)
        if read.finding.issue:
            self._node.metrics.count(self._node.zone, "DesyncMitigationMode_NonCompliant_Request_Count")
        if read.fault or not treatment.routed:
            raise Malformed(read.fault or read.finding.issue)
        refused = self.listener.answers.refused(read.head.method.decode("latin-1"))
        exchange = self.listener.exchange(self, self._node, read, self._began, closes=treatment.closes)
        self._began = 0.0
        self._exchange = exchange
        if refused is not None:
            exchange.refuse(refused)
        else:
            exchange.start()
        return exchange

    def _feed(self, exchange: Exchange, data: bytes) -> bytes:
        """Gives a request its body. Returns what is behind it."""
        if not exchange.request_is_whole:
            data = exchange.receive(data)
            if exchange.ended and exchange.request_is_whole:
                self._exchange = None
        return data

    def _refuse_unread(self, answer: OwnAnswer) -> None:
        """What came is no request, or not the whole of one: nobody knows where it ends."""
        record = Record(self._began)
        record.refused(answer.status)
        self._began = 0.0
        self.answer_itself(answer, minor=1, keeps=False)
        self.listener.record(record, self._node.zone, None, self)
        self.close()

    def _check_idle(self) -> None:
        """Ends the connection if nothing has come from either side for the idle timeout; comes again otherwise."""
        due = self._active_at + self.idle_seconds
        if self._loop.time() < due:
            self._timer = self._loop.call_at(due, self._check_idle)
            return
        exchange = self._exchange
        if exchange is not None and not exchange.ended:
            self._timer = self._loop.call_later(self.idle_seconds, self._check_idle)
            self.touch()
            exchange.idle()
        elif self._began:
            self._refuse_unread(self.listener.answers.REQUEST_TIMEOUT)
        else:
            self.close()
