"""Auto Scaling groups: instances in their subnets, and their refresh."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.cloud.conftest import Client


@pytest.fixture
def autoscaling(aws: Callable[[str], Client]) -> Client:
    """A client; there is a group `g` of two instances in two subnets."""
    ec2, autoscaling = aws("ec2"), aws("autoscaling")
    subnets = ",".join(each["SubnetId"] for each in ec2.describe_subnets()["Subnets"][:2])
    image = ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    ec2.create_launch_template(
        LaunchTemplateName="nodes", LaunchTemplateData={"ImageId": image, "InstanceType": "t3.small"}
    )
    autoscaling.create_auto_scaling_group(
        AutoScalingGroupName="g",
        LaunchTemplate={"LaunchTemplateName": "nodes", "Version": "$Latest"},
        MinSize=2,
        MaxSize=3,
        VPCZoneIdentifier=subnets,
    )
    return autoscaling


def instances(autoscaling: Client) -> list[str]:
    """Of the group."""
    [group] = autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=["g"])["AutoScalingGroups"]
    return [each["InstanceId"] for each in group["Instances"]]


def replace(autoscaling: Client, instance: str) -> None:
    """Whoever runs the instances ends one; the group makes another."""
    autoscaling.terminate_instance_in_auto_scaling_group(InstanceId=instance, ShouldDecrementDesiredCapacity=False)


def refreshes(autoscaling: Client) -> list[tuple[str, int, int]]:
    """Status, percentage and instances to come, the newest first."""
    found = autoscaling.describe_instance_refreshes(AutoScalingGroupName="g")["InstanceRefreshes"]
    return [(each["Status"], each["PercentageComplete"], each["InstancesToUpdate"]) for each in found]


def test_the_group_launches_instances_that_ec2_knows(autoscaling: Client, aws: Callable[[str], Client]) -> None:
    launched = set(instances(autoscaling))
    known = [
        each
        for found in aws("ec2").describe_instances(InstanceIds=list(launched))["Reservations"]
        for each in found["Instances"]
    ]
    assert {each["InstanceId"] for each in known} == launched
    assert len({each["SubnetId"] for each in known}) == 2


def test_the_progress_of_a_refresh_is_the_share_of_old_instances_that_are_gone(autoscaling: Client) -> None:
    first, second = instances(autoscaling)
    autoscaling.start_instance_refresh(AutoScalingGroupName="g", Preferences={"MinHealthyPercentage": 100})
    assert refreshes(autoscaling) == [("InProgress", 0, 2)]
    replace(autoscaling, first)
    assert refreshes(autoscaling) == [("InProgress", 50, 1)]
    replace(autoscaling, second)
    assert refreshes(autoscaling) == [("Successful", 100, 0)]
    assert len(instances(autoscaling)) == 2


def test_a_group_has_one_refresh_at_a_time(autoscaling: Client) -> None:
    autoscaling.start_instance_refresh(AutoScalingGroupName="g")
    with pytest.raises(autoscaling.exceptions.InstanceRefreshInProgressFault):
        autoscaling.start_instance_refresh(AutoScalingGroupName="g")
    autoscaling.cancel_instance_refresh(AutoScalingGroupName="g")
    with pytest.raises(autoscaling.exceptions.ActiveInstanceRefreshNotFoundFault):
        autoscaling.cancel_instance_refresh(AutoScalingGroupName="g")
    autoscaling.start_instance_refresh(AutoScalingGroupName="g")
    assert [each[0] for each in refreshes(autoscaling)] == ["InProgress", "Cancelled"]


def test_deleting_a_group_by_force_ends_its_protected_instances(
    autoscaling: Client, aws: Callable[[str], Client]
) -> None:
    launched = instances(autoscaling)
    autoscaling.set_instance_protection(AutoScalingGroupName="g", InstanceIds=launched, ProtectedFromScaleIn=True)
    autoscaling.delete_auto_scaling_group(AutoScalingGroupName="g", ForceDelete=True)
    found = aws("ec2").describe_instances(InstanceIds=launched)["Reservations"]
    assert {each["State"]["Name"] for reservation in found for each in reservation["Instances"]} == {"terminated"}
