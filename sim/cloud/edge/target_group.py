"""One target group of an ALB: the checks of its targets, its nodes, and what is counted of its requests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

from sim.cloud.edge.addresses import Addresses
from sim.cloud.edge.application_metrics import ApplicationMinutes
from sim.cloud.edge.health import Health
from sim.cloud.edge.node import Node
from sim.cluster.aws_clock import AwsClock
from sim.cluster.balancer import target_group
from sim.cluster.balancer.application_answers import CONNECT_SECONDS
from sim.cluster.balancer.checks import CheckResult
from sim.cluster.balancer.nodes import Balancer
from sim.cluster.balancer.target_group import GroupSettings
from sim.cluster.desired import DesiredInstance, DesiredTarget, DesiredTargetGroup
from sim.cluster.target_health import TargetHealth

GroupReporter = Callable[[DesiredTargetGroup, DesiredTarget | str, TargetHealth | None], None]
"""Takes the health of a target; None, with the target's id, if it has drained."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """See `health.Kind`."""

    settings: GroupSettings

    def routable(self, state: Balancer, node: str) -> tuple[str, ...]:
        return target_group.routable(self.settings, state, node)

    def health(self, state: Balancer, target: str) -> TargetHealth:
        return target_group.health(state, target)

    def result(self, status: int | None, *, connected: bool, timed_out: bool) -> CheckResult:
        return target_group.result(self.settings.matcher, status if connected else None, timed_out=timed_out)


class TargetGroup:
    """Carries out what is desired of it, by AWS's clock."""

    def __init__(
        self,
        desired: DesiredTargetGroup,
        clock: AwsClock,
        addresses: Addresses,
        chance: Random,
        report: GroupReporter,
    ) -> None:
        self.desired = desired
        self.metrics = ApplicationMinutes()
        self.answered: Counter[int] = Counter()
        """How many of its requests got each status; 0 stands for no answer."""
        self._chance = chance
        self._report_health = report
        self.health = Health(
            _Kind(desired.settings),
            desired.settings.policy,
            desired.check,
            clock,
            addresses,
            self.metrics,
            chance,
            self._report,
            CONNECT_SECONDS,
        )

    def update(self, desired: DesiredTargetGroup, instances: Mapping[str, DesiredInstance]) -> None:
        """Takes what is desired now."""
        self.desired = desired
        self.health.kind = _Kind(desired.settings)
        self.health.update(desired.settings.policy, desired.check, desired.targets, instances)

    def node_in(self, zone: str) -> Node | None:
        """The node of the group in a zone, None in a zone that the load balancer has left."""
        return next((node for node in self.health.nodes.values() if node.zone == zone), None)

    def choose(self, node: Node, now: float) -> str:
        """The target of the next request, of those that the node may route to; `now` is the event loop's time."""
        settings = self.desired.settings
        shares = {}
        if settings.slow_start:
            id_ = next(key for key, each in self.health.nodes.items() if each is node)
            shares = target_group.slow_shares(settings, self.health.state, id_, now)
        return target_group.choose(settings, node.targets, node.outstanding, node.turn, shares, self._chance)

    def _report(self, target: str, health: TargetHealth | None) -> None:
        known = next((each for each in self.desired.targets if each.id == target), target)
        self._report_health(self.desired, known, health)
