"""What a Classic ELB answers by itself, as it is on the wire. The bodies are empty.

https://docs.aws.amazon.com/elasticloadbalancing/latest/classic/ts-elb-error-message.html has the statuses. The reason
phrases are as accounts see them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sim.cluster.citations import ELB_GUIDE, cites

METHOD_LENGTH: Final = 127


@dataclass(frozen=True, slots=True)
class OwnAnswer:
    """A status line, headers, and whether the connection is closed after it.

    `Date` is filled in where the headers have it empty, and comes last where they do not have it.
    """

    status: int
    reason: str
    headers: tuple[tuple[str, str], ...] = (("Content-Length", "0"), ("Connection", "keep-alive"))
    closes: bool = False
    body: bytes = b""


_CLOSING: Final = (("Content-Length", "0"), ("Connection", "close"))

BAD_REQUEST: Final = OwnAnswer(400, "BAD_REQUEST", _CLOSING, closes=True)
METHOD_NOT_ALLOWED: Final = OwnAnswer(405, "METHOD_NOT_ALLOWED")
REQUEST_TIMEOUT: Final = OwnAnswer(408, "REQUEST_TIMEOUT", _CLOSING, closes=True)
BAD_GATEWAY: Final = OwnAnswer(502, "Bad Gateway")
AT_CAPACITY: Final = OwnAnswer(503, "Service Unavailable: Back-end server is at capacity")
GATEWAY_TIMEOUT: Final = OwnAnswer(
    504,
    "GATEWAY_TIMEOUT",
    (("Cache-Control", "proxy-revalidate"), ("Content-Length", "0"), ("Connection", "Keep-Alive")),
)


@cites(ELB_GUIDE + "ts-elb-error-message.html")
def refused(method: str) -> OwnAnswer | None:
    """A method of more than 127 characters is answered with 405, CONNECT with 400; any other goes on."""
    if len(method) > METHOD_LENGTH:
        return METHOD_NOT_ALLOWED
    return BAD_REQUEST if method == "CONNECT" else None


@cites(ELB_GUIDE + "ts-elb-error-message.html")
def unanswered(*, idle: bool, readable: bool) -> OwnAnswer:
    """A target that is silent for the idle timeout, or closes the connection, makes a 504, and an answer that cannot be
    read a 502."""
    if not idle and not readable:
        return BAD_GATEWAY
    return GATEWAY_TIMEOUT
