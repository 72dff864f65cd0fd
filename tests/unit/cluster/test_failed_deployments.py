"""Deployments that fail: the circuit breaker, alarms, and the way back."""

from __future__ import annotations

import itertools
from dataclasses import replace

from sim.cluster import circuit_breaker, deployments, rollout
from sim.cluster import tasks as lifecycle
from sim.cluster.circuit_breaker import CircuitBreaker, Threshold
from sim.cluster.deployments import Alarms, DeploymentConfiguration
from sim.cluster.services import Settings
from tests.unit.cluster.bench import APP, BREAKER, Bench
from tests.unit.cluster.proves import proves

ALARMS = Settings(DeploymentConfiguration(100, 150, alarms=Alarms(("errors",), rollback=True, bake_seconds=120.0)))


@proves(circuit_breaker.failures_allowed)
def test_the_threshold_is_bounded_unless_configured_otherwise() -> None:
    assert [circuit_breaker.failures_allowed(CircuitBreaker(), n) for n in (1, 6, 7, 25, 500)] == [3, 3, 4, 13, 200]
    unbounded = CircuitBreaker(threshold=Threshold("UNBOUNDED_PERCENT", 10))
    assert [circuit_breaker.failures_allowed(unbounded, n) for n in (1, 100, 5000)] == [1, 10, 500]
    assert circuit_breaker.failures_allowed(CircuitBreaker(threshold=Threshold("COUNT", 2)), 50) == 2


@proves(circuit_breaker.counted)
def test_a_healthy_task_resets_the_count_unless_that_is_off() -> None:
    assert circuit_breaker.counted(CircuitBreaker(), 2, 0, healthy=True) == 0
    assert circuit_breaker.counted(CircuitBreaker(reset_on_healthy_task=False), 2, 1, healthy=True) == 3
    assert circuit_breaker.counted(CircuitBreaker(), 2, 1, healthy=False) == 3


@proves(
    circuit_breaker.is_failure,
    circuit_breaker.reason,
    deployments.failed,
    deployments.rollback_target,
    deployments.rolled_back,
)
def test_a_version_that_never_gets_healthy_is_rolled_back() -> None:
    bench = Bench(settings=BREAKER).settle()
    bench.deploy()
    for _ in range(40):
        bench.step()
        fail_new(bench)
        if bench.service.primary.id == "ecs-svc/1":
            break
    assert "(service app) (deployment ecs-svc/2) deployment failed: tasks failed to start." in bench.said
    assert "(service app) rolling back to deployment ecs-svc/1." in bench.said
    broken = next(each for each in bench.service.ended if each.id == "ecs-svc/2")
    assert (broken.rollout_state, broken.failed_tasks) == ("FAILED", 3)
    assert broken.rollout_reason == "ECS deployment circuit breaker: tasks failed to start."
    back = deployments.rolled_back(bench.service.primary, "circuit breaker", bench.now)
    assert back.rollout_reason == "ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/1."
    bench.settle()
    assert {each.definition for each in bench.live()} == {APP}


def test_without_rollback_the_old_tasks_stay_and_nothing_more_is_started() -> None:
    breaker = Settings(DeploymentConfiguration(100, 150, CircuitBreaker(enable=True)))
    bench = Bench(settings=breaker).settle()
    bench.deploy()
    for _ in range(40):
        bench.step()
        fail_new(bench)
    assert bench.service.primary.rollout_state == "FAILED"
    assert len(bench.live("ecs-svc/1")) == 2
    assert bench.live("ecs-svc/2") == []


def fail_new(bench: Bench) -> None:
    """The old tasks serve, those of the second deployment end before they run."""
    for task in list(bench.tasks.values()):
        if task.deployment == "ecs-svc/2" and task.last_status == "PENDING":
            bench.put(lifecycle.ended(task, bench.now, "CannotStartContainerError: no such command"))
    bench.serve()


def test_tasks_that_cannot_start_are_tried_less_and_less_often() -> None:
    bench = Bench(settings=Settings(DeploymentConfiguration(100, 150))).settle()
    bench.deploy()
    for _ in range(360):
        bench.step()
        fail_new(bench)
    tried = sorted(each.created_at for each in bench.tasks.values() if each.deployment == "ecs-svc/2")
    gaps = [after - before for before, after in itertools.pairwise(tried)]
    assert gaps == sorted(gaps)
    assert gaps[-1] >= 600
    assert sum("is unable to consistently start tasks" in each for each in bench.said) <= len(gaps)
    bench.deploy(replace(APP, arn="app:3"))
    bench.settle()


@proves(circuit_breaker.counts_as_launch_failure)
def test_a_task_without_room_opens_the_breaker_unless_room_is_on_its_way() -> None:
    settled = Bench(desired=2, hosts=2, settings=BREAKER).settle()
    settled.deploy()
    for _ in range(3):
        settled.step()
    settled.step()
    assert any(
        each.startswith("(service app) could not launch 1 tasks for deployment ecs-svc/2.") for each in settled.said
    )
    assert settled.service.primary.id == "ecs-svc/1"
    moving = Bench(settings=BREAKER).settle()
    moving.deploy()
    moving.settle()
    assert moving.service.primary.id == "ecs-svc/2"


@proves(deployments.alarmed)
def test_an_alarm_takes_a_deployment_back() -> None:
    bench = Bench(settings=ALARMS).settle()
    bench.deploy()
    bench.step()
    bench.alarms = frozenset({"errors"})
    bench.step()
    assert "(service app) (deployment ecs-svc/2) deployment failed: alarm detected." in bench.said
    assert "(service app) rolling back to deployment ecs-svc/1." in bench.said
    bench.settle()
    assert {each.definition for each in bench.live()} == {APP}


def test_an_alarm_that_was_there_before_is_ignored_throughout() -> None:
    bench = Bench(settings=ALARMS).settle()
    bench.alarms = frozenset({"errors"})
    bench.deploy()
    bench.step()
    bench.alarms = frozenset()
    bench.step()
    bench.alarms = frozenset({"errors"})
    bench.settle(60)
    assert bench.service.primary.id == "ecs-svc/2"


@proves(rollout.baked, deployments.bake_seconds)
def test_a_deployment_with_alarms_bakes_before_it_is_completed() -> None:
    assert deployments.bake_seconds([(3, 60), (1, 300)]) == 300.0
    assert deployments.bake_seconds([]) == 0.0
    bench = Bench(settings=ALARMS).settle(40)
    bench.deploy()
    bench.settle(60)
    last = max(each.stopped_at or 0.0 for each in bench.tasks.values())
    assert bench.service.primary.updated_at - last >= 120.0
