"""What a client is told that does not speak HTTP, or not to an end: by a real server, over a socket."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn

from services.api.asgi import Receive, Scope, Send
from services.api.problems import CONTENT_TYPE, MALFORMED_REQUEST
from services.api.protocol import MAX_HEAD_BYTES, Http

SECONDS = 10.0


async def says_hello(_cleanup: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
    await send({"type": "http.response.body", "body": b"hello"})


@asynccontextmanager
async def connection() -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """To a server that says hello to whoever asks as HTTP wants it."""
    server = uvicorn.Server(uvicorn.Config(says_hello, http=Http, lifespan="off", log_config=None))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        serves = asyncio.create_task(server.serve([listener]))
        reader, writer = await asyncio.open_connection(*listener.getsockname())
        try:
            yield reader, writer
        finally:
            writer.close()
            server.should_exit = True
            await serves


async def answer(reader: asyncio.StreamReader) -> tuple[bytes, dict[str, str], bytes]:
    """Status line, headers, body."""
    status, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("ascii").rstrip().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    return status.encode(), headers, await reader.readexactly(int(headers["content-length"]))


async def refused(*pieces: bytes) -> None:
    """Asserts that a connection ends with a problem when these come over it."""
    async with asyncio.timeout(SECONDS), connection() as (reader, writer):
        for piece in pieces:
            writer.write(piece)
        status, headers, body = await answer(reader)
        assert status == b"HTTP/1.1 400 Bad Request"
        assert (headers["content-type"], headers["connection"]) == (CONTENT_TYPE, "close")
        assert json.loads(body) == MALFORMED_REQUEST.document(headers["x-request-id"])
        assert await reader.read() == b""


@pytest.mark.parametrize(
    "request_",
    [
        b"\x16\x03\x01\x02\x00\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: some\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
    ids=["a TLS handshake", "not ASCII", "a length that is none", "two ends"],
)
def test_what_is_not_http_is_a_problem_as_any_other(request_: bytes) -> None:
    asyncio.run(refused(request_))


def test_a_head_has_an_end() -> None:
    asyncio.run(refused(b"GET / HTTP/1.1\r\nNever-Ending: ", b"x" * (MAX_HEAD_BYTES + 1)))


def test_each_request_of_a_connection_may_have_its_head_and_a_longer_body() -> None:
    head, body = b"x" * (MAX_HEAD_BYTES // 2), b"x" * (2 * MAX_HEAD_BYTES)

    async def main() -> None:
        async with asyncio.timeout(SECONDS), connection() as (reader, writer):
            for _ in range(3):
                writer.write(b"POST / HTTP/1.1\r\nContent-Length: %d\r\nLong: %s\r\n\r\n" % (len(body), head) + body)
                await writer.drain()
                status, _, said = await answer(reader)
                assert (status, said) == (b"HTTP/1.1 200 OK", b"hello")

    asyncio.run(main())
