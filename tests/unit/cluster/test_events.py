"""The texts of events, to the letter, and AWS's rule about duplicates."""

from __future__ import annotations

import pytest

from sim.cluster import events
from sim.cluster.events import Event
from tests.unit.cluster.bench import Bench
from tests.unit.cluster.proves import proves


@proves(
    events.message,
    events.started,
    events.stopped,
    events.stopped_pending,
    events.registered,
    events.deregistered,
    events.draining_connections,
    events.unhealthy_target,
    events.unhealthy_containers,
    events.no_room,
    events.no_capacity,
    events.provisioning_limit,
    events.could_not_launch,
    events.no_move,
    events.throttled,
    events.deployment_completed,
    events.steady,
    events.deployment_failed,
    events.rolling_back,
)
@pytest.mark.parametrize(
    ("text", "message"),
    [
        (events.started(["A"]), "(service web) has started 1 tasks: (task A)."),
        (events.started(["A", "B"]), "(service web) has started 2 tasks: (task A) (task B)."),
        (
            events.started(["A"], 1),
            "(service web) has started 1 tasks: (task A). Amazon ECS replaced 1 tasks due to an unhealthy status.",
        ),
        (events.stopped(["A"]), "(service web) has stopped 1 running tasks: (task A)."),
        (events.stopped_pending(2), "(service web) stopped 2 pending tasks."),
        (events.registered("elb", "front", 1), "(service web) registered 1 instances in (elb front)"),
        (events.deregistered("elb", "front", 1), "(service web) deregistered 1 instances in (elb front)"),
        (
            events.registered("target-group", "arn:tg", 1),
            "(service web) registered 1 targets in (target-group arn:tg)",
        ),
        (
            events.draining_connections("ecs-svc/1", 1),
            "(service web, taskSet ecs-svc/1) has begun draining connections on 1 tasks.",
        ),
        (
            events.unhealthy_target("A", "i-1", "elb front", "Instance has failed."),
            "(service web) (task A) (instance i-1) is unhealthy in (elb front) due to (reason Instance has failed.)",
        ),
        (events.unhealthy_containers("A"), "(service web) (task A) failed container health checks."),
        (
            events.no_room("ci", "is already using a port required by your task"),
            "(service web) was unable to place a task because no container instance met all of its requirements. "
            "The closest matching (container-instance ci) is already using a port required by your task. "
            "For more information, see the Troubleshooting section of the Amazon ECS Developer Guide.",
        ),
        (
            events.no_room("", ""),
            "(service web) was unable to place a task because no container instance met all of its requirements. "
            "Reason: No Container Instances were found in your cluster. "
            "For more information, see the Troubleshooting section of the Amazon ECS Developer Guide.",
        ),
        (
            events.no_capacity(),
            "(service web) was unable to reach steady state. "
            "Reason: No Container Instances were found in your capacity provider.",
        ),
        (
            events.provisioning_limit(),
            "(service web) was unable to place tasks in your cluster because the tasks provisioning capacity limit "
            "was exceeded.",
        ),
        (
            events.could_not_launch(2, "ecs-svc/1", "Because."),
            "(service web) could not launch 2 tasks for deployment ecs-svc/1. Because.",
        ),
        (
            events.no_move(),
            "(service web) was unable to stop or start tasks during a deployment because of the service deployment "
            "configuration. Update the minimumHealthyPercent or maximumPercent value and try again.",
        ),
        (
            events.throttled(),
            "(service web) is unable to consistently start tasks successfully. "
            "For more information, see the Troubleshooting section.",
        ),
        (
            events.deployment_completed("ecs-svc/1"),
            "(service web) (deployment ecs-svc/1) deployment completed.",
        ),
        (events.steady(), "(service web) has reached a steady state."),
        (
            events.deployment_failed("ecs-svc/2", "tasks failed to start"),
            "(service web) (deployment ecs-svc/2) deployment failed: tasks failed to start.",
        ),
        (events.rolling_back("ecs-svc/1"), "(service web) rolling back to deployment ecs-svc/1."),
    ],
)
def test_the_messages_are_to_the_letter(text: str, message: str) -> None:
    assert events.message("web", text) == message


@proves(events.kept)
def test_a_service_keeps_its_hundred_newest_events() -> None:
    old = tuple(Event(float(n), str(n)) for n in reversed(range(99)))
    kept = events.kept(old, [Event(99.0, "99"), Event(100.0, "100")])
    assert [each.message for each in kept] == [str(n) for n in reversed(range(1, 101))]


@proves(events.due)
def test_a_duplicate_waits_for_another_cause_or_for_six_hours() -> None:
    assert events.due(["a", "a", "b"], {"b": 0.0}, 10.0) == ["a"]
    assert events.due(["b"], {"b": 0.0}, 6 * 3600.0) == ["b"]


def test_the_steady_state_is_an_event_every_six_hours() -> None:
    bench = Bench().settle()
    bench.said.clear()
    for _ in range(13):
        bench.step(3600.0)
    assert bench.said == ["(service app) has reached a steady state."] * 2


def test_a_cause_that_comes_again_is_an_event_again() -> None:
    bench = Bench().settle()
    for _ in range(2):
        bench.said.clear()
        bench.deploy(force=True)
        bench.settle()
        assert bench.said.count("(service app) has reached a steady state.") == 1
