"""What a WSGI application sees of a request, and the client of its answer."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from flask import Flask, Response, request
from werkzeug.wsgi import ClosingIterator

from services.api.asgi import Bridge, Message, Scope

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

LIMIT = 10

Answer = tuple[int, dict[str, str], bytes]


@dataclass
class Exchange:
    """A request's body, of which `read` bytes were read and that breaks off at None, and what was sent for it."""

    pieces: list[bytes | None]
    read: int = 0
    sent: list[Message] = field(default_factory=list)

    async def receive(self) -> Message:
        piece = self.pieces.pop(0)
        if piece is None:
            return {"type": "http.disconnect"}
        self.read += len(piece)
        return {"type": "http.request", "body": piece, "more_body": bool(self.pieces)}

    async def send(self, message: Message) -> None:
        self.sent.append(message)

    def answer(self) -> Answer:
        start, body = self.sent
        return (
            start["status"],
            {name.decode(): value.decode("latin-1") for name, value in start["headers"]},
            body["body"],
        )


def echo() -> Flask:
    app = Flask("echo")
    app.config["MAX_CONTENT_LENGTH"] = LIMIT

    @app.post("/echo")
    def publish() -> Response:
        return Response(request.get_data(), headers={"Keys": request.headers.get("Key", "none")})

    return app


def asked(*headers: tuple[str, str], path: str = "/echo") -> Scope:
    """A request's head."""
    return {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "raw_path": path.encode(),
        "query_string": b"a=b",
        "server": ("127.0.0.1", 8080),
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers],
    }


def ask(scope: Scope, exchange: Exchange, application: WSGIApplication | None = None) -> Answer:
    """The application's answer, on a server that starts and ends as servers do."""
    told: list[str] = []
    events = deque(["lifespan.startup", "lifespan.shutdown"])

    async def receive() -> Message:
        return {"type": events.popleft()}

    async def send(message: Message) -> None:
        told.append(message["type"])
        if message["type"] == "lifespan.startup.complete":
            await bridge(scope, exchange.receive, exchange.send)

    bridge = Bridge(lambda _: application or echo(), max_body=LIMIT, bodies=1)
    asyncio.run(bridge({"type": "lifespan"}, receive, send))
    assert told == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    return exchange.answer()


def sized(length: int) -> Scope:
    return asked(("content-length", str(length)))


def chunked() -> Scope:
    return asked(("transfer-encoding", "chunked"))


def test_a_body_comes_whole_with_its_length_or_in_chunks() -> None:
    assert ask(sized(6), Exchange([b"abc", b"def"]))[::2] == (200, b"abcdef")
    assert ask(chunked(), Exchange([b"abc", b"def"]))[::2] == (200, b"abcdef")
    assert ask(asked(), Exchange([]))[::2] == (200, b"")


def test_of_a_body_that_is_too_long_no_more_is_read_than_shows_it() -> None:
    declared = Exchange([b"x" * 11])
    assert ask(sized(11), declared)[0] == 413
    assert declared.read == 0
    chunks = Exchange([b"x" * 6] * 1000)
    assert ask(chunked(), chunks)[0] == 413
    assert chunks.read == 12


def test_a_body_that_breaks_off_is_not_taken_for_a_whole_one() -> None:
    assert ask(sized(6), Exchange([b"abc", None]))[0] == 400
    assert ask(chunked(), Exchange([b"abc", None]))[0] == 400


def test_headers_of_one_name_arrive_joined() -> None:
    answer = ask(asked(("key", "a"), ("key", "b"), ("content-length", "0")), Exchange([]))
    assert answer[1]["keys"] == "a,b"


def test_a_header_keeps_every_byte() -> None:
    assert ask(asked(("key", "\xff\xe9")), Exchange([]))[1]["keys"].encode("latin-1") == b"\xff\xe9"


@pytest.mark.parametrize("path", ["/%65cho", "/e%63ho"])
def test_a_path_is_what_its_escapes_mean(path: str) -> None:
    assert ask(asked(path=path), Exchange([]))[0] == 200


def test_an_answer_in_pieces_is_closed_when_it_has_been_read() -> None:
    told: list[str] = []

    def application(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        write = start("201 Created", [("query", environ["QUERY_STRING"])])
        write(b"a")
        return ClosingIterator([b"b", b"c"], lambda: told.append("closed"))

    assert ask(asked(), Exchange([]), application) == (201, {"query": "a=b"}, b"abc")
    assert told == ["closed"]
