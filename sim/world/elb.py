"""The Classic ELB before the API: the balancer's core, with its checks, requests and drains in virtual time.

Its settings are those of `terraform/cluster/load_balancer.tf`. What the core decides is in `sim.cluster.balancer`. What
is added here: a client finds a node by DNS, which goes on naming a lost one for a while; and connections, of which one
to a machine that is gone takes a while to fail.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from sim.client.retry import NO_ANSWER
from sim.cluster.balancer import classic, nodes, routing
from sim.cluster.balancer.answers import GATEWAY_TIMEOUT
from sim.cluster.balancer.checks import HealthCheck
from sim.cluster.balancer.nodes import Check, Cut, Delays, Deregistered, Drain, Node, Policy
from sim.cluster.balancer.routing import CONNECT_SECONDS, SURGE_SECONDS, Queue, Send
from sim.cluster.target_health import RegisteredTarget, TargetHealth
from sim.world.coverage import Encounter
from sim.world.instances import Api, Exchange

if TYPE_CHECKING:
    from random import Random

    from sim.world.virtual_time import WorldRuntime

ZONES: Final = ("a", "b")
CHECK: Final = HealthCheck(interval=5.0, timeout=3.0, healthy=2, unhealthy=2)
DRAIN_SECONDS: Final = 60.0
IDLE_TIMEOUT_SECONDS: Final = 60.0
DNS_SECONDS: Final = 60.0
"""How long at most DNS names a node that is lost."""
_PERIOD_SECONDS: Final = 60.0
_ALARM_PERIODS: Final = 2
_ALARM_SHARE: Final = 0.05
"""The alarm of `terraform/services/api/alarms.tf`: two periods in which one request of 20 was answered with 5xx."""


class Elb:
    """One load balancer. `find` is the API behind a target, `gone` whether its machine is.

    `changed` is called when the health of a target may have changed; `met` counts what coverage asks for.
    """

    def __init__(
        self,
        runtime: WorldRuntime,
        draw: Random,
        delays: Delays,
        find: Callable[[str], Api | None],
        gone: Callable[[str], bool],
        changed: Callable[[], None],
        met: Callable[[Encounter], None],
    ) -> None:
        self.state = nodes.start(Policy(ZONES, CHECK, DRAIN_SECONDS, cross_zone=True, delays=delays))
        self.drained: set[str] = set()
        """The targets whose deregistration is over."""
        self._runtime = runtime
        self._scheduler = runtime.scheduler
        self._draw = draw
        self._find = find
        self._gone = gone
        self._changed = changed
        self._met = met
        self._dns = [node.id for node in self.state.nodes]
        self._new: set[str] = set()
        """Nodes that DNS does not name yet."""
        self._stale: set[str] = set()
        """Lost nodes that DNS names no longer, once it has others to name."""
        self._made = len(self._dns)
        self._turn = 0
        self._waiting = 0
        self._wakes_at = nodes.NEVER
        self._reported: Mapping[str, TargetHealth] = {}
        self._routable: dict[str, tuple[str, ...]] = {}
        self._outstanding: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._in_flight: defaultdict[tuple[str, str], dict[Exchange, None]] = defaultdict(dict)
        self._draining: set[tuple[str, str]] = set()
        self._answers: Counter[int] = Counter()
        """By period: requests, and those answered with 5xx."""
        self._errors: Counter[int] = Counter()

    def register(self, target: RegisteredTarget) -> None:
        """Lets a target have requests, once every node has found it healthy."""
        self.drained.discard(target.id)
        self._draining = {key for key in self._draining if key[1] != target.id}
        self.state = nodes.register(self.state, target, self._scheduler.now, self._draw)
        self._settle()

    def deregister(self, target: str) -> None:
        """No more requests for a target, as soon as every node knows."""
        if target not in self.state.members:
            self.drained.add(target)
            return
        self.state = nodes.deregister(self.state, target, self._scheduler.now, self._draw)
        self._settle()

    def health(self) -> Mapping[str, TargetHealth]:
        """What it reports of each target."""
        return {target: classic.health(self.state, target) for target in self.state.members}

    def lose_zone(self, zone: str) -> None:
        """The nodes of a zone are gone, with all that they have in hand; DNS goes on naming them for a while."""
        for node in [each.id for each in self.state.nodes if each.zone == zone]:
            self.state = nodes.lose_node(self.state, node)
            self._routable.pop(node, None)
            self._draining = {key for key in self._draining if key[0] != node}
            self._scheduler.at(self._scheduler.now + self._draw.uniform(0, DNS_SECONDS), lambda n=node: self._forget(n))  # type: ignore[misc]  # bound now
        self._settle()

    def restore_zone(self, zone: str) -> None:
        """A new node in a zone; DNS names it once it has a target in service."""
        self._made += 1
        node = Node(f"{zone}/{self._made}", zone)
        self.state = nodes.add_node(self.state, node, self._scheduler.now, self._draw)
        self._new.add(node.id)
        self._settle()

    def in_alarm(self) -> bool:
        """Whether too many requests were answered with 5xx, in each of the last whole periods that had any."""
        now = int(self._scheduler.now // _PERIOD_SECONDS)
        return all(
            self._answers[period] and self._errors[period] >= _ALARM_SHARE * self._answers[period]
            for period in range(now - _ALARM_PERIODS, now)
        )

    def route(self, exchange: Exchange) -> None:
        """Has a request answered, by a target or by the balancer itself; never if its node is lost."""
        self._turn += 1
        node = self._dns[self._turn % len(self._dns)]
        self._attempt(node, exchange, self._scheduler.now, ())

    def _attempt(self, node: str, exchange: Exchange, began: float, tried: Collection[str]) -> None:
        if node not in self._routable:
            return
        choice = routing.route(
            self._routable[node], self._outstanding[node], self._turn, tried=tried, waiting=self._waiting
        )
        if isinstance(choice, Queue):
            self._queue(node, exchange, began)
        elif not isinstance(choice, Send):
            exchange.end(choice.status)
        elif (api := self._find(choice.target)) is not None and api.listens:
            self._runtime.spawn(lambda: self._forward(node, choice.target, api, exchange))
        else:
            self._met(Encounter.CONNECT_TRIED_AGAIN)
            seconds = CONNECT_SECONDS if self._gone(choice.target) else 0.0
            again = (*tried, choice.target)
            self._scheduler.at(self._scheduler.now + seconds, lambda: self._attempt(node, exchange, began, again))

    def _queue(self, node: str, exchange: Exchange, began: float) -> None:
        """Every target has refused: the request waits, and then tries all of them once more."""
        self._met(Encounter.SURGE_QUEUE)
        if self._scheduler.now - began >= IDLE_TIMEOUT_SECONDS:
            exchange.end(GATEWAY_TIMEOUT.status)
            return
        self._waiting += 1

        def again() -> None:
            self._waiting -= 1
            self._attempt(node, exchange, began, ())

        self._scheduler.at(self._scheduler.now + SURGE_SECONDS, again)

    def _forward(self, node: str, target: str, api: Api, exchange: Exchange) -> None:
        if target not in self.state.members or self.state.members[target].leaving:
            self._met(Encounter.ROUTED_WHILE_LEAVING)
        behind = Exchange(exchange.request, self._runtime.event())
        outstanding, in_flight = self._outstanding[node], self._in_flight[node, target]
        outstanding[target] += 1
        in_flight[behind] = None
        api.take(behind)
        behind.over.wait(IDLE_TIMEOUT_SECONDS)
        outstanding[target] -= 1
        del in_flight[behind]
        self._count(behind.status)
        if node in self._routable:
            status = GATEWAY_TIMEOUT.status if behind.status == NO_ANSWER else behind.status
            exchange.end(status, behind.body, behind.headers)
        if not in_flight and (node, target) in self._draining:
            self._settle()

    def _count(self, status: int) -> None:
        period = int(self._scheduler.now // _PERIOD_SECONDS)
        if period not in self._answers:
            self._answers = Counter({each: count for each, count in self._answers.items() if each >= period - 5})
            self._errors = Counter({each: count for each, count in self._errors.items() if each >= period - 5})
        self._answers[period] += 1
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            self._errors[period] += 1

    def _forget(self, node: str) -> None:
        self._stale.add(node)
        self._drop_stale()

    def _drop_stale(self) -> None:
        """DNS names a lost node for longer than it has to where it has no other to name."""
        if others := [each for each in self._dns if each not in self._stale]:
            self._dns = others
            self._stale.clear()

    def _settle(self) -> None:
        """Does what is due, until nothing is."""
        while True:
            self.state, actions = nodes.step(self.state, self._scheduler.now, self._draw)
            for action in actions:
                self._do(action)
            idle = [key for key in self._draining if not self._in_flight[key]]
            for node, target in idle:
                self.state = nodes.drained(self.state, node, target)
                self._draining.discard((node, target))
            if not idle and not actions:
                break
        self._routable = {node.id: classic.routable(self.state, node.id) for node in self.state.nodes}
        for node in [each for each in sorted(self._new) if self._routable.get(each)]:
            self._new.discard(node)
            self._dns.append(node)
        self._drop_stale()
        if (reported := self.health()) != self._reported:
            self._reported = reported
            self._changed()
        self._wake_at(nodes.due(self.state))

    def _wake_at(self, due: float) -> None:
        if due < self._wakes_at or self._wakes_at <= self._scheduler.now:
            self._wakes_at = due
            if due < nodes.NEVER:
                self._scheduler.at(due, lambda: self._wake(due))

    def _wake(self, due: float) -> None:
        if due == self._wakes_at:
            self._wakes_at = nodes.NEVER
            self._settle()

    def _do(self, action: nodes.Action) -> None:
        match action:
            case Check():
                self._check(action)
            case Drain(node, target):
                self._draining.add((node, target))
            case Cut(node, target):
                self._draining.discard((node, target))
                for exchange in list(self._in_flight[node, target]):
                    exchange.end(NO_ANSWER)
            case Deregistered(target):
                self.drained.add(target)

    def _check(self, check: Check) -> None:
        target = check.target.id
        if self._gone(target):
            self._scheduler.at(self._scheduler.now + CHECK.timeout, lambda: self._checked(check, None, timed_out=True))
            return
        api = self._find(target)
        self._checked(check, None if api is None else api.check())

    def _checked(self, check: Check, status: int | None, *, timed_out: bool = False) -> None:
        result = classic.result(status, connected=status is not None, timed_out=timed_out)
        self.state, actions = nodes.checked(
            self.state, check.node, check.target.id, check.number, result, self._scheduler.now
        )
        for action in actions:
            self._do(action)
        if timed_out:
            self._settle()
