"""The health machine of one load balancer (`sim.cluster.balancer.nodes`), with its clock, its checks and its nodes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from random import Random
from typing import Protocol

from sim.cloud.edge.addresses import Addresses
from sim.cloud.edge.checker import Judge, check
from sim.cloud.edge.metrics import Minutes
from sim.cloud.edge.node import Node
from sim.cluster.aws_clock import AwsClock
from sim.cluster.balancer import nodes
from sim.cluster.balancer.checks import Phase
from sim.cluster.balancer.nodes import Action, Balancer, Check, Cut, Deregistered, Drain, Policy
from sim.cluster.balancer.routing import CONNECT_SECONDS
from sim.cluster.desired import CheckTarget, DesiredInstance, DesiredTarget
from sim.cluster.target_health import RegisteredTarget, TargetHealth


class Kind(Judge, Protocol):
    """What makes a Classic ELB different from a target group."""

    def routable(self, state: Balancer, node: str) -> tuple[str, ...]:
        """The targets that a node may route to."""

    def health(self, state: Balancer, target: str) -> TargetHealth:
        """What its API says of a target."""


class Health:
    """Keeps the nodes up to date about what they may route to.

    `report` is called with a target and its health whenever that has changed, and with None once it has drained.
    """

    def __init__(
        self,
        kind: Kind,
        policy: Policy,
        asked: CheckTarget,
        clock: AwsClock,
        addresses: Addresses,
        metrics: Minutes,
        chance: Random,
        report: Callable[[str, TargetHealth | None], None],
        connect_seconds: float = CONNECT_SECONDS,
    ) -> None:
        self.kind = kind
        self.asked = asked
        self.nodes: dict[str, Node] = {}
        self._clock = clock
        self._state = nodes.start(self._at_pace(policy))
        self._addresses = addresses
        self._metrics = metrics
        self._chance = chance
        self._connect_seconds = connect_seconds
        self._report = report
        self._targets: dict[str, RegisteredTarget] = {}
        self._registrations: Mapping[str, int] = {}
        self._reported: dict[str, TargetHealth] = {}
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._checks: set[asyncio.Task[None]] = set()

    def update(
        self,
        policy: Policy,
        asked: CheckTarget,
        desired: Iterable[DesiredTarget],
        instances: Mapping[str, DesiredInstance],
    ) -> None:
        """Takes what is desired: these settings, and these targets registered. `instances` are those that run.

        A target whose instance is not running any more keeps its registration. One whose registration has another
        number than before left and came back in the meantime.
        """
        now, policy = self._loop.time(), self._at_pace(policy)
        registered = {each.id: each for each in desired}
        targets = self._placed(registered, instances)
        registrations = {id_: registered[id_].registration for id_ in targets}
        self.asked = asked
        if policy != self._state.policy:
            self._state = nodes.reconfigured(self._state, policy, now, self._chance)
        for id_ in self._state.members:
            if id_ not in targets or self._registrations.get(id_) != registrations[id_]:
                self._state = nodes.deregister(self._state, id_, now, self._chance)
                self._reported.pop(id_, None)
        for target in targets.values():
            in_service = registered[target.id].in_service
            self._state = nodes.register(self._state, target, now, self._chance, in_service=in_service)
        self._targets, self._registrations = targets, registrations
        self._turn()

    def _at_pace(self, policy: Policy) -> Policy:
        """As it is carried out on this machine: checks come by AWS's clock, and all limits are as declared."""
        return replace(policy, check=replace(policy.check, interval=self._clock.lasts(policy.check.interval)))

    def _placed(
        self, registered: Mapping[str, DesiredTarget], instances: Mapping[str, DesiredInstance]
    ) -> dict[str, RegisteredTarget]:
        """The targets, where their instances are or were."""
        running = {
            id_: RegisteredTarget(id_, instances[each.instance].zone, instances[each.instance].address, each.port)
            for id_, each in registered.items()
            if each.instance in instances
        }
        return {id_: each for id_, each in self._targets.items() if id_ in registered} | running

    @property
    def state(self) -> Balancer:
        """What the machine knows now."""
        return self._state

    def silence(self, instance: str) -> None:
        """The machine of targets is gone."""
        for node in self.nodes.values():
            node.silence(instance)

    def sample(self) -> None:
        """Adds a sample of how many targets each node finds healthy."""
        for node in self._state.nodes:
            phases = [each.watches[node.id].phase for each in self._state.members.values() if node.id in each.watches]
            if phases:
                healthy = phases.count(Phase.IN_SERVICE)
                self._metrics.sample(node.zone, "HealthyHostCount", healthy)
                leaving = phases.count(Phase.DRAINING) + phases.count(Phase.GONE)
                self._metrics.sample(node.zone, "UnHealthyHostCount", len(phases) - healthy - leaving)

    def close(self) -> None:
        """Ends the checks and every connection to a target."""
        if self._timer is not None:
            self._timer.cancel()
        for each in self._checks:
            each.cancel()
        for node in self.nodes.values():
            node.close()

    def _turn(self) -> None:
        """Does what is due, and comes again when something is."""
        self._state, actions = nodes.step(self._state, self._loop.time(), self._chance)
        self._settle()
        self._do(actions)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if (due := nodes.due(self._state)) != nodes.NEVER:
            self._timer = self._loop.call_at(due, self._turn)

    def _settle(self) -> None:
        """Brings the nodes, and what was reported, to what the state says."""
        for node in self._state.nodes:
            if node.id not in self.nodes:
                drained = self._drained_by(node.id)
                self.nodes[node.id] = Node(node.zone, self._addresses, self._metrics, drained, self._connect_seconds)
            self.nodes[node.id].route_to(self.kind.routable(self._state, node.id))
        for gone in self.nodes.keys() - {node.id for node in self._state.nodes}:
            self.nodes.pop(gone).close()
        for id_, member in self._state.members.items():
            health = self.kind.health(self._state, id_)
            # The control plane itself says that a target drains, and until when.
            if not member.leaving and health != self._reported.get(id_):
                self._reported[id_] = health
                self._report(id_, health)

    def _do(self, actions: tuple[Action, ...]) -> None:
        for action in actions:
            match action:
                case Check(node, target, number):
                    task = self._loop.create_task(self._check(node, target, number))
                    self._checks.add(task)
                    task.add_done_callback(self._checks.discard)
                case Drain(node, target):
                    self.nodes[node].drain(target)
                case Cut(node, target):
                    self.nodes[node].cut(target)
                case Deregistered(target):
                    self._report(target, None)

    async def _check(self, node: str, target: RegisteredTarget, number: int) -> None:
        checked = await check(self._addresses, target, self.asked, self._state.policy.check.timeout, self.kind)
        if not checked.connected and node in self.nodes:
            self._metrics.check_failed_to_connect(self.nodes[node].zone)
        now = self._loop.time()
        self._state, actions = nodes.checked(self._state, node, target.id, number, checked.result, now)
        self._settle()
        self._do(actions)
        self._turn()

    def _drained_by(self, node: str) -> Callable[[str], None]:
        def drained(target: str) -> None:
            self._state = nodes.drained(self._state, node, target)
            self._loop.call_soon(self._turn)

        return drained
