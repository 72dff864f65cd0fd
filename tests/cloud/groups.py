"""An Auto Scaling group of an account."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.cloud.shared import Client


class Group:
    """The group `g` of an account, in two subnets."""

    def __init__(self, aws: Callable[[str], Client]) -> None:
        self.ec2, self.client = aws("ec2"), aws("autoscaling")

    def create(self, **more: Any) -> None:
        """Of two instances, three at most."""
        subnets = ",".join(each["SubnetId"] for each in self.ec2.describe_subnets()["Subnets"][:2])
        image = self.ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
        template = {"ImageId": image, "InstanceType": "t3.small"}
        self.ec2.create_launch_template(LaunchTemplateName="nodes", LaunchTemplateData=template)
        settings = {
            "LaunchTemplate": {"LaunchTemplateName": "nodes", "Version": "$Latest"},
            "MinSize": 2,
            "MaxSize": 3,
            "VPCZoneIdentifier": subnets,
        }
        self.client.create_auto_scaling_group(AutoScalingGroupName="g", **settings | more)

    def described(self) -> dict[str, Any]:
        """As DescribeAutoScalingGroups has it."""
        [found] = self.client.describe_auto_scaling_groups(AutoScalingGroupNames=["g"])["AutoScalingGroups"]
        described: dict[str, Any] = found
        return described

    def states(self) -> dict[str, str]:
        """The life-cycle state of each instance."""
        return {each["InstanceId"]: each["LifecycleState"] for each in self.described()["Instances"]}

    def in_ec2(self, instance: str) -> dict[str, Any]:
        """An instance as EC2 knows it."""
        [reservation] = self.ec2.describe_instances(InstanceIds=[instance])["Reservations"]
        found: dict[str, Any] = reservation["Instances"][0]
        return found

    def causes(self) -> list[str]:
        """What the activities say, the newest first, without the seconds and the ids."""
        found = self.client.describe_scaling_activities(AutoScalingGroupName="g")["Activities"]
        return [each["Cause"].partition("Z ")[2] for each in found]

    def refreshes(self) -> list[tuple[str, int, int]]:
        """Status, percentage and instances to come, the newest first."""
        found = self.client.describe_instance_refreshes(AutoScalingGroupName="g")["InstanceRefreshes"]
        return [(each["Status"], each["PercentageComplete"], each["InstancesToUpdate"]) for each in found]

    def versions(self) -> set[str]:
        """Of the launch template that the instances are made of."""
        return {each["LaunchTemplate"]["Version"] for each in self.described()["Instances"]}

    def hold(self, transition: str) -> None:
        """A hook `h` on launching or terminating."""
        self.client.put_lifecycle_hook(
            AutoScalingGroupName="g",
            LifecycleHookName="h",
            LifecycleTransition=f"autoscaling:EC2_INSTANCE_{transition}",
            HeartbeatTimeout=3600,
        )

    def complete(self, instance: str, result: str = "CONTINUE") -> None:
        """The hook's action on an instance ends."""
        self.client.complete_lifecycle_action(
            AutoScalingGroupName="g", LifecycleHookName="h", InstanceId=instance, LifecycleActionResult=result
        )
