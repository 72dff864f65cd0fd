"""What a trial reads from ECS's answers, and the revision that it makes."""

from __future__ import annotations

from typing import Any

import pytest

from sim.rehearsal.looks import SeenTask
from sim.rehearsal.scenario import Revision
from sim.rehearsal.stage import Before, revised, seen

SIDECAR = {"name": "proxy", "image": "proxy:1", "essential": False}
WEB = {"name": "web", "image": "web:1", "environment": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]}


def test_a_new_revision_differs_in_a_label_at_least_and_leaves_the_present_one_alone() -> None:
    definition: dict[str, Any] = {"family": "web", "containerDefinitions": [SIDECAR, WEB]}
    proxy, web = revised(definition, Revision())["containerDefinitions"]
    assert proxy == SIDECAR
    assert web == {**WEB, "dockerLabels": {"sim-trial": "new"}}
    assert "dockerLabels" not in WEB


def test_a_revision_changes_the_first_essential_container() -> None:
    change = Revision(environment={"B": "3", "C": "4"}, image="web:2")
    web = revised({"containerDefinitions": [SIDECAR, WEB]}, change)["containerDefinitions"][1]
    assert web["image"] == "web:2"
    assert {each["name"]: each["value"] for each in web["environment"]} == {"A": "1", "B": "3", "C": "4"}


@pytest.mark.parametrize(
    ("status", "health", "checked", "healthy"),
    [
        ("RUNNING", "HEALTHY", True, True),
        ("RUNNING", "UNKNOWN", True, False),
        ("RUNNING", "UNKNOWN", False, True),
        ("PENDING", "UNKNOWN", False, False),
    ],
)
def test_a_task_is_healthy_by_its_check_if_it_has_one(status: str, health: str, checked: bool, healthy: bool) -> None:
    task = {"taskArn": "t", "taskDefinitionArn": "web:2", "lastStatus": status, "healthStatus": health}
    assert seen(task, "web:2", checked=checked) == SeenTask("t", new=True, running=status == "RUNNING", healthy=healthy)


def test_the_percents_are_rounded_as_ecs_does() -> None:
    configuration = {"minimumHealthyPercent": 50, "maximumPercent": 150}
    before = Before(
        {"desiredCount": 3, "deploymentConfiguration": configuration}, {"containerDefinitions": [{"healthCheck": {}}]}
    )
    assert before.percents == (2, 4)
    assert before.checked
