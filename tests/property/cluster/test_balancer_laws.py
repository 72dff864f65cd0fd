"""What holds for a load balancer in any program of registrations, failures, drains and lost nodes, in virtual time.

The shell here is the smallest that keeps its part: it counts what is in flight, reports a drain that is over, and
routes only to what the core gives it. The mutants at the end are bugs of the core, of which each breaks a law.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.cluster.balancer import checks, classic, nodes, routing
from sim.cluster.balancer.checks import CheckResult, HealthCheck, Phase
from sim.cluster.balancer.nodes import Action, Balancer, Check, Cut, Delays, Deregistered, Drain, Policy
from sim.cluster.balancer.routing import Send
from sim.cluster.target_health import RegisteredTarget

ZONES = ("a", "b")
TARGETS = tuple(RegisteredTarget(f"i-{n}", "abc"[n % 3], "10.0.0.1", 8080 + n) for n in range(4))
STEPS = 60


class Broken(AssertionError):
    """A law is broken."""


@dataclass
class Request:
    """In flight from a node to a target."""

    node: str
    target: str
    ends_at: float


class Shell:
    """Keeps a core going; raises Broken where the core breaks a law."""

    def __init__(self, policy: Policy, seed: int) -> None:
        self.policy = policy
        self.chance = Random(seed)
        self.state: Balancer = nodes.start(policy)
        self.now = 0.0
        self.sick: dict[str, float] = {}
        """By target: how often a check of it fails."""
        self.requests: list[Request] = []
        self.cut = 0
        self.routed = 0
        self.streaks: dict[tuple[str, str], int] = defaultdict(int)
        """By node and target: consecutive passes, or failures as a negative number."""
        self.draining: dict[tuple[str, str], float] = {}
        self.asked_to_leave: dict[str, float] = {}

    def register(self, it: RegisteredTarget) -> None:
        member = self.state.members.get(it.id)
        if member is None or member.leaving:
            for node in self.state.nodes:
                self.streaks.pop((node.id, it.id), None)
                self.draining.pop((node.id, it.id), None)
            self.asked_to_leave.pop(it.id, None)
        self.state = nodes.register(self.state, it, self.now, self.chance)
        self._settle()

    def deregister(self, it: RegisteredTarget) -> None:
        if it.id in self.state.members:
            self.asked_to_leave.setdefault(it.id, self.now)
        self.state = nodes.deregister(self.state, it.id, self.now, self.chance)
        self._settle()

    def lose_node(self, index: int) -> None:
        if len(self.state.nodes) > 1:
            lost = self.state.nodes[index % len(self.state.nodes)].id
            self.state = nodes.lose_node(self.state, lost)
            self.requests = [each for each in self.requests if each.node != lost]
            self.draining = {key: at for key, at in self.draining.items() if key[0] != lost}
            self._settle()

    def request(self, lasts: float) -> None:
        """One request at each node."""
        outstanding = Counter((each.node, each.target) for each in self.requests)
        for node in self.state.nodes:
            targets = classic.routable(self.state, node.id)
            here = {target: outstanding[node.id, target] for target in targets}
            choice = routing.route(targets, here, self.routed)
            self.routed += 1
            if isinstance(choice, Send):
                self._law_of_routing(node.id, choice.target)
                self.requests.append(Request(node.id, choice.target, self.now + lasts))
            elif targets:
                raise Broken("a request was refused though a target is in service")

    def until(self, time: float) -> None:
        while True:
            ends = min((each.ends_at for each in self.requests), default=nodes.NEVER)
            at = min(nodes.due(self.state), ends)
            if at > time:
                break
            self.now = max(self.now, at)
            self.requests = [each for each in self.requests if each.ends_at > self.now]
            self._settle()
        self.now = time

    def _settle(self) -> None:
        while True:
            self.state, actions = nodes.step(self.state, self.now, self.chance)
            for action in actions:
                self._do(action)
            idle = [key for key in self.draining if not any((each.node, each.target) == key for each in self.requests)]
            for node, target in idle:
                self.state = nodes.drained(self.state, node, target)
                del self.draining[node, target]
            if not idle and not actions:
                break
        self._law_of_drains()

    def _do(self, action: Action) -> None:
        match action:
            case Check():
                passed = self.chance.random() >= self.sick.get(action.target.id, 0.0)
                self._check(action, passed=passed)
            case Drain(node, target):
                self.draining[node, target] = self.now
            case Cut(node, target):
                began = self.draining.pop((node, target), None)
                in_flight = [each for each in self.requests if (each.node, each.target) == (node, target)]
                if in_flight and self.policy.drain is not None and began is None:
                    raise Broken("requests were cut though draining is on")
                if in_flight and began is not None and self.now < began + (self.policy.drain or 0) - 1e-6:
                    raise Broken("a drain was cut before its limit")
                self.cut += len(in_flight)
                self.requests = [each for each in self.requests if each not in in_flight]
            case Deregistered(target):
                self.asked_to_leave.pop(target, None)
                if any(each.target == target for each in self.requests):
                    raise Broken("a deregistration was over while a request was in flight")

    def _check(self, check: Check, *, passed: bool) -> None:
        key = check.node, check.target.id
        before = self._phase(*key)
        result = CheckResult(passed=passed)
        self.state, more = nodes.checked(self.state, *key, check.number, result, self.now)
        for each in more:
            self._do(each)
        streak = self.streaks[key]
        streak = max(streak, 0) + 1 if passed else min(streak, 0) - 1
        self.streaks[key] = streak
        self._law_of_thresholds(before, self._phase(*key), streak)

    def _phase(self, node: str, target: str) -> Phase:
        member = self.state.members.get(target)
        return Phase.GONE if member is None or node not in member.watches else member.watches[node].phase

    def _law_of_thresholds(self, before: Phase, after: Phase, streak: int) -> None:
        check = self.policy.check
        expected = {
            Phase.IN_SERVICE: Phase.OUT_OF_SERVICE if streak <= -check.unhealthy else Phase.IN_SERVICE,
            Phase.OUT_OF_SERVICE: Phase.IN_SERVICE if streak >= check.healthy else Phase.OUT_OF_SERVICE,
            Phase.INITIAL: Phase.IN_SERVICE
            if streak >= 1
            else Phase.OUT_OF_SERVICE
            if streak <= -check.unhealthy
            else Phase.INITIAL,
        }[before]
        if after is not expected:
            raise Broken(f"{before.value} became {after.value} after {streak}, not {expected.value}")

    def _law_of_routing(self, node: str, target: str) -> None:
        if self._phase(node, target) is not Phase.IN_SERVICE:
            raise Broken(f"a request went to a target that is {self._phase(node, target).value}")
        member = self.state.members[target]
        zone = next(each.zone for each in self.state.nodes if each.id == node)
        if not self.policy.cross_zone and member.target.zone != zone:
            raise Broken("a request crossed zones")
        left = self.asked_to_leave.get(target)
        if left is not None and self.now > left + self.policy.delays.deregistration + 1e-6:
            raise Broken("a request went to a target whose deregistration every node must know")

    def _law_of_drains(self) -> None:
        for target, asked in self.asked_to_leave.items():
            longest = self.policy.delays.deregistration + (self.policy.drain or 0.0)
            if self.now > asked + longest + 1e-6:
                raise Broken(f"the drain of {target} does not end")

    def law_of_convergence(self) -> None:
        """With targets that all pass, the nodes come to the same verdict within a bound."""
        check, delays = self.policy.check, self.policy.delays
        self.sick.clear()
        bound = delays.registration + 1.1 * check.interval * (max(check.healthy, 1) + 1)
        self.until(self.now + bound)
        for node in self.state.nodes:
            expected = {
                id_
                for id_, member in self.state.members.items()
                if not member.leaving and nodes.routes_to(self.state, node, member.target)
            }
            if set(nodes.in_service(self.state, node.id)) != expected:
                raise Broken("nodes disagree though all checks have passed for long")
        for id_ in self.state.members:
            known = any(nodes.routes_to(self.state, node, self.state.members[id_].target) for node in self.state.nodes)
            if known and not self.state.members[id_].leaving and classic.health(self.state, id_) != classic.IN_SERVICE:
                raise Broken("a target that every node routes to is not reported as in service")


policies = st.builds(
    Policy,
    zones=st.just(ZONES),
    check=st.builds(
        HealthCheck,
        interval=st.sampled_from([5.0, 30.0]),
        timeout=st.just(3.0),
        healthy=st.integers(2, 4),
        unhealthy=st.integers(2, 4),
    ),
    drain=st.sampled_from([None, 1.0, 60.0]),
    cross_zone=st.booleans(),
    delays=st.builds(Delays, st.sampled_from([0.0, 30.0]), st.sampled_from([0.0, 5.0])),
)


def storm(policy: Policy, seed: int) -> Shell:
    """A program of so many steps, each with some time between, and calm at the end."""
    shell, draw = Shell(policy, seed), Random(f"storm {seed}")
    for _ in range(STEPS):
        it = draw.choice(TARGETS)
        match draw.choices(("register", "deregister", "sick", "well", "request", "lose"), (6, 3, 3, 3, 12, 0.3))[0]:
            case "register":
                shell.register(it)
            case "deregister":
                shell.deregister(it)
            case "sick":
                shell.sick[it.id] = draw.choice([0.3, 0.6, 1.0])
            case "well":
                shell.sick.pop(it.id, None)
            case "request":
                shell.request(draw.choice([0.01, 2.0, 90.0]))
            case "lose":
                shell.lose_node(draw.randrange(2))
        shell.until(shell.now + draw.choice([0.0, 0.5, 7.0, 40.0]))
    shell.law_of_convergence()
    return shell


@settings(max_examples=100, deadline=None)
@given(policies, st.integers(0, 2**32))
def test_the_laws_of_a_load_balancer(policy: Policy, seed: int) -> None:
    storm(policy, seed)


@settings(max_examples=50, deadline=None)
@given(policies, st.integers(0, 2**16))
def test_what_is_in_flight_is_lost_only_by_a_limit(policy: Policy, seed: int) -> None:
    """With draining on and requests shorter than the limit the balancer ends none of them."""
    shell, draw = Shell(replace(policy, drain=60.0), seed), Random(f"short {seed}")
    for it in TARGETS:
        shell.register(it)
    for _ in range(STEPS):
        it = draw.choice(TARGETS)
        (shell.deregister if draw.random() < 0.5 else shell.register)(it)
        shell.sick[it.id] = draw.choice([0.0, 1.0])
        shell.request(draw.uniform(0, 59))
        shell.until(shell.now + draw.uniform(0, 20))
    assert shell.cut == 0


@contextmanager
def planted(module: Any, name: str, make: Callable[[Any], Any]) -> Iterator[None]:
    real = getattr(module, name)
    setattr(module, name, make(real))
    try:
        yield
    finally:
        setattr(module, name, real)


def _late(real: Any) -> Any:
    return lambda watch, result, check, now: real(watch, result, replace(check, unhealthy=check.unhealthy + 1), now)


def _early_return(real: Any) -> Any:
    return lambda watch, result, check, now: real(watch, result, replace(check, healthy=1), now)


def _counts_all(real: Any) -> Any:
    def judged(watch: Any, result: Any, check: Any, now: float) -> Any:
        after = real(watch, result, check, now)
        return after if result.passed else replace(after, passes=watch.passes)

    return judged


def _routes_while_draining(_real: Any) -> Any:
    shown = {Phase.IN_SERVICE, Phase.DRAINING}
    return lambda state, node: tuple(
        id_ for id_, member in state.members.items() if node in member.watches and member.watches[node].phase in shown
    )


def _routes_to_all(_real: Any) -> Any:
    return lambda state, node: tuple(id_ for id_, member in state.members.items() if node in member.watches)


def _never_gives_up(real: Any) -> Any:
    def leave(policy: Any, node: str, target: str, watch: Any, now: float) -> Any:
        if watch.phase is Phase.DRAINING:
            return replace(watch, turns_at=now + policy.drain), ()
        return real(policy, node, target, watch, now)

    return leave


def _cuts_at_once(real: Any) -> Any:
    return lambda policy, node, target, watch, now: real(replace(policy, drain=None), node, target, watch, now)


def _never_told(_real: Any) -> Any:
    return lambda delays, at, chance: at + delays.deregistration + 1 + chance.random()


def _crosses_zones(_real: Any) -> Any:
    return lambda state, _node, target: target.zone in state.policy.zones


def _drained_at_once(real: Any) -> Any:
    return lambda state, node, target: real(_all_gone(state, target), node, target)


def _all_gone(state: Balancer, target: str) -> Balancer:
    member = state.members.get(target)
    if member is None:
        return state
    gone = {node: replace(watch, phase=Phase.GONE) for node, watch in member.watches.items()}
    return replace(state, members={**state.members, target: replace(member, watches=gone)})


MUTANTS = {
    "one failure too many": (nodes, "judged", _late),
    "back after one pass": (nodes, "judged", _early_return),
    "passes need not be in a row": (nodes, "judged", _counts_all),
    "routes to what drains": (classic, "in_service", _routes_while_draining),
    "routes to what is out of service": (classic, "in_service", _routes_to_all),
    "a drain has no end": (nodes, "leave", _never_gives_up),
    "a drain is a cut": (nodes, "leave", _cuts_at_once),
    "a node learns too late": (nodes, "leaves_at", _never_told),
    "zones do not matter": (nodes, "routes_to", _crosses_zones),
    "one node's drain is everybody's": (nodes, "drained", _drained_at_once),
    "an interval without end": (
        nodes,
        "next_check_at",
        lambda _real: lambda at, check, _chance: at + 20 * check.interval,
    ),
    "a new target needs as many passes as an old one": (checks, "passes_of_a_new_target", lambda _real: lambda: 3),
}
GRID = [
    (Policy(ZONES, HealthCheck(5.0, 3.0, 3, 2), drain, cross_zone, Delays(0.0, 5.0)), seed)
    for seed in range(8)
    for drain, cross_zone in ((60.0, True), (1.0, False), (None, True))
]


@pytest.mark.parametrize("name", MUTANTS)
def test_a_planted_bug_breaks_a_law(name: str) -> None:
    with planted(*MUTANTS[name]):
        broken = 0
        for policy, seed in GRID:
            try:
                storm(policy, seed)
            except Broken:
                broken += 1
    assert broken, f"no law sees: {name}"


def test_without_a_bug_the_same_programs_keep_every_law() -> None:
    cut = sum(storm(policy, seed).cut for policy, seed in GRID)
    assert cut, "no request was ever cut: the programs are too tame"
