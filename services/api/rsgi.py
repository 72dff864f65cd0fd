"""A WSGI application behind RSGI, Granian's interface to event loops.

https://github.com/emmett-framework/granian/blob/master/docs/spec/RSGI.md
https://peps.python.org/pep-3333/
"""

from __future__ import annotations

import asyncio
import io
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Protocol
from urllib.parse import unquote_to_bytes

from granian.rsgi import ProtocolClosed  # type: ignore[attr-defined]  # granian takes it from its compiled part

from services.api import loop as loops

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment
    from granian.rsgi import Scope

Make = Callable[[asyncio.AbstractEventLoop], "WSGIApplication"]


class HTTPProtocol(Protocol):
    """What RSGI gives for a request: its body, whole or in pieces, and the way to answer it."""

    def __call__(self) -> Awaitable[bytes]: ...
    def __aiter__(self) -> AsyncIterator[bytes]: ...
    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None: ...


_ALWAYS: WSGIEnvironment = {
    "SCRIPT_NAME": "",
    "wsgi.version": (1, 0),
    "wsgi.errors": sys.stderr,
    "wsgi.multithread": True,
    "wsgi.multiprocess": True,
    "wsgi.run_once": False,
}


class Bridge:
    """Runs each request in a greenlet of its process's loop, on which `make` makes the application.

    A body is read before the application has its request: no more than `max_body` bytes and the piece that goes beyond
    them, and of `bodies` requests at once, while the others' bodies wait in the network.
    """

    def __init__(self, make: Make, *, max_body: int, bodies: int) -> None:
        self._make = make
        self._max_body = max_body
        self._bodies = bodies

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._application = self._make(loop)
        self._turns = asyncio.Semaphore(self._bodies)

    async def __rsgi__(self, scope: Scope, protocol: HTTPProtocol) -> None:
        environ = _environ(scope)
        chunked = environ.pop("HTTP_TRANSFER_ENCODING", None) is not None
        if not chunked and environ.get("CONTENT_LENGTH", "0") == "0":
            await self._answer(environ, b"", protocol)
            return
        async with self._turns:
            if chunked:
                body = await _chunks(protocol, self._max_body)
                environ["CONTENT_LENGTH"] = str(len(body))
            else:
                body = await _body(protocol, int(environ["CONTENT_LENGTH"]), self._max_body)
            await self._answer(environ, body, protocol)

    async def _answer(self, environ: WSGIEnvironment, body: bytes, protocol: HTTPProtocol) -> None:
        environ["wsgi.input"] = io.BytesIO(body)
        status, headers, answer = await loops.run(lambda: respond(self._application, environ))
        protocol.response_bytes(status, headers, answer)


async def _body(protocol: HTTPProtocol, length: int, limit: int) -> bytes:
    """Nothing if that is too much, or did not come whole, which the application sees by the length."""
    if length > limit:
        return b""
    try:
        return await protocol()
    except ProtocolClosed:
        return b""


async def _chunks(protocol: HTTPProtocol, limit: int) -> bytes:
    read = bytearray()
    async for chunk in protocol:
        read += chunk
        if len(read) > limit:
            break
    return bytes(read)


def respond(application: WSGIApplication, environ: WSGIEnvironment) -> tuple[int, list[tuple[str, str]], bytes]:
    """The application's whole answer to a request: status, headers, body."""
    started: list[tuple[int, list[tuple[str, str]]]] = []
    written: list[bytes] = []

    def start(status: str, headers: list[tuple[str, str]], _error: object = None) -> Callable[[bytes], object]:
        started.append((int(status.partition(" ")[0]), headers))
        return written.append

    pieces = application(environ, start)
    written += pieces
    if close := getattr(pieces, "close", None):
        close()
    status, headers = started[-1]
    return status, headers, b"".join(written)


def _environ(scope: Scope) -> WSGIEnvironment:
    host, _, port = scope.server.rpartition(":")
    environ = {
        **_ALWAYS,
        "REQUEST_METHOD": scope.method,
        "PATH_INFO": unquote_to_bytes(scope.path).decode("latin-1"),
        "QUERY_STRING": scope.query_string,
        "SERVER_NAME": host,
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "wsgi.url_scheme": scope.scheme,
    }
    for name, value in scope.headers.items():
        key = name.upper().replace("-", "_")
        if key not in {"CONTENT_TYPE", "CONTENT_LENGTH"}:
            key = f"HTTP_{key}"
        environ[key] = f"{environ[key]},{value}" if key in environ else value
    return environ
