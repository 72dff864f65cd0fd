"""What a Classic ELB says of its targets, and which it routes to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sim.cluster.balancer import classic, nodes
from sim.cluster.balancer.checks import CheckResult
from sim.cluster.balancer.nodes import Delays
from sim.cluster.target_health import TargetHealth
from tests.unit.cluster.balancer.in_virtual_time import OK, POLICY, InVirtualTime, target
from tests.unit.cluster.proves import proves

FAIL = CheckResult(passed=False)
A, B = "a/1", "b/1"


def described(health: TargetHealth) -> tuple[str, str, str]:
    return health.state, health.reason_code, health.description


@proves(classic.passes)
@pytest.mark.parametrize(("status", "passes"), [(200, True), (204, False), (302, False), (503, False), (None, True)])
def test_a_check_passes_on_200_alone(status: int | None, passes: bool) -> None:
    assert classic.result(status, connected=True).passed is passes
    assert not classic.result(status, connected=False).passed
    assert not classic.result(status, connected=True, timed_out=True).passed


@proves(classic.health)
def test_the_life_of_a_target_in_the_words_of_the_api() -> None:
    world = InVirtualTime(replace(POLICY, delays=Delays(registration=30)))
    world.register(target("i-1"))
    seen = [classic.health(world.state, "i-1")]
    world.until(50)
    seen.append(classic.health(world.state, "i-1"))
    world.answers = lambda _node, _target: FAIL
    world.until(80)
    seen.append(classic.health(world.state, "i-1"))
    world.answers = lambda _node, _target: OK
    while all(watch.passes == 0 for watch in world.state.members["i-1"].watches.values()):
        world.until(nodes.due(world.state))
    world.until(max(watch.check_at for watch in world.state.members["i-1"].watches.values()) - 0.001)
    seen.append(classic.health(world.state, "i-1"))
    world.until(120)
    seen.append(classic.health(world.state, "i-1"))
    world.deregister("i-1")
    seen.append(classic.health(world.state, "i-1"))
    world.until(200)
    seen.append(classic.health(world.state, "i-1"))
    failed = "Instance has failed at least the UnhealthyThreshold number of health checks consecutively."
    not_yet = "Instance has not passed the configured HealthyThreshold number of health checks consecutively."
    assert [described(each) for each in seen] == [
        ("OutOfService", "ELB", "Instance registration is still in progress."),
        ("InService", "N/A", "N/A"),
        ("OutOfService", "Instance", failed),
        ("OutOfService", "Instance", not_yet),
        ("InService", "N/A", "N/A"),
        ("InService", "N/A", "Instance deregistration currently in progress."),
        ("OutOfService", "N/A", "Instance is not currently registered with the LoadBalancer."),
    ]


@proves(classic.health)
def test_a_zone_that_is_not_enabled_and_an_instance_that_does_not_run() -> None:
    world = InVirtualTime()
    world.register(target("i-1"))
    world.register(target("i-3", "c"))
    world.until(30)
    zone = "Instance is in the EC2 Availability Zone for which LoadBalancer is not configured to route traffic to."
    assert described(classic.health(world.state, "i-3")) == ("OutOfService", "ELB", zone)
    stopped = classic.health(world.state, "i-1", "stopped")
    assert described(stopped) == ("OutOfService", "Instance", "Instance is in stopped state.")


@proves(classic._one_answer)
def test_the_worst_that_any_node_sees_is_reported() -> None:
    world = InVirtualTime()
    world.register(target("i-1"))
    world.until(30)
    world.answers = lambda node, _target: FAIL if node == B else OK
    world.until(60)
    assert nodes.in_service(world.state, A) == ("i-1",)
    assert classic.health(world.state, "i-1") == classic.FAILED
    world.state = nodes.lose_node(nodes.lose_node(world.state, B), A)
    transient = ("Unknown", "N/A", "A transient error occurred. Please try again later.")
    assert described(classic.health(world.state, "i-1")) == transient


@proves(classic.routable)
def test_without_a_healthy_target_nothing_is_routed() -> None:
    world = InVirtualTime()
    world.register(target("i-1"))
    assert classic.routable(world.state, A) == ()
    world.until(30)
    assert classic.routable(world.state, A) == ("i-1",)
    world.answers = lambda _node, _target: FAIL
    world.until(60)
    assert classic.routable(world.state, A) == ()
