"""What happens to a target between its registration and the end of its deregistration."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from sim.cluster.balancer import nodes
from sim.cluster.balancer.checks import CheckResult
from sim.cluster.balancer.nodes import AWS_DELAYS, Check, Cut, Delays, Deregistered, Drain, Node
from tests.unit.cluster.balancer.in_virtual_time import OK, POLICY, InVirtualTime, target
from tests.unit.cluster.proves import proves

FAIL = CheckResult(passed=False)
A, B = "a/1", "b/1"


@proves(nodes.learns_at)
def test_a_registration_takes_up_to_thirty_seconds_before_the_first_check() -> None:
    delays = [nodes.learns_at(AWS_DELAYS, 100.0, Random(seed)) - 100.0 for seed in range(200)]
    assert 0 <= min(delays) < 1
    assert 29 < max(delays) <= 30
    world = InVirtualTime(replace(POLICY, delays=Delays(registration=30)))
    world.register(target("i-1"))
    world.until(60)
    first = {
        node: min(at for at, each in world.done if isinstance(each, Check) and each.node == node) for node in (A, B)
    }
    assert all(0 < at <= 40 for at in first.values())
    assert len(set(first.values())) == 2


def test_each_node_checks_every_target_by_a_clock_of_its_own() -> None:
    world = InVirtualTime(per_zone=2)
    world.register(target("i-1"))
    world.register(target("i-2", "b"))
    world.until(100)
    seen = {(each.node, each.target.id) for each in world.asked(Check) if isinstance(each, Check)}
    assert len(seen) == 8
    assert len({at for at, _ in world.done}) == len(world.done)
    assert 8 * 9 <= len(world.done) <= 8 * 12


@proves(nodes.routes_to)
def test_without_cross_zone_a_node_has_the_targets_of_its_zone() -> None:
    world = InVirtualTime(replace(POLICY, cross_zone=False))
    for it in (target("i-1", "a"), target("i-2", "b"), target("i-3", "c")):
        world.register(it)
    world.until(30)
    assert nodes.in_service(world.state, A) == ("i-1",)
    assert nodes.in_service(world.state, B) == ("i-2",)
    crossed = InVirtualTime()
    for it in (target("i-1", "a"), target("i-2", "b"), target("i-3", "c")):
        crossed.register(it)
    crossed.until(30)
    assert nodes.in_service(crossed.state, A) == nodes.in_service(crossed.state, B) == ("i-1", "i-2")


@proves(nodes.leave)
def test_a_drain_is_over_when_nothing_is_in_flight() -> None:
    world = InVirtualTime()
    world.register(target("i-1"))
    world.until(30)
    world.deregister("i-1")
    assert world.asked(Drain) == [Drain(A, "i-1"), Drain(B, "i-1")]
    assert nodes.in_service(world.state, A) == ()
    world.drained(A, "i-1")
    assert world.asked(Deregistered) == []
    world.drained(B, "i-1")
    assert world.asked(Deregistered) == [Deregistered("i-1")]
    assert world.asked(Cut) == []
    assert world.state.members == {}


@proves(nodes.leave)
def test_a_drain_is_over_at_its_limit_and_cuts_what_is_left() -> None:
    world = InVirtualTime()
    world.register(target("i-1"))
    world.until(30)
    world.deregister("i-1")
    world.until(89.9)
    assert world.asked(Deregistered) == []
    world.until(90)
    assert world.asked(Cut) == [Cut(A, "i-1"), Cut(B, "i-1")]
    assert world.done[-1] == (90.0, Deregistered("i-1"))


@proves(nodes.leave)
def test_with_draining_off_a_deregistration_cuts_at_once() -> None:
    world = InVirtualTime(replace(POLICY, drain=None))
    world.register(target("i-1"))
    world.until(30)
    world.deregister("i-1")
    assert world.asked(Drain) == []
    assert [each for at, each in world.done if at == 30] == [Cut(A, "i-1"), Cut(B, "i-1"), Deregistered("i-1")]


@proves(nodes.checked)
@pytest.mark.parametrize(("drain", "cuts"), [(60.0, 0), (None, 2)])
def test_a_target_that_fails_is_cut_only_where_draining_is_off(drain: float | None, cuts: int) -> None:
    world = InVirtualTime(replace(POLICY, drain=drain))
    world.register(target("i-1"))
    world.until(30)
    world.answers = lambda _node, _target: FAIL
    world.until(200)
    assert nodes.in_service(world.state, A) == ()
    assert len(world.asked(Cut)) == cuts
    assert world.asked(Deregistered) == []


@proves(nodes.leaves_at)
def test_nodes_learn_of_a_deregistration_at_different_times() -> None:
    world = InVirtualTime(replace(POLICY, delays=Delays(deregistration=5)))
    world.register(target("i-1"))
    world.until(30)
    world.deregister("i-1")
    assert nodes.in_service(world.state, A) == nodes.in_service(world.state, B) == ("i-1",)
    world.until(35)
    first, second = [at for at, each in world.done if isinstance(each, Drain)]
    assert 30 < first < second <= 35


def test_a_target_that_comes_back_while_it_drains_is_new() -> None:
    world = InVirtualTime()
    world.register(target("i-1"))
    world.until(30)
    world.deregister("i-1")
    world.register(target("i-1"))
    assert nodes.in_service(world.state, A) == ()
    world.until(60)
    assert nodes.in_service(world.state, A) == ("i-1",)
    world.until(200)
    assert world.asked(Deregistered) == []


def test_a_check_of_an_earlier_registration_counts_for_nothing() -> None:
    world = InVirtualTime()
    world.register(target("i-1"))
    world.deregister("i-1")
    world.register(target("i-1"))
    world.until(5)
    state, _ = nodes.checked(world.state, A, "i-1", 1, OK, world.now)
    assert state == world.state


def test_a_node_that_is_lost_keeps_no_deregistration_waiting_and_a_new_one_learns() -> None:
    world = InVirtualTime()
    world.register(target("i-1"))
    world.register(target("i-2"))
    world.until(30)
    world.deregister("i-1")
    world.drained(A, "i-1")
    world.state = nodes.lose_node(world.state, B)
    world.settle()
    assert world.asked(Deregistered) == [Deregistered("i-1")]
    world.state = nodes.add_node(world.state, Node("b/2", "b"), world.now, world.chance)
    assert nodes.in_service(world.state, "b/2") == ()
    world.until(60)
    assert nodes.in_service(world.state, "b/2") == ("i-2",)


def test_a_target_that_was_in_service_before_a_start_stays_so_until_its_checks_fail() -> None:
    state = nodes.register(nodes.start(POLICY), target("i-1"), 0.0, Random(1), in_service=True)
    assert nodes.in_service(state, A) == nodes.in_service(state, B) == ("i-1",)
    for _ in range(POLICY.check.unhealthy):
        state, _ = nodes.checked(state, A, "i-1", 1, FAIL, 1.0)
    assert (nodes.in_service(state, A), nodes.in_service(state, B)) == ((), ("i-1",))


def test_registering_and_deregistering_twice_changes_nothing() -> None:
    world = InVirtualTime()
    world.register(target("i-1"))
    world.until(30)
    before = world.state
    world.register(target("i-1"))
    assert world.state == before
    world.deregister("i-1")
    before = world.state
    world.deregister("i-1")
    world.deregister("i-9")
    assert world.state == before


def test_with_other_settings_a_node_keeps_what_it_knows_and_learns_of_what_is_new() -> None:
    world = InVirtualTime(replace(POLICY, cross_zone=False))
    for it in (target("i-1", "a"), target("i-2", "b")):
        world.register(it)
    world.until(30)
    crossed = replace(world.state.policy, cross_zone=True)
    world.state = nodes.reconfigured(world.state, crossed, world.now, world.chance)
    assert nodes.in_service(world.state, A) == ("i-1",)
    world.until(60)
    assert nodes.in_service(world.state, A) == nodes.in_service(world.state, B) == ("i-1", "i-2")
    narrowed = replace(crossed, zones=("b", "c"))
    world.state = nodes.reconfigured(world.state, narrowed, world.now, world.chance)
    assert [node.id for node in world.state.nodes] == [B, "c/1"]
    assert nodes.in_service(world.state, B) == ("i-2",)
    assert nodes.in_service(world.state, "c/1") == ()
    world.until(90)
    assert nodes.in_service(world.state, "c/1") == ("i-2",)
