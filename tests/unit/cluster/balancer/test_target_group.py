"""Target groups: ports, matchers, states and reasons, fail-open, slow start."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random

import pytest

from sim.cluster.balancer import nodes, target_group
from sim.cluster.balancer.checks import CheckResult, HealthCheck, Phase, Watch
from sim.cluster.balancer.nodes import Delays
from sim.cluster.balancer.target_group import DescribedTarget, GroupSettings
from sim.cluster.target_health import RegisteredTarget
from tests.unit.cluster.balancer.in_virtual_time import OK, InVirtualTime
from tests.unit.cluster.proves import proves

SETTINGS = GroupSettings(("a", "b"), HealthCheck(10, 3, 5, 2), delays=Delays(0, 0))
ONE = RegisteredTarget("i-1:32768", "a", "10.0.0.1", 32768)
TWO = RegisteredTarget("i-1:32769", "a", "10.0.0.1", 32769)
A = "a/1"


def with_one_target() -> InVirtualTime:
    world = InVirtualTime(SETTINGS.policy)
    world.register(ONE)
    world.until(30)
    return world


def test_an_instance_is_a_target_with_each_of_its_ports() -> None:
    world = InVirtualTime(SETTINGS.policy)
    world.register(ONE)
    world.register(TWO)
    world.until(30)
    assert target_group.routable(SETTINGS, world.state, A) == ("i-1:32768", "i-1:32769")


@proves(target_group.passes)
@pytest.mark.parametrize(
    ("matcher", "good", "bad"),
    [
        ("200", {200}, {201, 199}),
        ("200,302", {200, 302}, {301}),
        ("200-299", {200, 204, 299}, {300}),
        ("200-201,404", {404}, {202}),
    ],
)
def test_the_matcher_of_a_check(matcher: str, good: set[int], bad: set[int]) -> None:
    assert all(target_group.result(matcher, status).passed for status in good)
    assert not any(target_group.result(matcher, status).passed for status in bad)
    assert not target_group.result(matcher, None).passed


@proves(target_group.described, target_group.described_as, target_group._unhealthy)
def test_the_life_of_a_target() -> None:
    world = InVirtualTime(replace(SETTINGS, delays=Delays(30, 0)).policy)
    world.register(ONE)
    id_ = ONE.id
    seen = [target_group.described(world.state, id_)]
    while any(watch.phase is Phase.REGISTERING for watch in world.state.members[id_].watches.values()):
        world.until(nodes.due(world.state))
    seen.append(target_group.described(world.state, id_))
    world.until(50)
    seen.append(target_group.described(world.state, id_))
    for result in (
        target_group.result("200", 503),
        target_group.result("200", None, timed_out=True),
        target_group.result("200", None),
    ):
        world.answers = lambda _node, _target, result=result: result  # type: ignore[misc]  # bound now
        world.until(world.now + 40)
        seen.append(target_group.described(world.state, id_))
    world.deregister(id_)
    seen.append(target_group.described(world.state, id_))
    world.until(world.now + 400)
    seen.append(target_group.described(world.state, id_))
    assert [(each.state, each.reason) for each in seen] == [
        ("initial", "Elb.RegistrationInProgress"),
        ("initial", "Elb.InitialHealthChecking"),
        ("healthy", ""),
        ("unhealthy", "Target.ResponseCodeMismatch"),
        ("unhealthy", "Target.Timeout"),
        ("unhealthy", "Target.FailedHealthChecks"),
        ("draining", "Target.DeregistrationInProgress"),
        ("unused", "Target.NotRegistered"),
    ]
    assert seen[3].description == "Health checks failed with these codes: [503]"
    assert [target_group.described_as(target_group.scheduled(each)) for each in seen] == seen


@proves(target_group.described)
def test_a_target_that_is_not_used() -> None:
    unused = InVirtualTime(replace(SETTINGS, zones=()).policy)
    unused.register(ONE)
    unused.until(100)
    assert unused.done == []
    assert target_group.described(unused.state, ONE.id).reason == "Target.NotInUse"
    elsewhere = InVirtualTime(SETTINGS.policy)
    elsewhere.register(replace(ONE, zone="c"))
    assert "Availability Zone" in target_group.described(elsewhere.state, ONE.id).description
    stopped = target_group.described(with_one_target().state, ONE.id, "stopped")
    assert stopped == DescribedTarget("unused", "Target.InvalidState", "Target is in the stopped state")


@proves(target_group._one_answer)
def test_the_worst_that_a_node_sees_is_what_the_scheduler_knows() -> None:
    world = with_one_target()
    assert target_group.health(world.state, ONE.id).state == "InService"
    world.answers = lambda node, _target: OK if node == A else CheckResult(passed=False)
    world.until(70)
    assert target_group.health(world.state, ONE.id).state == "OutOfService"
    world.deregister(ONE.id)
    assert target_group.health(world.state, ONE.id).reason_code == "Target.DeregistrationInProgress"


@proves(target_group.routable, target_group._known)
def test_a_group_without_a_healthy_target_sends_to_all_but_those_that_drain() -> None:
    world = InVirtualTime(SETTINGS.policy)
    world.register(ONE)
    world.register(TWO)
    world.answers = lambda _node, it: OK if it == ONE.id else CheckResult(passed=False)
    world.until(60)
    assert target_group.routable(SETTINGS, world.state, A) == (ONE.id,)
    assert target_group.routable(replace(SETTINGS, at_least=2), world.state, A) == (ONE.id, TWO.id)
    world.answers = lambda _node, _target: CheckResult(passed=False)
    world.until(120)
    assert target_group.routable(SETTINGS, world.state, A) == (ONE.id, TWO.id)
    world.deregister(TWO.id)
    assert target_group.routable(SETTINGS, world.state, A) == (ONE.id,)
    slow = InVirtualTime(replace(SETTINGS, delays=Delays(30, 0)).policy)
    slow.register(ONE)
    assert target_group.routable(SETTINGS, slow.state, A) == ()


def chosen(settings: GroupSettings, shares: dict[str, float] | None = None) -> Counter[str]:
    chance = Random(1)
    return Counter(
        target_group.choose(settings, ("x", "y"), {"x": 3}, turn, shares or {}, chance) for turn in range(1000)
    )


def test_the_three_algorithms() -> None:
    assert chosen(SETTINGS) == {"x": 500, "y": 500}
    assert chosen(replace(SETTINGS, algorithm="least_outstanding_requests")) == {"y": 1000}
    assert 400 < chosen(replace(SETTINGS, algorithm="weighted_random"))["x"] < 600


@proves(target_group.slow_shares, target_group._in_turn_by_share)
def test_a_target_that_joins_others_starts_slowly() -> None:
    settings = replace(SETTINGS, slow_start=100.0)
    world = InVirtualTime(settings.policy)
    world.register(ONE)
    world.until(50)
    assert target_group.slow_shares(settings, world.state, A, world.now) == {}
    world.register(TWO)
    world.until(80)
    since = world.state.members[TWO.id].watches[A].since
    assert target_group.slow_shares(settings, world.state, A, since + 25) == pytest.approx({TWO.id: 0.25})
    assert target_group.slow_shares(settings, world.state, A, since + 100) == {}
    assert target_group.slow_shares(SETTINGS, world.state, A, since + 25) == {}
    assert 80 < chosen(settings, {"y": 0.25})["y"] < 170


def test_a_watch_that_no_node_has_is_unknown() -> None:
    assert not target_group._known(None)
    assert not target_group._known(Watch(Phase.DRAINING, 0.0, 0.0))
