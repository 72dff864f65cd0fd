"""One health check of a target, over HTTP, HTTPS, TCP or SSL.

https://docs.aws.amazon.com/elasticloadbalancing/latest/classic/elb-healthchecks.html
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Protocol

from sim.cloud.edge.addresses import Addresses
from sim.cloud.edge.messages import EndlessBody, Malformed, end_of_head, response, response_body
from sim.cluster.balancer.checks import CheckResult
from sim.cluster.desired import CheckTarget
from sim.cluster.target_health import RegisteredTarget, instance_of

_TLS = frozenset({"HTTPS", "SSL"})
_READ_BYTES = 65_536


class Judge(Protocol):
    """Says what a check comes to, by the rules of one kind of load balancer."""

    def result(self, status: int | None, *, connected: bool, timed_out: bool) -> CheckResult:
        """`status` is None without an answer, and for a check over TCP."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A check's result, whether the target could be connected to, and how many seconds it took."""

    result: CheckResult
    connected: bool
    seconds: float


async def check(
    addresses: Addresses, target: RegisteredTarget, asked: CheckTarget, timeout: float, judge: Judge
) -> Checked:
    """Checks the target. One that does not answer within `timeout` seconds has failed."""
    port = asked.port or target.port
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    began = time.monotonic()
    status: int | None = None
    connected = timed_out = False
    transport: asyncio.Transport | None = None
    try:
        async with asyncio.timeout(timeout):
            transport = await addresses.connect(
                instance_of(target.id), port, lambda: protocol, tls=asked.protocol in _TLS
            )
            connected = True
            if asked.path:
                transport.write(_request(target.host, port, asked.path))
                status = await _status(reader)
    except TimeoutError:
        timed_out = True
    except (OSError, Malformed):
        connected = connected and transport is not None
    finally:
        if transport is not None:
            transport.abort()
    answered = connected and (status is not None or not asked.path)
    result = judge.result(status, connected=answered, timed_out=timed_out)
    return Checked(result, connected, time.monotonic() - began)


def _request(host: str, port: int, path: str) -> bytes:
    return (
        f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\n"
        "User-Agent: ELB-HealthChecker/1.0\r\nAccept: */*\r\nConnection: keep-alive\r\n\r\n"
    ).encode()


async def _status(reader: asyncio.StreamReader) -> int | None:
    """The status of a whole answer, None without one: its end must be clear from its head. Raises Malformed."""
    received = b""
    while (end := end_of_head(received)) is None:
        more = await reader.read(_READ_BYTES)
        if not more:
            return None
        received += more
    head = response(received[: end[0]])
    body = response_body(head, to=b"GET")
    if isinstance(body, EndlessBody):
        return None
    rest = received[end[1] :]
    while True:
        body.feed(rest)
        if body.done:
            return head.status
        rest = await reader.read(_READ_BYTES)
        if not rest:
            return None
