"""A WSGI application behind ASGI, the interface of event loops: each request in a greenlet of its process's loop.

https://asgi.readthedocs.io/en/latest/specs/www.html and https://peps.python.org/pep-3333/
"""

from __future__ import annotations

import asyncio
import io
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

from services.api.loop import Greenlets

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Make = Callable[[asyncio.AbstractEventLoop], "WSGIApplication"]

_ALWAYS: WSGIEnvironment = {
    "SCRIPT_NAME": "",
    "wsgi.version": (1, 0),
    "wsgi.errors": sys.stderr,
    "wsgi.multithread": True,
    "wsgi.multiprocess": True,
    "wsgi.run_once": False,
}


class Bridge:
    """An ASGI application; `make` makes the WSGI application that answers on the loop.

    A body is read before the application has its request: no more than `max_body` bytes and the piece that goes beyond
    them, and of `bodies` requests at once, while the others' bodies wait in the network.
    """

    def __init__(self, make: Make, *, max_body: int, bodies: int) -> None:
        self._make = make
        self._max_body = max_body
        self._greenlets = Greenlets()
        self._turns = asyncio.Semaphore(bodies)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        environ = _environ(scope)
        chunked = environ.pop("HTTP_TRANSFER_ENCODING", None) is not None
        length = int(environ.get("CONTENT_LENGTH", 0))
        if not chunked and length == 0:
            await self._answer(environ, b"", send)
            return
        async with self._turns:
            # Whoever declares too much is told so by the application, which looks no further.
            body, whole = await _body(receive, self._max_body) if length <= self._max_body else (b"", False)
            if chunked:
                # That it broke off shows where the length is known.
                environ["CONTENT_LENGTH"] = str(len(body) + (not whole))
            await self._answer(environ, body, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        """https://asgi.readthedocs.io/en/latest/specs/lifespan.html"""
        await receive()
        self._application = self._make(asyncio.get_running_loop())
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})

    async def _answer(self, environ: WSGIEnvironment, body: bytes, send: Send) -> None:
        environ["wsgi.input"] = io.BytesIO(body)
        status, headers, answer = await self._greenlets.run(lambda: respond(self._application, environ))
        encoded = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        await send({"type": "http.response.start", "status": status, "headers": encoded})
        await send({"type": "http.response.body", "body": answer})


async def _body(receive: Receive, limit: int) -> tuple[bytes, bool]:
    """What came, and whether that is all; beyond the limit nothing more is read."""
    read = bytearray()
    while len(read) <= limit:
        message = await receive()
        if message["type"] == "http.disconnect":
            return bytes(read), False
        read += message.get("body", b"")
        if not message.get("more_body", False):
            break
    return bytes(read), True


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
    host, port = scope["server"]
    environ = {
        **_ALWAYS,
        "REQUEST_METHOD": scope["method"],
        "PATH_INFO": unquote_to_bytes(scope["raw_path"]).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": host,
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "wsgi.url_scheme": scope["scheme"],
    }
    for name, value in scope["headers"]:
        key = name.decode("latin-1").upper().replace("-", "_")
        if key not in {"CONTENT_TYPE", "CONTENT_LENGTH"}:
            key = f"HTTP_{key}"
        text = value.decode("latin-1")
        environ[key] = f"{environ[key]},{text}" if key in environ else text
    return environ
