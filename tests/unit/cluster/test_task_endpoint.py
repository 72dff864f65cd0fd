"""What a task is told about itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sim.cluster import task_endpoint
from sim.cluster.desired import Desired, DesiredInstance, DesiredTask, Place

PLACE = Place("000000000000", "eu-central-1")
ROLE = "arn:aws:iam::000000000000:role/api"
TASK = DesiredTask(
    arn="arn:aws:ecs:eu-central-1:000000000000:task/emails/0123456789abcdef0123456789abcdef",
    place=PLACE,
    cluster="arn:aws:ecs:eu-central-1:000000000000:cluster/emails",
    container_instance="arn:ci",
    definition={
        "family": "api",
        "revision": 7,
        "taskRoleArn": ROLE,
        "networkMode": "bridge",
        "containerDefinitions": [
            {"name": "api", "image": "api@sha256:1", "cpu": 256, "memory": 512},
            {"name": "beside", "image": "beside:1", "logConfiguration": {"logDriver": "awslogs"}},
        ],
    },
    overrides={},
    group="service:api",
    started_by="ecs-svc/1",
    created_at=1_700_000_000.0,
    desired_status="RUNNING",
)
INSTANCE = DesiredInstance("i-1", PLACE, "eu-central-1a", "10.0.0.1", "t3.small", "ami", "", "arn:ci")
DESIRED = Desired(1, (INSTANCE,), (TASK,))


def asked(path: str, desired: Desired = DESIRED) -> tuple[int, Any]:
    answer = task_endpoint.answer(desired, path)
    assert answer is not None
    return answer.status, answer.document


def test_a_container_and_its_task_are_described() -> None:
    base = task_endpoint.environment(TASK, "api")["ECS_CONTAINER_METADATA_URI_V4"]
    path = base.removeprefix("http://169.254.170.2")
    status, container = asked(path)
    assert (status, container["Name"], container["Image"]) == (200, "api", "api@sha256:1")
    assert container["Limits"] == {"CPU": 256, "Memory": 512}
    assert container["Labels"]["com.amazonaws.ecs.task-definition-version"] == "7"
    status, task = asked(f"{path}/task")
    assert (status, task["TaskARN"], task["ServiceName"], task["AvailabilityZone"]) == (
        200,
        TASK.arn,
        "api",
        "eu-central-1a",
    )
    assert [each["Name"] for each in task["Containers"]] == ["api", "beside"]
    assert asked(f"{path}/other")[0] == 404


def test_each_container_has_a_path_of_its_own_that_nobody_else_has() -> None:
    paths = {task_endpoint.metadata_path(TASK.arn, name) for name in ("api", "beside")}
    assert len(paths) == 2
    assert asked("/v4/other")[0] == 404
    assert task_endpoint.answer(DESIRED, "/listeners") is None


def test_the_path_of_credentials_is_of_the_task_that_has_a_role() -> None:
    path = task_endpoint.environment(TASK, "api")["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"]
    assert task_endpoint.task_of(DESIRED, path) is TASK
    assert task_endpoint.task_of(DESIRED, f"{path}x") is None
    elsewhere = task_endpoint.environment(TASK, "api", "http://127.0.0.1:5")
    assert elsewhere["AWS_CONTAINER_CREDENTIALS_FULL_URI"] == f"http://127.0.0.1:5{path}"
    assert not {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_ACCESS_KEY_ID"} & elsewhere.keys()


def test_the_role_of_run_task_is_the_one_that_counts() -> None:
    task = replace(TASK, overrides={"taskRoleArn": "arn:other"})
    assert [each.role("taskRoleArn") for each in (TASK, task)] == [ROLE, "arn:other"]
    assert task.role("executionRoleArn") == ""


@pytest.mark.parametrize("tasks", [(), (replace(TASK, definition={**TASK.definition, "taskRoleArn": ""}),)])
def test_without_a_task_or_a_role_the_answer_is_the_agents_error(tasks: tuple[DesiredTask, ...]) -> None:
    path = task_endpoint.credentials_path(TASK.arn)
    assert task_endpoint.task_of(replace(DESIRED, tasks=tasks), path) is None
    status, document = asked(path, replace(DESIRED, tasks=tasks))
    assert (status, document["code"]) == (400, "InvalidIdInRequest")
    for task in tasks:
        given = task_endpoint.environment(task, "api")
        assert not [name for name in given if "CREDENTIALS" in name]
        assert given["AWS_ACCESS_KEY_ID"] == task.place.account, "the instance's role is nowhere"
