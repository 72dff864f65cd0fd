"""Whoever has ECS start tasks passes it the roles of their definition."""

from __future__ import annotations

from typing import Any

import pytest

from sim.aws.api_call import ApiCall, ApiProtocol
from sim.aws.iam.needs import Destination, Need
from sim.cloud.control_plane.iam.passing import passing

DESTINATION = Destination("eu-central-1", "111122223333")
TASK, EXECUTION, OTHER = (f"arn:aws:iam::111122223333:role/{name}" for name in ("task", "execution", "other"))
REGISTERED = {("111122223333", "eu-central-1", "api:1"): {"taskRoleArn": TASK, "executionRoleArn": EXECUTION}}


def passed(operation: str, **parameters: Any) -> list[str]:
    call = ApiCall("ecs", operation, ApiProtocol.JSON)
    needs = passing(lambda *name: REGISTERED.get(name, {}), call, parameters, DESTINATION)
    to_tasks = {"iam:PassedToService": "ecs-tasks.amazonaws.com"}
    assert all(each == Need("iam:PassRole", each.resource, to_tasks) for each in needs)
    return [each.resource for each in needs]


@pytest.mark.parametrize("operation", ["CreateService", "RunTask", "StartTask", "UpdateService"])
def test_the_roles_of_the_definition_are_passed(operation: str) -> None:
    assert passed(operation, taskDefinition="api:1") == [TASK, EXECUTION]


def test_roles_that_a_task_has_in_their_place_are_passed_instead() -> None:
    assert passed("RunTask", taskDefinition="api:1", overrides={"taskRoleArn": OTHER}) == [OTHER, EXECUTION]


def test_who_starts_no_tasks_of_a_definition_passes_no_role() -> None:
    assert passed("UpdateService", desiredCount=3) == []
    assert passed("DescribeTaskDefinition", taskDefinition="api:1") == []
    assert passed("RunTask", taskDefinition="api:2") == []
