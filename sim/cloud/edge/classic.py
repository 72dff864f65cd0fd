"""One Classic ELB: its listeners, its nodes, and what it writes down."""

from __future__ import annotations

import itertools
import ssl
from collections import Counter
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from sim.cloud.edge import metrics
from sim.cloud.edge.access_log import Seen
from sim.cloud.edge.addresses import Addresses
from sim.cloud.edge.health import Health
from sim.cloud.edge.listener import Listener
from sim.cloud.edge.listeners import Listeners
from sim.cloud.edge.metrics import Minutes
from sim.cloud.edge.node import Node
from sim.cloud.edge.record import Record
from sim.cloud.edge.sockets import Sockets
from sim.cluster.aws_clock import AwsClock
from sim.cluster.balancer import classic
from sim.cluster.desired import DesiredBalancer, DesiredInstance
from sim.cluster.target_health import TargetHealth

Reporter = Callable[[DesiredBalancer, str, TargetHealth | None], None]
"""Takes the health of an instance; None if it has drained."""


class ClassicBalancer:
    """Carries out what is desired of it, by AWS's clock. `log` takes what is over, if an access log is kept."""

    namespace = metrics.NAMESPACE

    def __init__(
        self,
        desired: DesiredBalancer,
        clock: AwsClock,
        addresses: Addresses,
        chance: Random,
        report: Reporter,
        log: Callable[[DesiredBalancer, Seen], None],
    ) -> None:
        self.desired = desired
        self.metrics = Minutes()
        self.answered: Counter[int] = Counter()
        """How many requests got each status; 0 stands for no answer, and for connections over TCP."""
        self.listeners = Listeners(desired.name)
        policy = desired.settings.policy
        self.health = Health(classic, policy, desired.check, clock, addresses, self.metrics, chance, self._report)
        self._report_health = report
        self._log = log
        self._turn = itertools.count()

    async def update(
        self,
        desired: DesiredBalancer,
        instances: Mapping[str, DesiredInstance],
        sockets: Sockets,
        certificate: Callable[[], ssl.SSLContext],
    ) -> None:
        """Takes what is desired now."""
        self.desired = desired
        self.health.update(desired.settings.policy, desired.check, desired.targets, instances)
        wanted = [Listener(each, desired.settings, self._next_node, self._ended) for each in desired.listeners]
        await self.listeners.update(wanted, sockets, certificate)

    def data(self, at: float) -> list[dict[str, Any]]:
        """The entries of PutMetricData for what was collected since it was asked last; `at` is in Unix seconds."""
        self.health.sample()
        return metrics.data({"LoadBalancerName": self.desired.name}, self.metrics.take(), at)

    def close(self) -> None:
        """Ends every listener and connection."""
        self.listeners.abort()
        self.health.close()

    def _next_node(self) -> Node:
        """DNS gives the nodes in turn."""
        found = list(self.health.nodes.values())
        return found[next(self._turn) % len(found)]

    def _ended(self, record: Record, zone: str, seen: Callable[[], Seen]) -> None:
        self.metrics.request(zone, record)
        self.answered[record.status] += 1
        if self.desired.access_log is not None:
            self._log(self.desired, seen())

    def _report(self, target: str, health: TargetHealth | None) -> None:
        self._report_health(self.desired, target, health)
