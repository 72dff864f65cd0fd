"""The state of deployments follows from their tasks, in whatever order agents report changes."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from sim.cloud.control_plane.ecs import descriptions
from sim.cloud.control_plane.ecs.services import Change, Service, create, observe, update
from sim.cloud.control_plane.ecs.tasks import Reservation, Task, change, request_stop

NOW = datetime(2026, 1, 1, tzinfo=UTC)
STATUSES = ("PENDING", "RUNNING", "STOPPED")
# Pairs of a task's number and its reported status; None is a request to stop the task.
reports = st.lists(st.tuples(st.integers(0, 5), st.sampled_from([*STATUSES, None])), max_size=40)


def changes() -> Change:
    numbers = itertools.count()
    return Change(NOW, lambda: str(next(numbers)))


def service(desired: int, now: Change) -> Service:
    breaker = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}
    asked = {"serviceName": "api", "desiredCount": desired, "deploymentConfiguration": breaker}
    return create("arn:service/c/api", {"clusterArn": "c"}, asked, "api:1", {}, now)


def task(number: int, deployment: str) -> Task:
    return Task(
        arn=f"arn:task/c/{number}",
        cluster_arn="c",
        container_instance_arn="i",
        definition_arn="d",
        group="service:api",
        started_by=deployment,
        reservation=Reservation(0, 0, frozenset()),
        containers=(),
        settings={},
        tags={},
        created_at=NOW,
    )


def progress(tasks: list[Task], number: int, status: str | None) -> None:
    one = tasks[number]
    tasks[number] = request_stop(one, "by hand", NOW) if status is None else change(one, {"status": status}, NOW)


@given(reports, st.integers(0, 4))
def test_the_description_of_a_service_matches_its_tasks(reports: list[tuple[int, str | None]], desired: int) -> None:
    now = changes()
    seen = service(desired, now)
    first = seen.primary.id
    seen = update(seen, {}, "api:2", now)
    tasks = [task(number, first if number < 3 else seen.primary.id) for number in range(6)]
    for number, status in reports:
        progress(tasks, number, status)
        seen = observe(seen, tasks, now)
        described = descriptions.service(seen, tasks)
        assert described["runningCount"] == sum(each.last_status == "RUNNING" for each in tasks)
        assert [each["status"] for each in described["deployments"]].count("PRIMARY") == 1
        known = {each["id"] for each in described["deployments"]}
        assert {each.started_by for each in tasks if not each.stopped} <= known
        assert sum(each["runningCount"] for each in described["deployments"]) == described["runningCount"]


@given(reports, st.integers(0, 5))
def test_a_task_never_goes_backwards(reports: list[tuple[int, str | None]], number: int) -> None:
    tasks = [task(each, "ecs-svc/1") for each in range(6)]
    order = [tasks[number].last_status]
    for each, status in reports:
        progress(tasks, each, status)
        order.append(tasks[number].last_status)
    assert order == sorted(order, key=STATUSES.index)


def test_a_failed_deployment_without_an_earlier_good_one_stays_failed() -> None:
    now = changes()
    seen = service(1, now)
    failed = [
        replace(task(number, seen.primary.id), last_status="STOPPED", stop_code="TaskFailedToStart")
        for number in range(3)
    ]
    seen = observe(seen, failed[:2], now)
    assert (seen.primary.rollout_state, seen.primary.failed_tasks) == ("IN_PROGRESS", 2)
    seen = observe(seen, failed, now)
    assert (seen.primary.rollout_state, seen.primary.failed_tasks) == ("FAILED", 3)
    assert observe(seen, failed, now) == seen
