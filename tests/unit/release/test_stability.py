"""What ECS's description of a service says of a deployment."""

from __future__ import annotations

from typing import Any

import pytest

from release.stability import State, judge, stopped_reasons

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
