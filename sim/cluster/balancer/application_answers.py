"""What an ALB answers by itself, as it is on the wire: with its name, and with a page for each error.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-troubleshooting.html has the statuses.
The reason phrases and the pages are as accounts see them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sim.cluster.balancer.answers import OwnAnswer
from sim.cluster.balancer.listener_rules import Arrived, FixedResponse, Redirect, location
from sim.cluster.citations import ALB_GUIDE, ELBV2_API, LeftOut, cites, inferred

_PAGE: Final = ALB_GUIDE + "load-balancer-troubleshooting.html"
_QUOTAS: Final = ALB_GUIDE + "load-balancer-limits.html"
SERVER: Final = "awselb/2.0"
LINE_BYTES: Final = 16_384
"""The longest request line, and the longest line of a header."""
FORWARDERS: Final = 30
CONNECT_SECONDS: Final = 10.0
"""Until a connection to a target that does not answer is given up."""
CLIENT_LEFT: Final = 460
"""What the access log and the metrics say of a client that did not wait for its answer."""
_REASONS: Final[Mapping[int, str]] = {
    200: "OK",
    201: "Created",
    202: "Accepted",
    203: "Non-Authoritative Information",
    204: "No Content",
    206: "Partial Content",
    301: "Moved Permanently",
    302: "Found",
    400: "Bad Request",
    401: "Unauthorized",
    402: "Payment Required",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    408: "Request Timeout",
    409: "Conflict",
    410: "Gone",
    411: "Length Required",
    412: "Precondition Failed",
    413: "Request Entity Too Large",
    414: "Request-URI Too Large",
    415: "Unsupported Media Type",
    416: "Requested Range Not Satisfiable",
    421: "Misdirected Request",
    429: "Too Many Requests",
    500: "Internal Server Error",
    501: "Not Implemented",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
    505: "HTTP Version Not Supported",
    507: "Insufficient Storage",
}
"""Of the answers that actions ask for. Another status has none: https://www.rfc-editor.org/rfc/rfc9112#section-4"""
LEFT_OUT: Final = (
    LeftOut("the statuses 401, 403, 500 and 561", _PAGE, "they are of authentication and of AWS WAF"),
    LeftOut("the status 413", _PAGE, "it is of targets that are Lambda functions"),
    LeftOut(
        "HTTP/2 and gRPC to clients and to targets, and WebSockets",
        ALB_GUIDE + "load-balancer-listeners.html",
        "the edge speaks HTTP/1.1; a target group of another version is refused by name",
    ),
)


def _answer(
    status: int, reason: str, kind: str, body: bytes, more: tuple[tuple[str, str], ...] = (), *, closes: bool = False
) -> OwnAnswer:
    headers = (
        ("Server", SERVER),
        ("Date", ""),
        *((("Content-Type", kind),) if kind else ()),
        ("Content-Length", str(len(body))),
        ("Connection", "close" if closes else "keep-alive"),
        *more,
    )
    return OwnAnswer(status, reason, headers, closes, body)


def _page(status: int, reason: str, *more: tuple[str, str], closes: bool = False) -> OwnAnswer:
    title = f"{status} {reason}"
    lines = (
        "<html>",
        f"<head><title>{title}</title></head>",
        "<body>",
        f"<center><h1>{title}</h1></center>",
        "</body>",
        "</html>",
    )
    return _answer(status, reason, "text/html", "".join(f"{each}\r\n" for each in lines).encode(), more, closes=closes)


BAD_REQUEST: Final = _page(400, "Bad Request", closes=True)
METHOD_NOT_ALLOWED: Final = _page(405, "Not Allowed")
REQUEST_TIMEOUT: Final = _page(408, "Request Time-out", closes=True)
URI_TOO_LONG: Final = _page(414, "Request-URI Too Large", closes=True)
TOO_MANY_FORWARDERS: Final = _answer(463, "", "", b"")
BAD_GATEWAY: Final = _page(502, "Bad Gateway")
UNAVAILABLE: Final = _page(503, "Service Temporarily Unavailable")
GATEWAY_TIMEOUT: Final = _page(504, "Gateway Time-out")


@cites(_PAGE)
def refused(method: str) -> OwnAnswer | None:
    """The method TRACE is answered with 405."""
    if method == "TRACE":
        return METHOD_NOT_ALLOWED
    return _of_a_tunnel() if method == "CONNECT" else None


@inferred("an ALB is no forward proxy, and no page names CONNECT; a Classic ELB answers it with 400")
def _of_a_tunnel() -> OwnAnswer:
    """The method CONNECT is answered with 400."""
    return BAD_REQUEST


@cites(_QUOTAS)
def too_large(target_bytes: int, longest_line: int) -> OwnAnswer | None:
    """A URL of more than 16 K is answered with 414, and a request with a longer line of a header with 400."""
    if target_bytes > LINE_BYTES:
        return URI_TOO_LONG
    return BAD_REQUEST if longest_line > LINE_BYTES else None


@cites(_PAGE)
def forwarded_too_often(addresses: int) -> OwnAnswer | None:
    """A request whose X-Forwarded-For has more than 30 addresses is answered with 463."""
    return TOO_MANY_FORWARDERS if addresses > FORWARDERS else None


@cites(_PAGE)
def unanswered(*, idle: bool, readable: bool) -> OwnAnswer:  # noqa: ARG001 - `readable` makes a difference for Classic ELB
    """A target that is silent for the idle timeout makes a 504; one that closes the connection, or whose answer cannot
    be read, a 502."""
    return GATEWAY_TIMEOUT if idle else BAD_GATEWAY


@cites(_PAGE)
def unconnected(*, timed_out: bool) -> OwnAnswer:
    """A target that refuses the connection makes a 502, and one that cannot be reached within 10 seconds a 504."""
    return GATEWAY_TIMEOUT if timed_out else BAD_GATEWAY


@cites(_PAGE)
def nowhere() -> OwnAnswer:
    """Without a registered target in the target group a request is answered with 503."""
    return UNAVAILABLE


@cites(ELBV2_API + "FixedResponseActionConfig.html")
def fixed(action: FixedResponse) -> OwnAnswer:
    """A fixed response has the status, the content type and the body of its action."""
    kind = f"{action.content_type}; charset=utf-8"
    return _answer(action.status, _REASONS.get(action.status, ""), kind, action.body.encode())


@cites(ELBV2_API + "RedirectActionConfig.html")
def redirected(action: Redirect, request: Arrived) -> OwnAnswer:
    """A redirect has the status 301 or 302, and where to in Location."""
    status = int(action.status.removeprefix("HTTP_"))
    return _page(status, _REASONS[status], ("Location", location(action, request)))
