"""HTTP/1.1 as a load balancer reads it: heads line by line, bodies by their framing. Pure.

A library's parser refuses, trims or repairs what a load balancer has to classify (`sim.cluster.balancer.desync`) and to
pass on as it came; so heads are split here. What is accepted is narrower than what servers accept: a head that two
readers could take for different messages is Malformed, whatever the desync mode.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final, Protocol

from sim.cluster.balancer.desync import Finding, RequestHead, classify

HEAD_BYTES: Final = 65_536
"""The longest head. https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html gives
it for an ALB; no page gives a Classic ELB's."""
_LINE_BYTES: Final = 4096
"""The longest line before a chunk."""
_TRAILER_BYTES: Final = 16_384
_END: Final = re.compile(rb"\r?\n\r?\n")
_NAME: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_STATUS_LINE: Final = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: ([^\x00\r\n]*))?")
_CHUNK: Final = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\x00\r\n]*)?")
_LENGTH_DIGITS: Final = 18
_VERSIONS: Final = frozenset({b"HTTP/1.0", b"HTTP/1.1"})
_NAMES: Final = 1024
"""How many names of headers are remembered: clients send the same few."""
_LENGTH: Final = b"content-length"
_HEADS: Final = 256
"""How many heads are remembered, if they are not longer than `_REMEMBERED_BYTES`."""
_REMEMBERED_BYTES: Final = 1024
_SWITCHING: Final = 101
_FIRST_FINAL: Final = 200
_BODILESS: Final = frozenset({204, 304})

Lines = Sequence[tuple[bytes, bytes]]


class Malformed(Exception):
    """A message that cannot be read, or that two readers could read differently."""


@dataclass(frozen=True, slots=True)
class Fields:
    """The headers of a head: as they came (`block`), as `lines` of names and values, and `names` in lower case."""

    block: bytes
    lines: Lines
    names: Sequence[bytes]
    options: frozenset[bytes] = frozenset()
    """What the Connection headers name, in lower case: https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1"""
    chunked: bool = False
    length: int | None = None
    """What Content-Length says. It does not count for a body in chunks, and is not passed on with one."""

    def values(self, wanted: bytes) -> Sequence[bytes]:
        """The values of the headers of this name, which is in lower case."""
        if wanted not in self.names:
            return ()
        return [line[1].strip() for line, name in zip(self.lines, self.names, strict=True) if name == wanted]


@dataclass(frozen=True, slots=True)
class Request:
    """The head of a request, its class by `desync`, and why it cannot be passed on in any mode, if that is so."""

    head: RequestHead
    finding: Finding
    fields: Fields
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Response:
    """The head of an answer. `minor` is that of its version: 1 for HTTP/1.1."""

    minor: int
    status: int
    reason: bytes
    fields: Fields

    @property
    def is_interim(self) -> bool:
        """True if the answer proper is still to come."""
        return self.status < _FIRST_FINAL


class Body(Protocol):
    """What follows a head, as far as it has come."""

    done: bool
    trailers: tuple[bytes, ...]

    def feed(self, data: bytes) -> tuple[bytes, bytes]:
        """Takes what came. Returns what of it is the body's, and what is behind its end. Raises Malformed."""


class LengthBody:
    """A body of so many bytes, also of none."""

    trailers: tuple[bytes, ...] = ()

    def __init__(self, length: int) -> None:
        self._left = length
        self.done = length == 0

    def feed(self, data: bytes) -> tuple[bytes, bytes]:
        """See Body."""
        if len(data) <= self._left:
            self._left -= len(data)
            self.done = self._left == 0
            return data, b""
        left, self._left, self.done = self._left, 0, True
        return data[:left], data[left:]


class EndlessBody:
    """A body that ends with its connection."""

    trailers: tuple[bytes, ...] = ()
    done = False

    def feed(self, data: bytes) -> tuple[bytes, bytes]:
        """See Body."""
        return data, b""


