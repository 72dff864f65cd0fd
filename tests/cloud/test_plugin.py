"""The plugin as a whole: what community LocalStack lacks is there, and sees what LocalStack has."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.cloud.conftest import Client


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


def test_the_group_launches_instances_that_ec2_knows(aws: Callable[[str], Client]) -> None:
    ec2, autoscaling = aws("ec2"), aws("autoscaling")
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    image = ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    ec2.create_launch_template(
        LaunchTemplateName="nodes", LaunchTemplateData={"ImageId": image, "InstanceType": "t3.small"}
    )
    autoscaling.create_auto_scaling_group(
        AutoScalingGroupName="g",
        LaunchTemplate={"LaunchTemplateName": "nodes", "Version": "$Latest"},
        MinSize=2,
        MaxSize=3,
        VPCZoneIdentifier=subnet,
    )
    group = autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"][0]
    launched = {each["InstanceId"] for each in group["Instances"]}
    known = ec2.describe_instances(InstanceIds=list(launched))["Reservations"]
    assert {each["InstanceId"] for found in known for each in found["Instances"]} == launched
    assert len(launched) == 2


def test_policies_that_aws_offers_to_all_are_there(aws: Callable[[str], Client]) -> None:
    arn = "arn:aws:iam::aws:policy/service-role/AmazonEC2ContainerServiceforEC2Role"
    assert aws("iam").get_policy(PolicyArn=arn)["Policy"]["Arn"] == arn
