"""What ECS's description of a service says of a deployment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from release.stability import State, hides_rollout, judge, stopped_reasons, with_rollout

NEW, OLD = "arn:aws:ecs:r:a:task-definition/emails-api:2", "arn:aws:ecs:r:a:task-definition/emails-api:1"


def deployment(status: str, task_definition: str, **more: Any) -> dict[str, Any]:
    return {"status": status, "taskDefinition": task_definition, **more}


def service(running: int, *deployments: dict[str, Any], desired: int = 2, status: str = "ACTIVE") -> dict[str, Any]:
    return {"status": status, "runningCount": running, "desiredCount": desired, "deployments": list(deployments)}


DONE = deployment("PRIMARY", NEW, rolloutState="COMPLETED")
UNDER_WAY = deployment("PRIMARY", NEW, rolloutState="IN_PROGRESS")


@pytest.mark.parametrize(
    ("described", "state"),
    [
        (service(2, DONE), State.STABLE),
        (service(2, deployment("PRIMARY", NEW)), State.STABLE),
        (service(0, DONE, desired=0), State.STABLE),
        (service(1, DONE), State.GOING_ON),
        (service(3, DONE), State.GOING_ON),
        (service(2, UNDER_WAY), State.GOING_ON),
        (service(3, UNDER_WAY, deployment("ACTIVE", OLD)), State.GOING_ON),
        (service(2, DONE, deployment("ACTIVE", OLD)), State.GOING_ON),
        (service(2, deployment("PRIMARY", OLD)), State.FAILED),
        (service(2, deployment("PRIMARY", OLD), deployment("ACTIVE", NEW, rolloutState="FAILED")), State.FAILED),
        (service(2, deployment("PRIMARY", NEW, rolloutState="FAILED")), State.FAILED),
        (service(2, DONE, status="DRAINING"), State.FAILED),
        ({}, State.FAILED),
    ],
)
def test_a_deployment_is_going_on_stable_or_failed(described: dict[str, Any], state: State) -> None:
    assert judge(described, NEW).state is state


@pytest.mark.parametrize(
    "described", [{}, {"status": "INACTIVE", "deployments": []}, service(2, deployment("PRIMARY", OLD))]
)
def test_ecs_that_has_not_heard_of_a_deployment_yet_is_given_time(described: dict[str, Any]) -> None:
    assert judge(described, NEW, may_be_late=True).state is State.GOING_ON


def test_a_deployment_that_ecs_went_back_from_is_never_late() -> None:
    gone = deployment("ACTIVE", NEW, rolloutState="FAILED")
    assert judge(service(2, deployment("PRIMARY", OLD), gone), NEW, may_be_late=True).state is State.FAILED


def test_a_rollback_by_ecs_says_to_what_and_why() -> None:
    gone = deployment("ACTIVE", NEW, rolloutState="FAILED", rolloutStateReason="tasks failed to start.")
    assert judge(service(2, deployment("PRIMARY", OLD), gone), NEW).why == (
        "ECS went back to emails-api:1: tasks failed to start."
    )


def test_a_deployment_under_way_says_how_far_it_is() -> None:
    found = judge(service(1, UNDER_WAY | {"failedTasks": 3}, deployment("ACTIVE", OLD)), NEW)
    assert found.why == "1 of 2 tasks run, 2 deployments, 3 failed"


BEGAN = datetime(2026, 11, 27, tzinfo=UTC)
HIDDEN = deployment("PRIMARY", NEW, createdAt=BEGAN)


def test_a_service_behind_a_classic_elb_hides_the_rollout_state() -> None:
    assert hides_rollout(service(2, HIDDEN))
    assert not hides_rollout(service(2, DONE))
    assert not hides_rollout({})


@pytest.mark.parametrize(
    ("status", "seconds", "state"),
    [
        ("SUCCESSFUL", 0, State.STABLE),
        ("IN_PROGRESS", 1, State.GOING_ON),
        ("PENDING", -1, State.GOING_ON),
        ("STOPPED", 0, State.FAILED),
        ("ROLLBACK_SUCCESSFUL", 600, State.STABLE),
        ("ROLLBACK_IN_PROGRESS", 600, State.GOING_ON),
        ("STOPPED", -600, State.STABLE),
    ],
)
def test_its_service_deployment_tells_it(status: str, seconds: int, state: State) -> None:
    known = [
        {"status": "STOPPED", "createdAt": BEGAN - timedelta(hours=1)},
        {"status": status, "createdAt": BEGAN + timedelta(seconds=seconds), "statusReason": "because"},
    ]
    found = judge(with_rollout(service(2, HIDDEN), known), NEW)
    assert found.state is state
    assert state is not State.FAILED or found.why == "because"


def test_a_service_without_service_deployments_is_judged_by_its_counts() -> None:
    assert judge(with_rollout(service(2, HIDDEN), []), NEW).state is State.STABLE


def test_stopped_tasks_say_why_each_reason_once() -> None:
    killed = {
        "stoppedReason": "Essential container in task exited",
        "containers": [{"name": "api", "exitCode": 137, "reason": "OutOfMemoryError: Container killed"}],
    }
    missing = {"stoppedReason": "CannotPullContainerError", "containers": [{"name": "api"}]}
    assert stopped_reasons([killed, missing, killed, {}]) == [
        "Essential container in task exited; api ended with 137: OutOfMemoryError: Container killed",
        "CannotPullContainerError",
    ]