class ChunkedBody:
    """A body in chunks. Extensions of chunks are dropped, trailers are kept as lines."""

    def __init__(self) -> None:
        self.done = False
        self.trailers: tuple[bytes, ...] = ()
        self._held = b""
        """A line that is not whole."""
        self._left = 0
        """What the present chunk still has, with its line end."""
        self._in_trailers = False

    def feed(self, data: bytes) -> tuple[bytes, bytes]:
        """See Body."""
        data, self._held = self._held + data, b""
        pieces: list[bytes] = []
        at = 0
        while at < len(data) and not self.done:
            if self._left:
                at = self._chunk(data, at, pieces)
                continue
            end = data.find(b"\n", at)
            if end < 0:
                self._hold(data[at:])
                return b"".join(pieces), b""
            if end == at or data[end - 1] != ord("\r"):
                raise Malformed("a line of a chunked body ends without a carriage return")
            self._line(data[at : end - 1])
            at = end + 1
        return b"".join(pieces), data[at:]

    def _chunk(self, data: bytes, at: int, pieces: list[bytes]) -> int:
        """Takes what there is of a chunk and its line end. Returns where it goes on."""
        payload = min(self._left - len(b"\r\n"), len(data) - at)
        if payload > 0:
            pieces.append(data[at : at + payload])
            self._left -= payload
            at += payload
        while at < len(data) and 0 < self._left <= len(b"\r\n"):
            if data[at] != b"\r\n"[-self._left]:
                raise Malformed("a chunk is longer than its size")
            self._left -= 1
            at += 1
        return at

    def _line(self, line: bytes) -> None:
        if self._in_trailers:
            self._trailer(line)
            return
        size = _CHUNK.fullmatch(line)
        if size is None:
            raise Malformed("the size of a chunk is no hexadecimal number")
        length = int(size[1], 16)
        self._in_trailers = length == 0
        self._left = length + len(b"\r\n") if length else 0

    def _trailer(self, line: bytes) -> None:
        if not line:
            self.done = True
            return
        name, colon, value = line.partition(b":")
        if not colon or not _is_name(name) or b"\r" in value or b"\0" in value:
            raise Malformed("a trailer is no header line")
        self.trailers = (*self.trailers, line)
        if sum(map(len, self.trailers)) > _TRAILER_BYTES:
            raise Malformed("the trailers are too long")

    def _hold(self, rest: bytes) -> None:
        if len(rest) > (_TRAILER_BYTES if self._in_trailers else _LINE_BYTES):
            raise Malformed("a line of a chunked body is too long")
        self._held = rest


def end_of_head(data: bytes) -> tuple[int, int] | None:
    """Where a head ends and what follows it begins; None if it is not whole. Raises Malformed if it is too long."""
    end = data.find(b"\r\n\r\n")
    if end >= 0:
        found = (end, end + 4)
    else:
        torn = _END.search(data)
        found = torn.span() if torn else (len(data), -1)
    if found[0] > HEAD_BYTES:
        raise Malformed(f"the head is longer than {HEAD_BYTES} bytes")
    return found if found[1] >= 0 else None


def request(raw: bytes) -> Request:
    """Reads the head of a request; `raw` is without the empty line. Raises Malformed without a request line."""
    return _remembered_request(raw) if len(raw) <= _REMEMBERED_BYTES else _request(raw)


def response(raw: bytes) -> Response:
    """Reads the head of an answer; `raw` is without the empty line. Raises Malformed."""
    return _remembered_response(raw) if len(raw) <= _REMEMBERED_BYTES else _response(raw)


def request_body(fields: Fields) -> Body:
    """How a request's body is framed. https://www.rfc-editor.org/rfc/rfc9112#section-6.3"""
    return ChunkedBody() if fields.chunked else LengthBody(fields.length or 0)


