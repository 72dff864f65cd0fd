"""What a WSGI application sees of a request, and the client of its answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import pytest
from flask import Flask, Response, request
from granian.rsgi import ProtocolClosed  # type: ignore[attr-defined]  # granian takes it from its compiled part
from werkzeug.wsgi import ClosingIterator

from services.api.rsgi import Bridge

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment
    from granian.rsgi import Scope

LIMIT = 10


@dataclass
class Asked:
    """A request's head, as Granian gives it."""

    headers: list[tuple[str, str]] = field(default_factory=list)
    method: str = "POST"
    path: str = "/echo"
    query_string: str = "a=b"
    http_version: str = "1.1"
    scheme: str = "http"
    server: str = "127.0.0.1:8080"

    def __post_init__(self) -> None:
        pairs = self.headers
        self.headers = cast("Any", type("Headers", (), {"items": lambda _: pairs})())


@dataclass
class Exchange:
    """A request's body, of which `read` bytes were read and that breaks off at None, and the answer that was given."""

    pieces: list[bytes | None]
    read: int = 0
    answered: tuple[int, dict[str, str], bytes] | None = None

    async def __call__(self) -> bytes:
        return b"".join([piece async for piece in self])

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            if piece is None:
                raise ProtocolClosed
            self.read += len(piece)
            yield piece

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.answered = status, dict(headers), body


def echo() -> Flask:
    app = Flask("echo")
    app.config["MAX_CONTENT_LENGTH"] = LIMIT

    @app.post("/echo")
    def publish() -> Response:
        return Response(request.get_data(), headers={"Keys": request.headers.get("Key", "none")})

    return app


def ask(
    asked: Asked, exchange: Exchange, application: WSGIApplication | None = None
) -> tuple[int, dict[str, str], bytes]:
    """The application's answer."""

    async def main() -> None:
        bridge = Bridge(lambda _: application or echo(), max_body=LIMIT, bodies=1)
        bridge.__rsgi_init__(asyncio.get_running_loop())
        await bridge.__rsgi__(cast("Scope", asked), exchange)

    asyncio.run(main())
    assert exchange.answered is not None
    return exchange.answered


def sized(length: int) -> Asked:
    return Asked([("content-length", str(length))])


CHUNKED = Asked([("transfer-encoding", "chunked")])


def test_a_body_comes_whole_with_its_length_or_in_chunks() -> None:
    assert ask(sized(6), Exchange([b"abc", b"def"]))[::2] == (200, b"abcdef")
    assert ask(CHUNKED, Exchange([b"abc", b"def"]))[::2] == (200, b"abcdef")
    assert ask(Asked(), Exchange([]))[::2] == (200, b"")


def test_of_a_body_that_is_too_long_no_more_is_read_than_shows_it() -> None:
    declared = Exchange([b"x" * 11])
    assert ask(sized(11), declared)[0] == 413
    assert declared.read == 0
    chunks = Exchange([b"x" * 6] * 1000)
    assert ask(CHUNKED, chunks)[0] == 413
    assert chunks.read == 12


def test_a_body_that_breaks_off_is_not_taken_for_a_whole_one() -> None:
    assert ask(sized(6), Exchange([b"abc", None]))[0] == 400


def test_headers_of_one_name_arrive_joined() -> None:
    asked = Asked([("key", "a"), ("key", "b"), ("content-length", "0")])
    assert ask(asked, Exchange([]))[1]["Keys"] == "a,b"


@pytest.mark.parametrize("path", ["/%65cho", "/e%63ho"])
def test_a_path_is_what_its_escapes_mean(path: str) -> None:
    assert ask(Asked(path=path), Exchange([]))[0] == 200


def test_an_answer_in_pieces_is_closed_when_it_has_been_read() -> None:
    told: list[str] = []

    def application(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        write = start("201 Created", [("Query", environ["QUERY_STRING"])])
        write(b"a")
        return ClosingIterator([b"b", b"c"], lambda: told.append("closed"))

    assert ask(Asked(), Exchange([]), application) == (201, {"Query": "a=b"}, b"abc")
    assert told == ["closed"]
