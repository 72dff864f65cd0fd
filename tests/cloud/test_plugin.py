"""The plugin as a whole: it adds services that share the resources of LocalStack."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.cloud.shared import Client


@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("autoscaling", "describe_auto_scaling_groups"),
        ("ecr", "describe_repositories"),
        ("ecs", "list_clusters"),
        ("elb", "describe_load_balancers"),
    ],
)
def test_a_service_that_localstack_lacks_answers(aws: Callable[[str], Client], service: str, operation: str) -> None:
    answer = getattr(aws(service), operation)()
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_aws_managed_policies_exist(aws: Callable[[str], Client]) -> None:
    arn = "arn:aws:iam::aws:policy/service-role/AmazonEC2ContainerServiceforEC2Role"
    assert aws("iam").get_policy(PolicyArn=arn)["Policy"]["Arn"] == arn