def response_body(head: Response, *, to: bytes) -> Body:
    """How an answer's body is framed; `to` is the method of the request.

    https://www.rfc-editor.org/rfc/rfc9112#section-6.3
    """
    if to == b"HEAD" or head.status in _BODILESS:
        return LengthBody(0)
    if head.fields.chunked:
        return ChunkedBody()
    return EndlessBody() if head.fields.length is None else LengthBody(head.fields.length)


def _request(raw: bytes) -> Request:
    line, _, block = raw.partition(b"\r\n")
    method, _, rest = line.partition(b" ")
    target, _, version = rest.rpartition(b" ")
    if not method or not target:
        raise Malformed("the request line is not a method, a target and a version")
    lines = _split(block)
    head = RequestHead(method, target, version, lines)
    finding = classify(head)
    try:
        _check_request_line(head)
        return Request(head, finding, _fields(block, lines))
    except Malformed as error:
        return Request(head, finding, _NO_FIELDS, str(error))


def _response(raw: bytes) -> Response:
    line, _, block = raw.partition(b"\r\n")
    status = _STATUS_LINE.fullmatch(line)
    if status is None:
        raise Malformed("the status line cannot be read")
    head = Response(int(status[1]), int(status[2]), status[3] or b"", _fields(block, _split(block)))
    if head.status == _SWITCHING:
        raise Malformed("an answer to an upgrade, which nobody asked for")
    return head


# On a connection that is kept, one head after the other is the same.
_remembered_request = lru_cache(_HEADS)(_request)
_remembered_response = lru_cache(_HEADS)(_response)


def _split(block: bytes) -> tuple[tuple[bytes, bytes], ...]:
    """Names and values. A line without a colon cannot be told apart from the end of the one before: Malformed."""
    if not block:
        return ()
    lines = [line.partition(b":") for line in block.split(b"\r\n")]
    if any(not colon for _, colon, _ in lines):
        raise Malformed("a header line has no colon")
    return tuple((name, value) for name, _, value in lines)


def _check_request_line(head: RequestHead) -> None:
    """Raises Malformed for what no mode may pass on, since the next reader could take it for something else."""
    line = head.method + head.target
    if not _is_name(head.method) or any(each in line for each in (b" ", b"\t", b"\r", b"\n", b"\0")):
        raise Malformed("the method or the target cannot be passed on")
    if head.version not in _VERSIONS:
        raise Malformed("the version is neither HTTP/1.0 nor HTTP/1.1")


def _fields(block: bytes, lines: Lines) -> Fields:
    """Raises Malformed for headers that no mode may pass on."""
    ends = max(len(lines) - 1, 0)
    if block.count(b"\n") != ends or block.count(b"\r") != ends or b"\0" in block:
        raise Malformed("a header has an end of line or of text in it")
    if any(name and not _is_name(name) for name, _ in lines):  # an empty one is not passed on, so it may be there
        raise Malformed("the name of a header cannot be passed on")
    fields = Fields(block, lines, tuple(name.lower() for name, _ in lines))
    options = (each.strip().lower() for value in fields.values(b"connection") for each in value.split(b","))
    chunked = _is_chunked(fields.values(b"transfer-encoding"))
    return replace(fields, options=frozenset(options), chunked=chunked, length=_length(fields.values(_LENGTH)))


@lru_cache(_NAMES)
def _is_name(name: bytes) -> bool:
    return _NAME.fullmatch(name) is not None


def _length(values: Sequence[bytes]) -> int | None:
    if not values:
        return None
    if len(set(values)) > 1 or not values[0].isdigit() or len(values[0]) > _LENGTH_DIGITS:
        raise Malformed("Content-Length is not one number")
    return int(values[0])


def _is_chunked(values: Sequence[bytes]) -> bool:
    encodings = [each for each in (value.lower() for value in values) if each != b"identity"]
    if encodings and encodings != [b"chunked"]:
        raise Malformed("Transfer-Encoding is not chunked")
    return bool(encodings)


_NO_FIELDS: Final = Fields(b"", (), ())
