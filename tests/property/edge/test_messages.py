"""The laws of reading and passing on HTTP: nothing is read in two ways, and nothing is lost or added."""

from __future__ import annotations

import re
from typing import Any

import httptools
from hypothesis import example, given
from hypothesis import strategies as st

from sim.cloud.edge import forwarding
from sim.cloud.edge.forwarding import Client
from sim.cloud.edge.messages import Body, ChunkedBody, Malformed, end_of_head, request, request_body
from sim.cluster.balancer.desync import Class

CLIENT = Client(b"192.0.2.1", b"http", b"80")
TOKEN = re.compile(rb"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
OURS = {b"x-forwarded-for", b"x-forwarded-port", b"x-forwarded-proto", b"connection", b"transfer-encoding"}

tokens = st.text("abcXYZ019!#$%&'*+.^_`|~-", min_size=1, max_size=12).map(str.encode)
values = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=20).map(str.encode)
names = tokens.filter(lambda name: name.lower() not in OURS | {b"content-length", b"keep-alive", b"te", b"upgrade"})
bodies = st.binary(max_size=300)


class Seen:
    """What httptools reads: the messages in some bytes."""

    def __init__(self) -> None:
        self.heads: list[tuple[bytes, bytes, list[tuple[bytes, bytes]]]] = []
        self.bodies: list[bytes] = []
        self.whole = 0
        self._parser: Any = httptools.HttpRequestParser(self)
        self._target = b""
        self._lines: list[tuple[bytes, bytes]] = []

    def read(self, data: bytes) -> Seen:
        self._parser.feed_data(data)
        return self

    def on_message_begin(self) -> None:
        self._target, self._lines = b"", []
        self.bodies.append(b"")

    def on_url(self, url: bytes) -> None:
        self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._lines.append((name, value))

    def on_headers_complete(self) -> None:
        self.heads.append((self._parser.get_method(), self._target, self._lines))

    def on_body(self, body: bytes) -> None:
        self.bodies[-1] += body

    def on_message_complete(self) -> None:
        self.whole += 1


def passed_on(data: bytes) -> bytes | None:
    """What an instance gets of the first request in some bytes; None if it is refused or not whole."""
    try:
        end = end_of_head(data)
        if end is None:
            return None
        read = request(data[: end[0]])
        if read.fault:
            return None
        body = request_body(read.fields)
        payload, _ = body.feed(data[end[1] :])
    except Malformed:
        return None
    if not body.done:
        return None
    framed = forwarding.chunk(payload) + forwarding.last_chunk(body.trailers) if read.fields.chunked else payload
    return forwarding.to_target(read, CLIENT) + framed


@given(
    method=st.sampled_from([b"GET", b"POST", b"PUT", b"DELETE", b"PATCH", b"OPTIONS"]),
    target=values.map(lambda value: b"/" + value),
    lines=st.lists(st.tuples(names, values), max_size=8),
    body=bodies,
    chunked=st.booleans(),
)
def test_a_good_request_arrives_as_it_was_sent(
    method: bytes, target: bytes, lines: list[tuple[bytes, bytes]], body: bytes, *, chunked: bool
) -> None:
    framing = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: %d" % len(body)
    head = b"%b %b HTTP/1.1\r\nHost: web\r\n" % (method, target)
    head += b"".join(b"%b: %b\r\n" % line for line in lines) + framing + b"\r\n\r\n"
    sent = forwarding.chunk(body) + forwarding.LAST_CHUNK if chunked else body
    arrived = passed_on(head + sent)
    assert arrived is not None
    seen = Seen().read(arrived)
    assert seen.whole == 1
    assert seen.bodies == [body]
    seen_method, seen_target, seen_lines = seen.heads[0]
    assert (seen_method, seen_target) == (method, target)
    kept = [line for line in seen_lines if line[0].lower() not in OURS]
    length = [] if chunked else [(b"Content-Length", b"%d" % len(body))]
    assert kept == [(b"Host", b"web"), *lines, *length]


fragments = st.sampled_from(
    [
        b"GET / HTTP/1.1\r\n",
        b"POST /a HTTP/1.1\r\n",
        b"POST / HTTP/1.0\r\n",
        b"Host: web\r\n",
        b"Content-Length: 5\r\n",
        b"Content-Length: 0\r\n",
        b"content-length:6\r\n",
        b"Content-Length : 5\r\n",
        b"Content-Length: +5\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: identity\r\n",
        b"Transfer-Encoding: chunked, chunked\r\n",
        b"Transfer-Encoding:\x0bchunked\r\n",
        b"Transfer-Encoding\r\n : chunked\r\n",
        b"X: 1\r\n 2\r\n",
        b"X: a\rb\r\n",
        b"X: a\nContent-Length: 3\r\n",
        b"Connection: Content-Length\r\n",
        b"\r\n",
        b"\n",
        b"5\r\nhello\r\n",
        b"5;x=y\r\nhello\r\n",
        b"0\r\n\r\n",
        b"0\r\nX: 1\r\n\r\n",
        b"5\nhello\n",
        b"0x5\r\nhello\r\n",
        b"hello",
        b"G",
        b"\0",
        b" ",
        b":",
    ]
)


@given(st.lists(fragments, min_size=2, max_size=10).map(b"".join))
@example(b"POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
@example(b"POST / HTTP/1.1\r\nConnection: Content-Length\r\nContent-Length: 5\r\n\r\nhello")
@example(b"helloGET / HTTP/1.1\r\n\r\n")
def test_whatever_comes_an_instance_is_sent_nothing_or_one_whole_request(data: bytes) -> None:
    arrived = passed_on(data)
    if arrived is not None:
        # The judge knows a list of methods; to a load balancer any token is one.
        method, _, rest = arrived.partition(b" ")
        assert TOKEN.fullmatch(method)
        seen = Seen().read(b"POST " + rest)
        assert (seen.whole, len(seen.heads)) == (1, 1)


@given(
    body=bodies,
    sizes=st.lists(st.integers(1, 40), min_size=1, max_size=20),
    cuts=st.lists(st.integers(1, 30), min_size=1),
)
def test_a_chunked_body_is_the_same_however_it_is_cut(body: bytes, sizes: list[int], cuts: list[int]) -> None:
    def pieces(data: bytes, lengths: list[int]) -> list[bytes]:
        found, at, turn = [], 0, 0
        while at < len(data):
            found.append(data[at : at + lengths[turn % len(lengths)]])
            at, turn = at + lengths[turn % len(lengths)], turn + 1
        return found

    sent = b"".join(forwarding.chunk(each) for each in pieces(body, sizes)) + b"0\r\nX-T: 1\r\n\r\nnext"
    reading: Body = ChunkedBody()
    got, rest = b"", b""
    for piece in pieces(sent, cuts):
        if reading.done:
            rest += piece
        else:
            payload, behind = reading.feed(piece)
            got, rest = got + payload, rest + behind
    assert (got, rest, reading.trailers) == (body, b"next", (b"X-T: 1",))


@given(st.binary(max_size=60))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    passed_on(b"POST / HTTP/1.1\r\n" + data + b"\r\n\r\n")
    passed_on(data + b"\r\n\r\n")


def test_what_is_compliant_is_never_refused_for_its_headers() -> None:
    read = request(b"POST /a HTTP/1.1\r\nHost: web\r\nContent-Length: 5")
    assert (read.finding.severity, read.fault) == (Class.COMPLIANT, "")
