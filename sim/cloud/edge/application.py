"""One ALB: its listeners, its target groups, and what it counts."""

from __future__ import annotations

import itertools
import ssl
from collections import Counter
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from sim.cloud.edge import application_metrics
from sim.cloud.edge.access_log import Seen
from sim.cloud.edge.addresses import Addresses
from sim.cloud.edge.application_listener import ApplicationListener
from sim.cloud.edge.application_metrics import ApplicationMinutes
from sim.cloud.edge.listeners import Listeners
from sim.cloud.edge.node import Node
from sim.cloud.edge.record import Record
from sim.cloud.edge.sockets import Sockets
from sim.cloud.edge.target_group import GroupReporter, TargetGroup
from sim.cluster.aws_clock import AwsClock
from sim.cluster.desired import DesiredApplicationBalancer, DesiredInstance


class ApplicationBalancer:
    """Carries out what is desired of it, by AWS's clock."""

    namespace = application_metrics.NAMESPACE

    def __init__(
        self,
        desired: DesiredApplicationBalancer,
        clock: AwsClock,
        addresses: Addresses,
        chance: Random,
        report: GroupReporter,
    ) -> None:
        self.desired = desired
        self.metrics = ApplicationMinutes()
        self.answered: Counter[int] = Counter()
        """How many requests got each status; 0 stands for no answer."""
        self.groups: dict[str, TargetGroup] = {}
        """By their ARNs."""
        # A Classic ELB may have the same name.
        self.listeners = Listeners(f"app/{desired.name}")
        self._clock = clock
        self._addresses = addresses
        self._chance = chance
        self._report = report
        self._turn = itertools.count()
        self._fronts: dict[str, Node] = {}
        """Where clients arrive, by zone. The targets are those of the groups' nodes."""

    async def update(
        self,
        desired: DesiredApplicationBalancer,
        instances: Mapping[str, DesiredInstance],
        sockets: Sockets,
        certificate: Callable[[], ssl.SSLContext],
    ) -> None:
        """Takes what is desired now."""
        self.desired = desired
        wanted = {each.arn: each for each in desired.groups}
        for arn in self.groups.keys() - wanted.keys():
            self.groups.pop(arn).health.close()
        for arn, group in wanted.items():
            if arn not in self.groups:
                self.groups[arn] = TargetGroup(group, self._clock, self._addresses, self._chance, self._report)
            self.groups[arn].update(group, instances)
        self._fronts = {zone: self._fronts.get(zone) or self._front(zone) for zone in desired.zones}
        listeners = [
            ApplicationListener(each, desired, self.groups, self._chance, self._next_front, self._ended)
            for each in desired.listeners
        ]
        await self.listeners.update(listeners, sockets, certificate)

    def silence(self, instance: str) -> None:
        """The machine of targets is gone."""
        for group in self.groups.values():
            group.health.silence(instance)

    def data(self, at: float) -> list[dict[str, Any]]:
        """The entries of PutMetricData for what was collected since it was asked last; `at` is in Unix seconds."""
        for group in self.groups.values():
            group.health.sample()
        groups = {arn: group.metrics for arn, group in self.groups.items()}
        return application_metrics.data(self.desired.arn, self.metrics, groups, at)

    def close(self) -> None:
        """Ends every listener and connection."""
        self.listeners.abort()
        for group in self.groups.values():
            group.health.close()

    def _front(self, zone: str) -> Node:
        return Node(zone, self._addresses, self.metrics, lambda _: None)

    def _next_front(self) -> Node:
        """DNS gives the nodes in turn."""
        found = list(self._fronts.values())
        return found[next(self._turn) % len(found)]

    def _ended(self, record: Record, zone: str, _: Callable[[], Seen]) -> None:
        self.metrics.request(zone, record)
        self.answered[record.status] += 1
        group = self.groups.get(record.group)
        if group is not None:
            group.metrics.request_of_target(zone, record)
            group.answered[record.status] += 1
