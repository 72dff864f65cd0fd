"""When a task is healthy, when it has to be replaced, and when neither."""

from __future__ import annotations

from dataclasses import replace

from sim.cluster import health
from sim.cluster.health import Unhealthy
from sim.cluster.target_health import TargetHealth
from sim.cluster.task_definitions import TaskDefinition
from sim.cluster.tasks import HealthStatus, Task, placed, running
from tests.unit.cluster.bench import APP, ELB, FAILING, GROUP, IN_SERVICE, REGISTERING
from tests.unit.cluster.proves import proves

CHECKED = replace(APP, health_check=True)


def task(definition: TaskDefinition = APP, status: HealthStatus = "UNKNOWN", *, registered: bool = True) -> Task:
    made = running(placed(Task("t", definition, 0.0), "i1"), 100.0)
    return replace(made, health=status, registered=registered)


@proves(health.healthy)
def test_a_task_is_healthy_when_all_that_check_it_say_so() -> None:
    both = (ELB, GROUP)
    assert health.healthy(task(), (ELB,), {ELB: IN_SERVICE}, 100.0)
    assert not health.healthy(task(), (ELB,), {ELB: REGISTERING}, 1e6)
    assert not health.healthy(task(), (ELB,), {}, 1e6)
    assert not health.healthy(task(), both, {ELB: IN_SERVICE}, 1e6)
    assert not health.healthy(task(CHECKED), (ELB,), {ELB: IN_SERVICE}, 1e6)
    assert health.healthy(task(CHECKED, "HEALTHY"), (ELB,), {ELB: IN_SERVICE}, 100.0)
    assert health.healthy(task(CHECKED, "HEALTHY"), (), {}, 100.0)
    assert not health.healthy(replace(task(), deregistered_at=1.0), (ELB,), {ELB: IN_SERVICE}, 100.0)
    assert not health.healthy(task(registered=False), (ELB,), {ELB: IN_SERVICE}, 100.0), "an earlier task's verdict"


@proves(health.settled)
def test_a_task_that_nothing_checks_is_healthy_after_forty_seconds() -> None:
    assert not health.healthy(task(), (), {}, 139.9)
    assert health.healthy(task(), (), {}, 140.0)


@proves(health.in_grace)
def test_the_grace_period_covers_balancers_and_containers() -> None:
    for bad in (task(), task(CHECKED, "UNHEALTHY")):
        assert health.unhealthy(bad, (ELB,), {ELB: FAILING}, 60.0, 159.9) is None
        assert health.unhealthy(bad, (ELB,), {ELB: FAILING}, 60.0, 160.0)


def test_the_reason_names_what_failed() -> None:
    assert health.unhealthy(task(), (ELB,), {ELB: FAILING}, 0.0, 200.0) == Unhealthy(
        "Task failed ELB health checks in (elb web)", "elb web", FAILING.description
    )
    assert health.unhealthy(task(CHECKED, "UNHEALTHY"), (), {}, 0.0, 200.0) == Unhealthy(
        "Task failed container health checks"
    )
    assert health.unhealthy(task(), (), {}, 0.0, 1e6) is None


@proves(health.fails_checks)
def test_a_target_that_is_new_or_leaving_does_not_fail_its_checks() -> None:
    assert health.fails_checks(FAILING)
    assert health.fails_checks(TargetHealth("OutOfService", "Target.Timeout", "Request timed out"))
    for reason in ("ELB", "Elb.InitialHealthChecking", "Target.DeregistrationInProgress"):
        assert not health.fails_checks(TargetHealth("OutOfService", reason, ""))
    assert not health.fails_checks(IN_SERVICE)
    back = "Instance has not passed the configured HealthyThreshold number of health checks consecutively."
    assert not health.fails_checks(TargetHealth("OutOfService", "Instance", back))
