"""HTTP/1.1 as a load balancer reads it: heads line by line, bodies by their framing. Pure.

A library's parser refuses, trims or repairs what a load balancer has to classify (`sim.cluster.balancer.desync`) and to
pass on as it came; so heads are split here. What is accepted is narrower than what servers accept: a head that two
readers could take for different messages is Malformed, whatever the desync mode.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from sim.cluster.balancer.desync import RequestHead

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
_SWITCHING: Final = 101
_FIRST_FINAL: Final = 200
_BODILESS: Final = frozenset({204, 304})

Lines = Sequence[tuple[bytes, bytes]]


class Malformed(Exception):
    """A message that cannot be read, or that two readers could read differently."""


@dataclass(frozen=True, slots=True)
class ResponseHead:
    """An answer before its body. `lines` are its headers, names and values as they came."""

    minor: int
    """Of its version: 1 for HTTP/1.1."""
    status: int
    reason: bytes
    lines: tuple[tuple[bytes, bytes], ...]

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
        if not colon or not _NAME.fullmatch(name) or _is_torn(value):
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


def request_head(raw: bytes) -> RequestHead:
    """The head of a request, split but not judged. `raw` is without the empty line. Raises Malformed.

    A header line without a colon, and one that goes on with the next line, cannot be told apart from a smuggled one.
    """
    line, *headers = raw.split(b"\r\n")
    method, _, rest = line.partition(b" ")
    target, _, version = rest.rpartition(b" ")
    if not method or not target:
        raise Malformed("the request line is not a method, a target and a version")
    return RequestHead(method, target, version, tuple(_split(headers)))


def check_request(head: RequestHead) -> None:
    """Raises Malformed for a request that no mode may pass on, since the next reader could take it for two."""
    if not _NAME.fullmatch(head.method) or _is_torn(head.target) or b" " in head.target or b"\t" in head.target:
        raise Malformed("the method or the target cannot be passed on")
    if head.version not in {b"HTTP/1.0", b"HTTP/1.1"}:
        raise Malformed("the version is neither HTTP/1.0 nor HTTP/1.1")
    _check_lines(head.lines)


def request_body(head: RequestHead) -> Body:
    """How a request's body is framed; with both headers it is chunked, and Content-Length is not passed on.

    https://www.rfc-editor.org/rfc/rfc9112#section-6.3. Raises Malformed.
    """
    return _framed(head.lines) or LengthBody(0)


def response_head(raw: bytes) -> ResponseHead:
    """The head of an answer; `raw` is without the empty line. Raises Malformed."""
    line, *headers = raw.split(b"\r\n")
    status = _STATUS_LINE.fullmatch(line)
    if status is None:
        raise Malformed("the status line cannot be read")
    lines = tuple(_split(headers))
    _check_lines(lines)
    head = ResponseHead(int(status[1]), int(status[2]), status[3] or b"", lines)
    if head.status == _SWITCHING:
        raise Malformed("an answer to an upgrade, which nobody asked for")
    return head


def response_body(head: ResponseHead, *, to: bytes) -> Body:
    """How an answer's body is framed; `to` is the method of the request. Raises Malformed.

    https://www.rfc-editor.org/rfc/rfc9112#section-6.3
    """
    if to == b"HEAD" or head.status in _BODILESS:
        return LengthBody(0)
    return _framed(head.lines) or EndlessBody()


def tokens(lines: Lines, name: bytes) -> frozenset[bytes]:
    """The elements of a list header, in lower case. `name` is in lower case."""
    return frozenset(
        element.strip().lower()
        for key, value in lines
        if len(key) == len(name) and key.lower() == name
        for element in value.split(b",")
    )


def _split(headers: Sequence[bytes]) -> list[tuple[bytes, bytes]]:
    lines = []
    for header in headers:
        name, colon, value = header.partition(b":")
        if not colon or name[:1] in {b" ", b"\t"}:
            raise Malformed("a header line has no name, or goes on with the line before")
        lines.append((name, value))
    return lines


def _check_lines(lines: Lines) -> None:
    for name, value in lines:
        # An empty header is not passed on, so it may be there.
        if (name and not _NAME.fullmatch(name)) or _is_torn(value):
            raise Malformed("a header cannot be passed on")


def _is_torn(text: bytes) -> bool:
    """True if some reader could see an end of line or of text in it."""
    return b"\n" in text or b"\r" in text or b"\0" in text


def _framed(lines: Lines) -> Body | None:
    """The body by its headers, None if neither says anything."""
    lengths: set[bytes] = set()
    encodings: list[bytes] = []
    for name, value in lines:
        if len(name) == len(b"content-length") and name.lower() == b"content-length":
            lengths.add(value.strip())
        elif len(name) == len(b"transfer-encoding") and name.lower() == b"transfer-encoding":
            encodings.append(value.strip().lower())
    if len(lengths) > 1 or any(not each.isdigit() or len(each) > _LENGTH_DIGITS for each in lengths):
        raise Malformed("Content-Length is not one number")
    encodings = [each for each in encodings if each != b"identity"]
    if encodings and encodings != [b"chunked"]:
        raise Malformed("Transfer-Encoding is not chunked")
    if encodings:
        return ChunkedBody()
    return LengthBody(int(lengths.pop())) if lengths else None
