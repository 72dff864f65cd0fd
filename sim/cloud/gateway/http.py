"""HTTP/1.1 for many small calls: a server's connection and a client's, over httptools' parser.

Bodies are held in memory whole. Neither side does more than one request of a connection at a time, as no AWS SDK does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import cast

import httptools

Headers = Sequence[tuple[bytes, bytes]]

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
# What is between two ends of one connection, and not part of what is said.
_HOP_BY_HOP = frozenset({b"connection", b"content-length", b"expect", b"keep-alive", b"transfer-encoding"})


@dataclass(frozen=True, slots=True)
class Request:
    """A request; the names of headers as they were sent."""

    method: bytes
    target: bytes
    headers: Headers
    body: bytes

    def header(self, name: bytes) -> bytes:
        """The value of the header of this name in lower case, or nothing."""
        return next((value for each, value in self.headers if each.lower() == name), b"")


@dataclass(frozen=True, slots=True)
class Response:
    """An answer; the names of headers as they were sent."""

    status: int
    headers: Headers
    body: bytes


class Lost(Exception):
    """The other end was gone before its answer was whole."""


class _Message(asyncio.Protocol):
    """What both ends have: a transport, and a message that comes in."""

    def __init__(self) -> None:
        self._headers: list[tuple[bytes, bytes]] = []
        self._body: list[bytes] = []
        self.closed = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def on_message_begin(self) -> None:
        self._headers = []
        self._body = []

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name, value))

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def abort(self) -> None:
        """Resets the connection."""
        self.closed = True
        self._transport.abort()


class ServerConnection(_Message):
    """One client's connection: `handle` is given each request, and answers it by `send`."""

    def __init__(self, handle: Callable[[ServerConnection, Request], None]) -> None:
        super().__init__()
        self._handle = handle
        self._parser = httptools.HttpRequestParser(self)
        self._target = b""

    def connection_lost(self, _: Exception | None) -> None:
        self.closed = True

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._transport.close()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._target = b""

    def on_url(self, url: bytes) -> None:
        self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value)
        if name.lower() == b"expect":
            self._transport.write(_CONTINUE)

    def on_message_complete(self) -> None:
        request = Request(self._parser.get_method(), self._target, self._headers, b"".join(self._body))
        self._handle(self, request)

    def send(self, response: Response) -> None:
        """Writes an answer, unless the client has gone."""
        if self.closed:
            return
        line = f"HTTP/1.1 {response.status} {_phrase(response.status)}".encode()
        self._transport.write(_head(line, response.headers, len(response.body)) + response.body)
        if not self._parser.should_keep_alive():
            self._transport.close()


class ClientConnection(_Message):
    """A connection to a server, for one request after the other."""

    def __init__(self) -> None:
        super().__init__()
        self._parser = httptools.HttpResponseParser(self)
        self._answer: asyncio.Future[Response] | None = None
        self._bodiless = False

    def connection_lost(self, error: Exception | None) -> None:
        self.closed = True
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(Lost(str(error or "the connection was closed")))

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self.connection_lost(error)
            self._transport.abort()

    def on_headers_complete(self) -> None:
        # What follows is no body, whatever Content-Length says; the parser cannot be told, so it is of no more use.
        if self._bodiless:
            self._complete(Response(self._parser.get_status_code(), self._headers, b""))
            self.close()

    def on_message_complete(self) -> None:
        self._complete(Response(self._parser.get_status_code(), self._headers, b"".join(self._body)))
        if not self._parser.should_keep_alive():
            self.close()

    async def ask(self, request: Request) -> Response:
        """The answer. Raises Lost."""
        if self.closed:
            raise Lost("the connection was closed")
        self._answer = asyncio.get_running_loop().create_future()
        self._bodiless = request.method == b"HEAD"
        line = b"%b %b HTTP/1.1" % (request.method, request.target)
        self._transport.write(_head(line, request.headers, len(request.body)) + request.body)
        return await self._answer

    def close(self) -> None:
        """Ends the connection; what was sent still arrives."""
        self.closed = True
        self._transport.close()

    def _complete(self, response: Response) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(response)


def end_to_end(headers: Headers) -> Headers:
    """The headers that concern more than one connection."""
    return [(name, value) for name, value in headers if name.lower() not in _HOP_BY_HOP]


def _head(line: bytes, headers: Iterable[tuple[bytes, bytes]], length: int) -> bytes:
    fields = b"".join(b"%b: %b\r\n" % field for field in headers)
    return b"%b\r\n%bContent-Length: %d\r\n\r\n" % (line, fields, length)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
