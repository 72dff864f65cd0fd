"""Takes access logs to S3 and metrics to CloudWatch, by the local cloud's endpoint.

Calls are boto3's, so they run in threads of their own: a local cloud that is slow slows no request. What cannot be
delivered is tried again with the next delivery, up to a limit; then it is dropped, and the log says how much.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from sim.cloud.edge import access_log
from sim.cloud.edge.access_log import Seen
from sim.cloud.edge.server import Edge, Name
from sim.cluster.desired import AccessLog, DesiredBalancer, Place

_LOG: Final = logging.getLogger("edge")
_LOOK_SECONDS: Final = 5.0
"""How often it looks whether a log is due."""
_LINES: Final = 100_000
"""How many lines wait at most for one load balancer: some 30 MB."""
_ENTRIES: Final = 1000
"""https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html"""

Clients = Callable[[str, Place], Any]
"""Makes a boto3 client of a service, for an account and region."""


@dataclass
class _Waiting:
    """Lines of one load balancer's log."""

    desired: DesiredBalancer
    due: float
    """When they are delivered, in Unix seconds."""
    lines: list[str] = field(default_factory=list)
    dropped: int = 0


class Delivery:
    """Collects lines, and delivers what is due. `address` is what stands for a node's in the keys of logs."""

    def __init__(self, clients: Clients, name: Callable[[], str], address: str) -> None:
        self._clients = clients
        self._name = name
        self._address = address
        self._waiting: dict[Name, _Waiting] = {}
        self._undelivered: defaultdict[tuple[Place, str], list[dict[str, Any]]] = defaultdict(list)

    def log(self, desired: DesiredBalancer, seen: Seen) -> None:
        """One line more for the access log of a load balancer that keeps one."""
        waiting = self._waiting.get((desired.place, desired.name))
        if waiting is None:
            waiting = _Waiting(desired, _due(desired.access_log, time.time()))
            self._waiting[desired.place, desired.name] = waiting
        waiting.desired = desired
        if len(waiting.lines) < _LINES:
            waiting.lines.append(access_log.line(seen, desired.name))
        else:
            waiting.dropped += 1

    async def run(self, edge: Edge) -> None:
        """Delivers what is due, until it is cancelled: metrics every minute of AWS."""
        await asyncio.gather(self._metrics_by_the_minute(edge), self._logs_that_are_due())

    async def _metrics_by_the_minute(self, edge: Edge) -> None:
        await edge.known()
        while True:
            await asyncio.sleep(edge.clock.until_next_minute(time.time()))
            await self.deliver_metrics(edge)

    async def _logs_that_are_due(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            now = time.time()
            await self._deliver_logs([name for name, waiting in self._waiting.items() if waiting.due <= now])

    async def finish(self, edge: Edge) -> None:
        """Delivers everything: the edge ends."""
        await self.deliver_metrics(edge)
        await self._deliver_logs(list(self._waiting))

    async def deliver_metrics(self, edge: Edge) -> None:
        """Delivers what every load balancer has collected, as one statistic set for each metric and zone."""
        now = edge.clock.at(time.time())
        for balancer in edge.all():
            self._undelivered[balancer.desired.place, balancer.namespace] += balancer.data(now)
        for (place, namespace), entries in self._undelivered.items():
            if entries and await self._try("metrics", partial(self._put_metrics, place, namespace, entries)):
                entries.clear()
            del entries[:-_ENTRIES]

    async def _deliver_logs(self, names: Sequence[Name]) -> None:
        for name in names:
            waiting = self._waiting.pop(name)
            if not await self._try("an access log", partial(self._put_log, waiting)):
                self._put_back(name, waiting)

    def _put_back(self, name: Name, waiting: _Waiting) -> None:
        """What was not delivered waits for the next time, before what has come since."""
        since = self._waiting.get(name, _Waiting(waiting.desired, _due(waiting.desired.access_log, time.time())))
        lines = waiting.lines + since.lines
        since.dropped += waiting.dropped + max(len(lines) - _LINES, 0)
        since.lines = lines[:_LINES]
        self._waiting[name] = since

    async def _try(self, what: str, call: Callable[[], None]) -> bool:
        """True if the local cloud took it."""
        try:
            await asyncio.to_thread(call)
        except (BotoCoreError, ClientError) as error:
            _LOG.warning("the local cloud does not take %s: %s", what, error)
            return False
        return True

    def _put_metrics(self, place: Place, namespace: str, entries: Sequence[dict[str, Any]]) -> None:
        self._clients("cloudwatch", place).put_metric_data(Namespace=namespace, MetricData=list(entries))

    def _put_log(self, waiting: _Waiting) -> None:
        log, desired = waiting.desired.access_log, waiting.desired
        if log is None:
            return
        if waiting.dropped:
            _LOG.warning("the access log of %s lacks %d lines, which had no room", desired.name, waiting.dropped)
        ended = datetime.now(UTC)
        key = access_log.key(log, desired.place, desired.name, ended, self._address, self._name())
        body = "".join(f"{line}\n" for line in waiting.lines)
        self._clients("s3", desired.place).put_object(Bucket=log.bucket, Key=key, Body=body.encode())


def _due(log: AccessLog | None, now: float) -> float:
    """The end of the present interval."""
    seconds = 60.0 * (log.minutes if log is not None else 60)
    return (now // seconds + 1) * seconds
