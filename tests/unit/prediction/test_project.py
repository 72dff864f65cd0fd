"""What is read out of plans and states of all kinds, and what is asked for where they do not say it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sim.cluster import instance_types
from sim.cluster.deployments import LoadBalancer
from sim.prediction.answers import Answers, NotKnown, NotRehearsed
from sim.prediction.project import Project, scenario
from sim.prediction.scenario import ContainerCheck, Scenario
from sim.prediction.terraform_json import NotTerraformJson, read
from tests.unit.prediction import made


def of(*texts: str, **answers: Any) -> Scenario:
    resources = tuple(resource for text in texts for resource in read(Path("plan.json"), text))
    return scenario(Project(resources), "app", Answers(**answers))


def test_a_state_says_everything() -> None:
    found = of(made.project())
    assert (found.desired, len(found.instances), found.settings.grace_seconds) == (2, 3, 60.0)
    assert {(each.cpu, each.memory) for each in found.instances} == {(2048, 1945)}
    assert found.revision.load_balancers == (LoadBalancer("elb", "web", "app", 8080),)
    ((_, policy),) = found.classic
    assert (policy.check.interval, policy.check.unhealthy, policy.drain) == (5.0, 2, 60.0)
    assert found.revision.definition.memory == 512


def test_other_services_of_the_cluster_are_its_neighbours() -> None:
    parts = made.service(cluster="a"), made.definition(), made.elb(), made.group(), made.template()
    here = made.neighbour(256, "worker", cluster="a")
    elsewhere = made.neighbour(256, "other", cluster="b")
    unknown, _ = made.neighbour(256, "unknown", cluster="a")
    found = of(made.state(*parts, *here, *elsewhere, unknown))
    assert [(each.name, each.desired, each.definition.memory) for each in found.neighbours] == [("worker", 3, 256)]
    assert found.overlooked == ("unknown",)


def test_several_files_are_one_project() -> None:
    found = of(
        made.state(made.service(), made.definition()), made.state(made.elb()), made.state(made.group(), made.template())
    )
    assert found == of(made.project())


def test_a_container_health_check_is_taken_with_its_times() -> None:
    check = {"command": ["true"], "interval": 5, "retries": 2, "startPeriod": 30}
    text = made.state(
        made.service(),
        made.definition(containers=[{**made.CONTAINER, "healthCheck": check}]),
        made.elb(),
        made.group(),
        made.template(),
    )
    assert of(text).container_check == ContainerCheck(5.0, 2, 30.0)
    assert of(text).revision.definition.health_check


def plan(*changes: dict[str, Any], configuration: dict[str, Any] | None = None) -> str:
    return json.dumps(
        {
            "format_version": "1.2",
            "planned_values": {},
            "resource_changes": [{"mode": "managed", **each} for each in changes],
            "configuration": {"root_module": configuration or {}},
        }
    )


def change(held: dict[str, Any], *unknown: str, address: str = "") -> dict[str, Any]:
    known = {name: value for name, value in held["values"].items() if name not in unknown}
    return {
        "address": address or held["address"],
        "type": held["type"],
        "change": {"actions": ["create"], "after": known, "after_unknown": dict.fromkeys(unknown, True)},
    }


def test_a_first_plan_follows_its_references() -> None:
    other = made.resource("aws_ecs_task_definition.other", family="x", container_definitions="[]")
    configuration = {
        "resources": [
            {
                "address": "aws_ecs_service.app",
                "expressions": {
                    "task_definition": {"references": ["module.task.arn", "module.task"]},
                    "load_balancer": [{"elb_name": {"references": ["aws_elb.web.name", "aws_elb.web"]}}],
                },
            }
        ],
        "module_calls": {
            "task": {
                "module": {
                    "outputs": {"arn": {"expression": {"references": ["aws_ecs_task_definition.app[0].arn"]}}},
                    "resources": [{"address": "aws_ecs_task_definition.app", "expressions": {}}],
                }
            }
        },
    }
    service = made.service(load_balancer=[{"container_name": "app", "container_port": 8080}])
    text = plan(
        change(service, "task_definition", address="aws_ecs_service.app[0]"),
        change(made.definition(), "arn", address='module.task["a"].aws_ecs_task_definition.app[0]'),
        change(other, "arn"),
        change(made.elb()),
        change(made.group(), "launch_template"),
        change(made.template(), "id"),
        configuration=configuration,
    )
    found = of(text)
    assert found.revision.definition.cpu == 256
    assert found.revision.load_balancers[0].kind == "elb"
    assert found.instances[0].cpu == 2048


def test_what_a_plan_does_not_know_is_asked_for_all_at_once() -> None:
    text = plan(change(made.service(), "task_definition"), change(made.definition(), "container_definitions", "arn"))
    with pytest.raises(NotKnown) as asked:
        of(text)
    for flag in ("--instances", "--host-port", "--cpu", "--memory", "--check-interval", "--drain-timeout"):
        assert flag in str(asked.value)
    found = of(
        text,
        instances=3,
        instance_cpu=2048,
        instance_memory=1900,
        host_port=8080,
        cpu=256,
        memory=512,
        check_interval=5.0,
        drain_timeout=60.0,
    )
    assert (len(found.instances), found.revision.definition.ports[0].host_port) == (3, 8080)


def test_what_is_to_be_destroyed_is_not_there() -> None:
    gone = {
        "address": "aws_ecs_service.old",
        "type": "aws_ecs_service",
        "change": {"actions": ["delete"], "after": None},
    }
    assert read(Path("p"), plan(gone)) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"deployment_controller": [{"type": "CODE_DEPLOY"}]}, "deployment controller CODE_DEPLOY"),
        ({"deployment_controller": [{"type": "EXTERNAL"}]}, "deployment controller EXTERNAL"),
        ({"launch_type": "FARGATE"}, "runs on Fargate"),
        ({"capacity_provider_strategy": [{"capacity_provider": "FARGATE_SPOT"}]}, "runs on Fargate"),
        ({"desired_count": 0}, "desired count of 0"),
    ],
)
def test_what_is_not_rehearsed_says_why(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(NotRehearsed, match=words):
        of(made.project(**changes))


def test_files_without_a_service_are_named() -> None:
    with pytest.raises(NotRehearsed, match="no aws_ecs_service"):
        of(made.state(made.elb()))


@pytest.mark.parametrize(
    ("text", "words"),
    [("resource {}", "is no JSON"), ("[]", "neither a plan nor a state"), ('{"a": 1}', "neither a plan nor a state")],
)
def test_files_that_are_no_plan_are_refused(text: str, words: str) -> None:
    with pytest.raises(NotTerraformJson, match=words):
        read(Path("plan.json"), text)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("t3.small", (2048, 1945)),
        ("t2.micro", (1024, 972)),
        ("m5.large", (2048, 7782)),
        ("c6i.2xlarge", (8192, 15564)),
        ("r5.xlarge", (4096, 31129)),
        ("p4d.24xlarge", None),
        ("", None),
    ],
)
def test_instance_types_have_their_resources(name: str, expected: tuple[int, int] | None) -> None:
    assert instance_types.resources(name) == expected


def test_alarms_bake_as_long_as_their_longest_period() -> None:
    alarm = made.resource("aws_cloudwatch_metric_alarm.errors", alarm_name="errors", period=60, evaluation_periods=2)
    block = [{"enable": True, "rollback": True, "alarm_names": ["errors"]}]
    text = made.state(made.service(alarms=block), made.definition(), made.elb(), made.group(), made.template(), alarm)
    alarms = of(text).settings.configuration.alarms
    assert alarms
    assert (alarms.names, alarms.bake_seconds, alarms.rollback) == (("errors",), 120.0, True)


def test_a_first_plan_as_terraform_prints_it() -> None:
    path = Path(__file__).parent / "first_plan.json"
    found = scenario(Project(tuple(read(path, path.read_text()))), "app", Answers())
    assert (found.desired, len(found.instances), found.instances[0].cpu) == (4, 2, 2048)
    assert found.revision.definition.ports[0].host_port == 0
    ((balancer, group),) = found.groups
    assert balancer.kind == "target-group"
    assert (group.deregistration_delay, group.check.interval) == (30.0, 10.0)
