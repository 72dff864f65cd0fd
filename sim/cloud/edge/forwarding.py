"""What the next hop gets of a request and of its answer. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sim.cloud.edge.messages import Body, ChunkedBody, EndlessBody, Fields, LengthBody, Request, Response
from sim.cluster.balancer.answers import OwnAnswer

# Of one connection, not of the message: https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1. A balancer's own follow.
_HOP_BY_HOP: Final = frozenset(
    {b"", b"connection", b"keep-alive", b"proxy-connection", b"te", b"transfer-encoding", b"upgrade"}
)
_FORWARDED_FOR: Final = b"x-forwarded-for"
_TRACE: Final = b"x-amzn-trace-id"
_USUAL: Final = frozenset({b"close", b"keep-alive"})
_SET: Final = frozenset({b"x-forwarded-for", b"x-forwarded-port", b"x-forwarded-proto"})
_NOT_TO_TARGET: Final = _HOP_BY_HOP | _SET
_LENGTH: Final = b"content-length"
_NEEDED: Final = frozenset({_LENGTH, b"host"})
_NOT_IN_TRAILERS: Final = _HOP_BY_HOP | _SET | {_LENGTH, b"host", b"trailer"}
LAST_CHUNK: Final = b"0\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Client:
    """Who asked, and by which listener."""

    address: bytes
    protocol: bytes
    """`http` or `https`."""
    port: bytes


def to_target(request: Request, client: Client, trace: bytes = b"") -> bytes:
    """The head of the request for the instance, always HTTP/1.1, its headers in their order and as they were written.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/classic/x-forwarded-headers.html: the client's address is
    appended to X-Forwarded-For. `trace` is the value of an ALB's X-Amzn-Trace-Id.
    """
    fields = request.fields
    parts = [b"%b %b HTTP/1.1\r\n" % (request.head.method, request.head.target)]
    dropped = _dropped(fields.options) | _SET if fields.options else _NOT_TO_TARGET
    parts += _passed(fields, dropped | {_TRACE} if trace else dropped)
    if trace:
        parts.append(b"X-Amzn-Trace-Id: %b\r\n" % trace)
    addresses = [*fields.values(_FORWARDED_FOR), client.address]
    if fields.chunked:
        parts.append(b"Transfer-Encoding: chunked\r\n")
    parts.append(
        b"X-Forwarded-For: %b\r\nX-Forwarded-Port: %b\r\nX-Forwarded-Proto: %b\r\nConnection: keep-alive\r\n\r\n"
        % (b", ".join(addresses), client.port, client.protocol)
    )
    return b"".join(parts)


def to_client(head: Response, body: Body, *, minor: int, keeps: bool, cookies: Sequence[str] = ()) -> bytes:
    """The head of the answer for the client, in the version that it speaks (`minor`).

    `keeps` says whether the client's connection stays, `cookies` are set beside those of the instance.
    """
    parts = [b"HTTP/1.%d %d %b\r\n" % (minor, head.status, head.reason)]
    parts += _passed(head.fields, _dropped(head.fields.options))
    parts += [b"Set-Cookie: %b\r\n" % each.encode() for each in cookies]
    if goes_in_chunks(body, minor=minor):
        parts.append(b"Transfer-Encoding: chunked\r\n")
    parts.append(b"Connection: keep-alive\r\n\r\n" if keeps else b"Connection: close\r\n\r\n")
    return b"".join(parts)


def interim(head: Response) -> bytes:
    """An interim answer (100, 103), for a client that speaks HTTP/1.1."""
    lines = b"".join(b"%b:%b\r\n" % line for line in head.fields.lines if line[0].lower() not in _HOP_BY_HOP)
    return b"HTTP/1.1 %d %b\r\n%b\r\n" % (head.status, head.reason, lines)


def own(answer: OwnAnswer, *, date: str, minor: int, keeps: bool, bodiless: bool = False) -> bytes:
    """An answer of the balancer's own, on the wire. `date` is that of the header. To HEAD it is `bodiless`."""
    headers = dict(answer.headers) | {"Date": date}
    if not keeps:
        headers["Connection"] = "close"
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    head = f"HTTP/1.{minor} {answer.status} {answer.reason}\r\n{lines}\r\n".encode("latin-1")
    return head if bodiless else head + answer.body


def chunk(payload: bytes) -> bytes:
    """A part of a chunked body; nothing for no payload, which would end the body."""
    return b"%x\r\n%b\r\n" % (len(payload), payload) if payload else b""


def last_chunk(trailers: Sequence[bytes]) -> bytes:
    """The end of a chunked body, with the trailers that may be passed on."""
    if not trailers:
        return LAST_CHUNK
    kept = [line for line in trailers if line.partition(b":")[0].lower() not in _NOT_IN_TRAILERS]
    return b"".join([b"0\r\n", *(line + b"\r\n" for line in kept), b"\r\n"])


def keeps_alive(minor: int, options: frozenset[bytes]) -> bool:
    """True if whoever sent a head with these connection options leaves its connection open; `minor` is of its version.

    https://www.rfc-editor.org/rfc/rfc9112#section-9.3
    """
    return b"close" not in options and (minor == 1 or b"keep-alive" in options)


def goes_in_chunks(body: Body, *, minor: int) -> bool:
    """True if an answer's body goes to the client in chunks: it has no length, and the client knows chunks."""
    return minor == 1 and isinstance(body, (ChunkedBody, EndlessBody))


def _passed(fields: Fields, dropped: frozenset[bytes]) -> list[bytes]:
    """The headers that go on: all of them as they are, or one by one if some do not.

    The length of a chunked body does not, nor does a second one.
    """
    names = fields.names
    if not names:
        return []
    if dropped.isdisjoint(names) and (fields.length is None or names.count(_LENGTH) == 1):
        return [fields.block, b"\r\n"]
    kept = []
    has_length = fields.chunked
    for name, line in zip(names, fields.lines, strict=True):
        if name in dropped or (has_length and name == _LENGTH):
            continue
        has_length = has_length or name == _LENGTH
        kept.append(b"%b:%b\r\n" % line)
    return kept


def _dropped(options: frozenset[bytes]) -> frozenset[bytes]:
    """The headers of one connection: those that Connection names, too, unless the message needs them."""
    return _HOP_BY_HOP if options <= _USUAL else _HOP_BY_HOP | (options - _NEEDED)


def has_length(body: Body) -> bool:
    """True if a client that knows no chunks can tell where the body ends."""
    return isinstance(body, LengthBody)


def cookies(fields: Fields) -> dict[str, str]:
    """What a request's Cookie headers say."""
    pairs = (pair.partition(b"=") for value in fields.values(b"cookie") for pair in value.split(b";"))
    return {name.strip().decode("latin-1"): value.strip().decode("latin-1") for name, _, value in pairs}


def cookies_set(head: Response) -> frozenset[str]:
    """The names of the cookies that an answer sets."""
    found = head.fields.values(b"set-cookie")
    return frozenset(value.partition(b"=")[0].strip().decode("latin-1") for value in found)
