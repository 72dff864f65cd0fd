"""An Auto Scaling group whose instances join a cluster, and its capacity provider."""

from __future__ import annotations

import base64
from typing import Any

from sim.cloud.aws_client import REGION
from sim.cluster.desired import DesiredInstance
from tests.cloud.agents import CLUSTER, Fleet, Values

USER_DATA = "#!/bin/bash\necho ECS_CLUSTER=c >> /etc/ecs/ecs.config\n"


class Scaled:
    """The Auto Scaling group `g`, whose instances join the cluster, and the capacity provider `p` of it."""

    def __init__(self, fleet: Fleet, autoscaling: Any) -> None:
        self.fleet = fleet
        self.client = autoscaling

    def create(self, **more: Any) -> None:
        """The group, of one instance."""
        template = {
            "ImageId": self.fleet.image(),
            "InstanceType": "t3.small",
            "UserData": base64.b64encode(USER_DATA.encode()).decode(),
        }
        self.fleet.ec2.create_launch_template(LaunchTemplateName="nodes", LaunchTemplateData=template)
        settings = {
            "LaunchTemplate": {"LaunchTemplateName": "nodes", "Version": "$Latest"},
            "MinSize": 1,
            "MaxSize": 1,
            "AvailabilityZones": [f"{REGION}a"],
        }
        self.client.create_auto_scaling_group(AutoScalingGroupName="g", **settings | more)

    def provide(self, **settings: Any) -> None:
        """The capacity provider."""
        provider = {"autoScalingGroupArn": self.described()["AutoScalingGroupARN"], **settings}
        self.fleet.ecs.create_capacity_provider(name="p", autoScalingGroupProvider=provider)
        self.fleet.ecs.put_cluster_capacity_providers(
            cluster=CLUSTER, capacityProviders=["p"], defaultCapacityProviderStrategy=[{"capacityProvider": "p"}]
        )

    def described(self) -> Values:
        """The group."""
        [found] = self.client.describe_auto_scaling_groups(AutoScalingGroupNames=["g"])["AutoScalingGroups"]
        described: Values = found
        return described

    def states(self) -> dict[str, str]:
        """The life-cycle state of each instance."""
        return {each["InstanceId"]: each["LifecycleState"] for each in self.described()["Instances"]}

    def launched(self) -> list[DesiredInstance]:
        """The running instances, which have agents."""
        mine = [each for each in self.fleet.desired().instances if each.place.account == self.fleet.account]
        return [each for each in mine if each.instance_type == "t3.small"]

    def container_instances(self) -> list[str]:
        """The ARNs of the cluster's container instances."""
        found: list[str] = self.fleet.ecs.list_container_instances(cluster=CLUSTER)["containerInstanceArns"]
        return found

    def join(self) -> str:
        """The agent of the one instance that has none yet registers it; the ARN of the container instance."""
        [new] = [each for each in self.launched() if not each.container_instance]
        return self.fleet.register(new.id)
