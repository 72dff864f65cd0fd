"""Which requests a Classic ELB or an ALB takes for dangerous, and what it does with them.

https://docs.aws.amazon.com/elasticloadbalancing/latest/classic/config-desync-mitigation-mode.html. The page names the
issues of each class; `classify` returns the worst class that a request has, with the issue.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import Final, Literal

from sim.cluster.citations import ELB_GUIDE, LeftOut, cites, inferred

Mode = Literal["monitor", "defensive", "strictest"]
_PAGE: Final = ELB_GUIDE + "config-desync-mitigation-mode.html"
_TOKEN: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VERSION: Final = re.compile(rb"HTTP/\d\.\d")
_KNOWN_VERSIONS: Final = frozenset({b"HTTP/0.9", b"HTTP/1.0", b"HTTP/1.1", b"HTTP/2.0"})
_CONTROL: Final = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_NOT_ASCII: Final = re.compile(rb"[\x80-\xff]")
_PLAIN: Final = b"\t" + bytes(range(0x20, 0x7F))
_TARGET: Final = re.compile(rb"[\x21-\x7e]+")
_WITHOUT_BODY: Final = frozenset({b"GET", b"HEAD"})
_LENGTH, _ENCODING, _LIKE_FRAMING = b"content-length", b"transfer-encoding", b"like framing"
_ORDINARY: Final = b"ordinary"
_NAMES: Final = 1024
"""How many names of headers are remembered: clients send the same few."""
_ENCODINGS: Final = frozenset({b"chunked", b"identity"})

LEFT_OUT: Final = (
    LeftOut(
        "`monitor` and `defensive` pass on requests that servers read differently: with a lone CR, LF or NUL, a header"
        " whose name is no token, a Content-Length that is no number, a Transfer-Encoding other than chunked",
        _PAGE,
        "what AWS sends on in their place is not public; the edge answers such a request with 400 in every mode",
    ),
)


class Class(IntEnum):
    """From harmless to dangerous."""

    COMPLIANT = 0
    ACCEPTABLE = 1
    AMBIGUOUS = 2
    SEVERE = 3


@dataclass(frozen=True, slots=True)
class RequestHead:
    """A request before its body, as it came. `lines` are its headers, names and values not stripped."""

    method: bytes
    target: bytes
    version: bytes
    lines: tuple[tuple[bytes, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """The class of a request, and the issue, in the words of AWS's page; empty for a compliant one."""

    severity: Class
    issue: str = ""


@dataclass(frozen=True, slots=True)
class Treatment:
    """Whether a request goes on, or is answered with 400, and whether its connections are closed afterwards."""

    routed: bool
    closes: bool


_COMPLIANT: Final = Finding(Class.COMPLIANT)
_ROUTED: Final = Treatment(routed=True, closes=False)


@cites(_PAGE)
def classify(head: RequestHead) -> Finding:
    """A request is severe, ambiguous, acceptable or compliant, by the worst of the issues that it has."""
    if _is_ordinary(head):
        return _COMPLIANT
    return max(_issues(head), key=lambda finding: finding.severity, default=_COMPLIANT)


@cites(_PAGE)
def treat(mode: Mode, severity: Class) -> Treatment:
    """`monitor` routes everything; `defensive` blocks what is severe, and closes the connections of what is ambiguous;
    `strictest` blocks all that is not compliant."""
    if mode == "monitor" or severity is Class.COMPLIANT:
        return _ROUTED
    if mode == "strictest" or severity is Class.SEVERE:
        return Treatment(routed=False, closes=True)
    return Treatment(routed=True, closes=severity is Class.AMBIGUOUS)


def _issues(head: RequestHead) -> Iterator[Finding]:
    yield from _of_request_line(head)
    lengths: list[bytes] = []
    encodings: list[bytes] = []
    for name, value in head.lines:
        yield from _of_header(name, value)
        kind = _kind(name)
        if kind == _LENGTH:
            lengths.append(value.strip())
        elif kind == _ENCODING:
            encodings.append(value.strip().lower())
        elif kind == _LIKE_FRAMING:
            yield Finding(Class.AMBIGUOUS, "a header can be normalized to Transfer-Encoding or Content-Length")
    yield from _of_lengths(lengths)
    yield from _of_encodings(encodings)
    if lengths and encodings:
        yield Finding(Class.AMBIGUOUS, "both a Transfer-Encoding header and a Content-Length header")
    if head.method in _WITHOUT_BODY:
        yield from _of_body_of_a_get(lengths, encodings)


