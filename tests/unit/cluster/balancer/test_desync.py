"""Which requests are dangerous, and what each mode does with them."""

from __future__ import annotations

import pytest

from sim.cluster.balancer import desync
from sim.cluster.balancer.desync import Class, Mode, RequestHead, Treatment, classify, treat
from tests.unit.cluster.proves import proves

LENGTH, ENCODING = (b"Content-Length", b"5"), (b"Transfer-Encoding", b"chunked")
ACCEPTABLE, AMBIGUOUS, SEVERE = Class.ACCEPTABLE, Class.AMBIGUOUS, Class.SEVERE


def head(
    *lines: tuple[bytes, bytes], method: bytes = b"POST", target: bytes = b"/", version: bytes = b"HTTP/1.1"
) -> RequestHead:
    return RequestHead(method, target, version, ((b"Host", b"example.com"), *lines))


@proves(desync.classify)
@pytest.mark.parametrize(
    "request_head",
    [head(LENGTH), head(ENCODING), head(method=b"GET"), head((b"X-Empty", b"")), head(version=b"HTTP/1.0")],
)
def test_an_ordinary_request_is_compliant(request_head: RequestHead) -> None:
    assert classify(request_head) == desync.Finding(Class.COMPLIANT)


@proves(desync.classify, desync._of_body_of_a_get, desync.looks_like_framing)
@pytest.mark.parametrize(
    ("request_head", "severity"),
    [
        (head((b"X-Name", "é".encode())), ACCEPTABLE),
        (head((b"X-Name", b"a\x01b")), ACCEPTABLE),
        (head(version=b"HTTP/1.7"), ACCEPTABLE),
        (head((b"Content-Length", b"0"), method=b"GET"), ACCEPTABLE),
        (head(target=b"/a b"), ACCEPTABLE),
        (head(target=b"/a\x01b"), AMBIGUOUS),
        (head(LENGTH, ENCODING), AMBIGUOUS),
        (head(LENGTH, LENGTH), AMBIGUOUS),
        (head((b"", b"x")), AMBIGUOUS),
        (head((b"Content_Length", b"5")), AMBIGUOUS),
        (head((b"Transfer Encoding", b"chunked")), AMBIGUOUS),
        (head(LENGTH, method=b"GET"), AMBIGUOUS),
        (head(ENCODING, method=b"HEAD"), AMBIGUOUS),
        (head(target=b"/a\0b"), SEVERE),
        (head(target=b"/a\rb"), SEVERE),
        (head((b"Content-Length", b"5x")), SEVERE),
        (head((b"Content-Length", b"-5")), SEVERE),
        (head((b"X-Name", b"a\rb")), SEVERE),
        (head((b"Transfer-Encoding", b"xchunked")), SEVERE),
        (head(method=b"GE T"), SEVERE),
        (head(version=b"HTTP/one"), SEVERE),
        (head(LENGTH, (b"content-length", b"6")), SEVERE),
        (head(ENCODING, ENCODING), SEVERE),
        (head(LENGTH, ENCODING, target=b"/a\0"), SEVERE),
    ],
)
def test_the_issues_of_each_class(request_head: RequestHead, severity: Class) -> None:
    assert classify(request_head).severity is severity


@proves(desync.treat)
@pytest.mark.parametrize(
    ("mode", "routed", "closed"),
    [("monitor", "CAMS", ""), ("defensive", "CAM", "MS"), ("strictest", "C", "AMS")],
)
def test_what_each_mode_does(mode: Mode, routed: str, closed: str) -> None:
    for letter, severity in zip("CAMS", Class, strict=True):
        assert treat(mode, severity) == Treatment(routed=letter in routed, closes=letter in closed)
