"""HTTP/1.1 for many small calls: a server's connection and a client's, over httptools' parser.

Bodies are held in memory whole. Neither side does more than one request of a connection at a time, as no AWS SDK does.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import cast

import httptools

Headers = Sequence[tuple[bytes, bytes]]

_ALWAYS_LENGTH = frozenset({b"POST", b"PUT", b"PATCH"})
"""The methods whose requests have a Content-Length though they have no body: RFC 9110, section 8.6."""
_NEVER_LENGTH = frozenset({204, 304})
"""The statuses whose answers have no body, and here no Content-Length either."""
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_BAD_REQUEST = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
# Headers of one connection, not of the message. https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1
_HOP_BY_HOP = frozenset({b"connection", b"content-length", b"expect", b"keep-alive", b"transfer-encoding"})


@dataclass(frozen=True, slots=True)
class Request:
    """A request; the names of headers as they were sent."""

    method: bytes
    target: bytes
    headers: Headers
    body: bytes

    def fields(self) -> dict[str, str]:
        """The headers by their names in lower case."""
        return {name.lower().decode("latin-1"): value.decode("latin-1") for name, value in self.headers}


@dataclass(frozen=True, slots=True)
class Response:
    """An answer; the names of headers as they were sent."""

    status: int
    headers: Headers
    body: bytes


class UpstreamLost(Exception):
    """The server was gone before its answer was whole."""


class _Message(asyncio.Protocol, ABC):
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
    """A client's connection. A subclass takes each request in `handle`, and answers it by `send`."""

    def __init__(self) -> None:
        super().__init__()
        self._parser = httptools.HttpRequestParser(self)
        self._target = b""
        self._to_head = False
        self._keep_alive = True

    @abstractmethod
    def handle(self, request: Request) -> None:
        """Takes a request that is whole."""

    def connection_lost(self, _: Exception | None) -> None:
        self.closed = True

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            # Docker tries TLS first, and then plain HTTP if the answer to that is one of HTTP.
            self._transport.write(_BAD_REQUEST)
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
        method = self._parser.get_method()
        self._to_head = method == b"HEAD"
        # Asked later, the parser would speak of the next request.
        self._keep_alive = self._parser.should_keep_alive()
        self.handle(Request(method, self._target, self._headers, b"".join(self._body)))

    def send(self, response: Response) -> None:
        """Writes an answer, unless the client has gone. The answer to a HEAD has the Content-Length of its headers."""
        if self.closed:
            return
        bodiless = self._to_head or response.status in _NEVER_LENGTH
        line = f"HTTP/1.1 {response.status} {_phrase(response.status)}".encode()
        head = _head(line, response.headers, None if bodiless else len(response.body))
        self._transport.write(head if bodiless else head + response.body)
        if not self._keep_alive:
            self._transport.close()


class ClientConnection(_Message):
    """A connection to a server, for one request after the other."""

    def __init__(self) -> None:
        super().__init__()
        self._parser = httptools.HttpResponseParser(self)
        self._answer: asyncio.Future[Response] | None = None
        self._to_head = False

    def connection_lost(self, error: Exception | None) -> None:
        self.closed = True
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(UpstreamLost(str(error or "the connection was closed")))

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self.connection_lost(error)
            self._transport.abort()

    def on_headers_complete(self) -> None:
        # No body follows, whatever Content-Length says. The parser has no setting for that, so the connection ends.
        if self._to_head:
            lengths = [each for each in self._headers if each[0].lower() == b"content-length"]
            self._complete([*_end_to_end(self._headers), *lengths], b"")
            self.close()

    def on_message_complete(self) -> None:
        self._complete(_end_to_end(self._headers), b"".join(self._body))
        if not self._parser.should_keep_alive():
            self.close()

    async def ask(self, request: Request) -> Response:
        """The answer to a request, with the headers of both that concern more than one connection.

        The answer to a HEAD keeps its Content-Length among its headers. Raises UpstreamLost.
        """
        if self.closed:
            raise UpstreamLost("the connection was closed")
        self._answer = asyncio.get_running_loop().create_future()
        self._to_head = request.method == b"HEAD"
        has_length = request.body or request.method in _ALWAYS_LENGTH
        line = b"%b %b HTTP/1.1" % (request.method, request.target)
        head = _head(line, _end_to_end(request.headers), len(request.body) if has_length else None)
        self._transport.write(head + request.body)
        return await self._answer

    def close(self) -> None:
        """Ends the connection; what was sent still arrives."""
        self.closed = True
        self._transport.close()

    def _complete(self, headers: Headers, body: bytes) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(Response(self._parser.get_status_code(), headers, body))


async def ask_once(address: tuple[str, int], request: Request) -> Response:
    """The answer of the server at an address, on a connection of its own. Raises OSError or UpstreamLost."""
    _, connection = await asyncio.get_running_loop().create_connection(ClientConnection, *address)
    try:
        return await connection.ask(request)
    finally:
        connection.close()


def _end_to_end(headers: Headers) -> Headers:
    return [(name, value) for name, value in headers if name.lower() not in _HOP_BY_HOP]


def _head(line: bytes, headers: Headers, length: int | None) -> bytes:
    fields = b"".join(b"%b: %b\r\n" % field for field in headers)
    return b"%b\r\n%b%b\r\n" % (line, fields, b"" if length is None else b"Content-Length: %d\r\n" % length)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