def _is_ordinary(head: RequestHead) -> bool:
    """True for most requests without an issue, after one quick look at each header. False says nothing."""
    lengths = 0
    for name, value in head.lines:
        kind = _kind(name)
        if kind == _LENGTH and value.strip().isdigit():
            lengths += 1
        elif kind != _ORDINARY:
            return False
    if b"".join([value for _, value in head.lines]).translate(None, _PLAIN):
        return False
    if lengths > 1 or (lengths and head.method in _WITHOUT_BODY):
        return False
    return _kind(head.method) == _ORDINARY and head.version in _KNOWN_VERSIONS and bool(_TARGET.fullmatch(head.target))


@lru_cache(_NAMES)
def _kind(name: bytes) -> bytes:
    """Which header of the framing it is, or looks like; _ORDINARY for another name that is a token."""
    stripped = name.lower().strip()
    if stripped in {_LENGTH, _ENCODING}:
        return stripped
    if looks_like_framing(name):
        return _LIKE_FRAMING
    return _ORDINARY if _TOKEN.fullmatch(name) else b""


def _of_request_line(head: RequestHead) -> Iterator[Finding]:
    if not _TOKEN.fullmatch(head.method):
        yield Finding(Class.SEVERE, "the request method is malformed")
    if not _VERSION.fullmatch(head.version):
        yield Finding(Class.SEVERE, "the request version is malformed")
    elif head.version not in _KNOWN_VERSIONS:
        yield Finding(Class.ACCEPTABLE, "the request version contains a bad value")
    if b"\0" in head.target or b"\r" in head.target:
        yield Finding(Class.SEVERE, "the request URI contains a null character or carriage return")
    elif _CONTROL.search(head.target) or b"\t" in head.target:
        yield Finding(Class.AMBIGUOUS, "the request URI contains control characters")
    if b" " in head.target:
        yield Finding(Class.ACCEPTABLE, "the request URI contains a space that is not URL encoded")


def _of_header(name: bytes, value: bytes) -> Iterator[Finding]:
    line = name + value
    if b"\0" in line or b"\r" in line:
        yield Finding(Class.SEVERE, "a header contains a null character or carriage return")
    elif _CONTROL.search(line) or _NOT_ASCII.search(line):
        yield Finding(Class.ACCEPTABLE, "a header contains a non-ASCII or control character")
    if not name.strip():
        yield Finding(Class.AMBIGUOUS, "a header is empty or there is a line with only spaces")


def _of_lengths(lengths: list[bytes]) -> Iterator[Finding]:
    if any(not length.isdigit() for length in lengths):
        yield Finding(Class.SEVERE, "the Content-Length header contains a value that is not a valid number")
    elif len(set(lengths)) > 1:
        yield Finding(Class.SEVERE, "multiple Content-Length headers with different values")
    elif len(lengths) > 1:
        yield Finding(Class.AMBIGUOUS, "multiple Content-Length headers with the same value")


def _of_encodings(encodings: list[bytes]) -> Iterator[Finding]:
    if any(encoding not in _ENCODINGS for encoding in encodings):
        yield Finding(Class.SEVERE, "the Transfer-Encoding header contains a bad value")
    if encodings.count(b"chunked") > 1:
        yield Finding(Class.SEVERE, "multiple Transfer-Encoding: chunked headers")


@inferred("the page says that such a header is *not* defined, which every GET would be; its library says the opposite")
def _of_body_of_a_get(lengths: list[bytes], encodings: list[bytes]) -> Iterator[Finding]:
    """A GET or HEAD with a Content-Length or Transfer-Encoding is ambiguous, with a Content-Length of 0 acceptable."""
    if any(length != b"0" for length in lengths) or encodings:
        yield Finding(Class.AMBIGUOUS, "a Content-Length or Transfer-Encoding header in a GET or HEAD request")
    elif lengths:
        yield Finding(Class.ACCEPTABLE, "a Content-Length header with a value of 0 for a GET or HEAD request")


@inferred("the page names common text normalization and no list; these are what servers are known to do")
def looks_like_framing(name: bytes) -> bool:
    """A header is ambiguous whose letters alone are those of Transfer-Encoding or Content-Length."""
    plain = re.sub(rb"[^a-z]", b"", name.lower())
    return plain in {b"contentlength", b"transferencoding"}
