"""One health check of an instance, over HTTP, HTTPS, TCP or SSL.

https://docs.aws.amazon.com/elasticloadbalancing/latest/classic/elb-healthchecks.html
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from sim.cloud.edge.addresses import Addresses
from sim.cloud.edge.messages import EndlessBody, Malformed, end_of_head, response, response_body
from sim.cluster.balancer import classic
from sim.cluster.balancer.checks import CheckResult
from sim.cluster.desired import CheckTarget
from sim.cluster.target_health import RegisteredTarget

_TLS = frozenset({"HTTPS", "SSL"})
_READ_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Checked:
    """A check's result, whether the instance could be connected to, and how many seconds it took."""

    result: CheckResult
    connected: bool
    seconds: float


async def check(addresses: Addresses, instance: RegisteredTarget, asked: CheckTarget, timeout: float) -> Checked:
    """Checks the instance. One that does not answer within `timeout` seconds has failed."""
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    began = time.monotonic()
    status: int | None = None
    connected = timed_out = False
    transport: asyncio.Transport | None = None
    try:
        async with asyncio.timeout(timeout):
            transport = await addresses.connect(instance.id, asked.port, lambda: protocol, tls=asked.protocol in _TLS)
            connected = True
            if asked.path:
                transport.write(_request(instance.host, asked))
                status = await _status(reader)
    except TimeoutError:
        timed_out = True
    except (OSError, Malformed):
        connected = connected and transport is not None
    finally:
        if transport is not None:
            transport.abort()
    answered = connected and (status is not None or not asked.path)
    result = classic.result(status, connected=answered, timed_out=timed_out)
    return Checked(result, connected, time.monotonic() - began)


def _request(host: str, asked: CheckTarget) -> bytes:
    return (
        f"GET {asked.path} HTTP/1.1\r\nHost: {host}:{asked.port}\r\n"
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
