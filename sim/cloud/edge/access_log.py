"""The access log of a Classic ELB: its lines, and the keys that they are stored under. Pure.

https://docs.aws.amazon.com/elasticloadbalancing/latest/classic/access-log-collection.html
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from sim.cloud.edge.record import NOTHING, Record
from sim.cluster.balancer.desync import RequestHead
from sim.cluster.desired import AccessLog, DesiredListener, Place

_HTTP: Final = frozenset({"HTTP", "HTTPS"})
_NONE: Final = "-"


@dataclass(frozen=True, slots=True)
class Seen:
    """A request or connection that is over. `client` is HOST:PORT; `head` is None for one over TCP, or unreadable."""

    record: Record
    client: str
    listener: DesiredListener
    head: RequestHead | None
    cipher: tuple[str, str, int] | None
    """Of its TLS: cipher, protocol and bits."""

    @property
    def is_http(self) -> bool:
        """True for a request, False for a connection."""
        return self.listener.protocol in _HTTP


def line(seen: Seen, name: str) -> str:
    """The line about it, without its end; `name` is that of the load balancer."""
    record = seen.record
    cipher, protocol, _ = seen.cipher or (_NONE, _NONE, 0)
    return " ".join(
        [
            _time(record.began),
            name,
            seen.client,
            record.target,
            *(_seconds(each) for each in _durations(seen)),
            *((_status(record.status), _status(record.target_status)) if seen.is_http else (_NONE, _NONE)),
            str(record.received),
            str(record.sent),
            f'"{_request(seen)}"',
            f'"{_agent(seen)}"',
            cipher,
            protocol,
        ]
    )


def key(log: AccessLog, place: Place, name: str, ended: datetime, address: str, random: str) -> str:
    """Where in the bucket the lines are stored that a node at `address` wrote until `ended`."""
    prefix = f"{log.prefix.strip('/')}/" if log.prefix else ""
    file = f"{place.account}_elasticloadbalancing_{place.region}_{name}_{ended:%Y%m%dT%H%MZ}_{address}_{random}.log"
    return f"{prefix}AWSLogs/{place.account}/elasticloadbalancing/{place.region}/{ended:%Y/%m/%d}/{file}"


def _durations(seen: Seen) -> tuple[float, float, float]:
    """Until the request was sent to the instance, from then to its answer, and from then to the end."""
    record = seen.record
    if not seen.is_http and record.request_seconds != NOTHING:
        return record.request_seconds, 0.0, 0.0
    rest = max(record.ended - record.answered_at, 0.0) if record.target_seconds != NOTHING else NOTHING
    return record.request_seconds, record.target_seconds, rest


def _time(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%S.%fZ}"


def _seconds(seconds: float) -> str:
    return "-1" if seconds == NOTHING else f"{seconds:.6f}"


def _status(status: int) -> str:
    return str(status) if status else "0"


def _request(seen: Seen) -> str:
    """`METHOD PROTOCOL://HOST:PORT/PATH VERSION`; `- - - ` where there is no request."""
    if seen.head is None:
        return "- - - "
    head, port = seen.head, seen.listener.port
    host = _header(seen.head, b"host").rpartition(":")[0] or _header(seen.head, b"host") or _NONE
    target = _text(head.target)
    url = target if "://" in target else f"{seen.listener.protocol.lower()}://{host}:{port}{target}"
    return f"{_text(head.method)} {url} {_text(head.version)}"


def _agent(seen: Seen) -> str:
    return (seen.head and _header(seen.head, b"user-agent")) or _NONE


def _header(head: RequestHead, wanted: bytes) -> str:
    return next((_text(value.strip()) for name, value in head.lines if name.lower() == wanted), "")


def _text(raw: bytes) -> str:
    """For a field in quotes: what would end it is escaped."""
    return raw.decode("latin-1").encode("unicode_escape").decode("ascii").replace('"', "\\x22")
