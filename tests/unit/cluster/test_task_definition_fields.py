"""The table of what the agent does of a task definition."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest

from sim.cluster.task_definition_fields import FIELDS, not_done


def leaves(shape: Any, path: str = "") -> Iterator[str]:
    """The paths of a shape, down to those that the table speaks for."""
    while shape.type_name == "list":
        shape = shape.member
    if shape.type_name != "structure" or path in FIELDS:
        yield path
        return
    for name, member in shape.members.items():
        yield from leaves(member, f"{path}.{name}" if path else name)


def test_every_parameter_of_aws_is_in_it_and_nothing_else() -> None:
    model = botocore.session.Session().get_service_model("ecs").operation_model("RegisterTaskDefinition")
    assert sorted(leaves(model.input_shape)) == sorted(FIELDS)


def test_a_field_that_is_not_done_says_why() -> None:
    assert [name for name, each in FIELDS.items() if not (each.containers and each.processes) and not each.note] == []


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"networkMode": "awsvpc"}, ["networkMode=awsvpc"]),
        ({"requiresCompatibilities": ["EC2", "FARGATE"]}, ["requiresCompatibilities=FARGATE"]),
        ({"volumes": [{"name": "x", "efsVolumeConfiguration": {"fileSystemId": "fs-1"}}]}, ["volumes.efsVolume"]),
        ({"containerDefinitions": [{"environmentFiles": []}, {"links": ["a:b"]}]}, []),
        (
            {
                "containerDefinitions": [
                    {"logConfiguration": {"logDriver": "awsfirelens"}},
                    {"restartPolicy": {"enabled": True}},
                ]
            },
            ["containerDefinitions.logConfiguration.logDriver=awsfirelens", "containerDefinitions.restartPolicy"],
        ),
    ],
)
def test_what_a_definition_asks_for_in_vain_is_named(settings: dict[str, Any], named: list[str]) -> None:
    found = not_done(settings, "containers")
    assert len(found) == len(named)
    assert all(each.startswith(name) for each, name in zip(found, named, strict=True))


def test_processes_do_less() -> None:
    settings = {"containerDefinitions": [{"readonlyRootFilesystem": True, "privileged": False, "command": ["x"]}]}
    assert not_done(settings, "containers") == ()
    assert [each.partition(":")[0] for each in not_done(settings, "processes")] == [
        "containerDefinitions.readonlyRootFilesystem"
    ]
