"""What clients notice when container instances end, come or are cut off: no more than the world states.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-lifecycle.html
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

import pytest

from services.pipeline.message import Email
from sim.client.tracker import EmailTracker
from sim.cloud.aws_client import local_session
from sim.host.waiting import until
from sim.targets import nat_gateway
from sim.targets.cluster import ClusterTarget
from sim.targets.target import Capability
from sim.world import bounds
from tests.e2e.deployments import SECONDS, cluster, noticed, unharmed

__all__ = ["cluster"]

pytestmark = pytest.mark.needs(Capability.DEPLOY)


class Group:
    """The Auto Scaling group of the cluster."""

    def __init__(self, cluster: ClusterTarget) -> None:
        self.client: Any = local_session().client("autoscaling", endpoint_url=cluster.data_plane.endpoint)
        [self.name] = [each["AutoScalingGroupName"] for each in self._described()]

    @property
    def desired(self) -> int:
        """Its desired capacity."""
        [group] = self._described()
        return int(group["DesiredCapacity"])

    def states(self) -> dict[str, str]:
        """The life-cycle state of each instance."""
        [group] = self._described()
        return {each["InstanceId"]: each["LifecycleState"] for each in group["Instances"]}

    def refreshed(self) -> bool:
        """True if the newest instance refresh was successful."""
        [newest, *_] = self.client.describe_instance_refreshes(AutoScalingGroupName=self.name)["InstanceRefreshes"]
        return bool(newest["Status"] == "Successful")

    def _described(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.client.describe_auto_scaling_groups()["AutoScalingGroups"]
        return found


@pytest.fixture
def group(cluster: ClusterTarget) -> Group:
    return Group(cluster)


def await_replaced(cluster: ClusterTarget, group: Group, *ended: str) -> None:
    """Waits until these instances are gone, others are in their place, and the API has its tasks in service."""
    api = cluster.service("api")

    def replaced() -> bool:
        states = group.states()
        return (
            not states.keys() & set(ended)
            and list(states.values()) == ["InService"] * group.desired
            and len(cluster.acts.in_service()) == api.described()["desiredCount"]
        )

    def seen() -> tuple[object, ...]:
        return group.states(), cluster.acts.in_service(), api.summary()

    until(replaced, f"{', '.join(ended)} to be replaced", seconds=SECONDS, seen=seen)


def test_an_instance_that_is_terminated_costs_what_it_had_in_hand(cluster: ClusterTarget, group: Group) -> None:
    instance, *_ = cluster.acts.instances("api")
    with noticed(cluster, requests=bounds.IN_FLIGHT):
        cluster.acts.terminate_instance(instance)
        await_replaced(cluster, group, instance)


def test_a_group_grows_and_ends_an_instance_that_drains_first_and_no_request_fails(
    cluster: ClusterTarget, group: Group
) -> None:
    before = group.desired
    instance, *_ = cluster.acts.instances("api")
    with unharmed(cluster):
        group.client.set_desired_capacity(AutoScalingGroupName=group.name, DesiredCapacity=before + 1)
        await_replaced(cluster, group)
        group.client.terminate_instance_in_auto_scaling_group(InstanceId=instance, ShouldDecrementDesiredCapacity=True)
        await_replaced(cluster, group, instance)
    assert group.desired == before


def test_a_refresh_replaces_every_instance_and_no_request_fails(cluster: ClusterTarget, group: Group) -> None:
    """The preferences are those of `terraform/cluster`, without the wait for an instance that is warm at once."""
    before = group.states()
    preferences = {
        "MinHealthyPercentage": 100,
        "MaxHealthyPercentage": 150,
        "ScaleInProtectedInstances": "Refresh",
        "InstanceWarmup": 0,
    }
    with unharmed(cluster):
        group.client.start_instance_refresh(AutoScalingGroupName=group.name, Preferences=preferences)
        until(group.refreshed, "the refresh", seconds=SECONDS, seen=group.states)
        await_replaced(cluster, group, *before)


def test_a_zone_that_is_lost_costs_no_longer_than_until_its_node_is_forgotten(
    cluster: ClusterTarget, group: Group
) -> None:
    # Both tasks may be in one zone, and in no other would there be anything to notice.
    [task, *_] = cluster.service("api").tasks()
    with noticed(cluster, seconds=bounds.ZONE_SECONDS):
        lost = cluster.acts.lose_zone(task["availabilityZone"])
        until(
            lambda: not cluster.acts.in_service() & set(lost),
            "the zone to be out of service",
            seconds=SECONDS,
            seen=cluster.acts.in_service,
        )
        cluster.acts.bring_all_back()
        await_replaced(cluster, group)


def test_without_the_nat_gateway_nothing_is_accepted_and_nothing_is_lost(
    cluster: ClusterTarget, tracker: EmailTracker, email: Email
) -> None:
    def failed() -> int:
        return cluster.tasks.log("worker").count("ReceiveMessage failed")

    client, before = cluster.client(), failed()
    tracker.publish(email)
    assert nat_gateway.lose(cluster.acts) == ["api: sqs", "api: ssm", "worker: sqs"], "S3 has an endpoint in the VPC"
    # A call that was under way may be answered by a 504: nobody knows.
    until(lambda: client.publish(email).status == HTTPStatus.SERVICE_UNAVAILABLE, "a clear refusal", seconds=30)
    until(lambda: failed() > before, "the worker to log it", seconds=30, seen=failed)
    assert client.request("GET", "/health").status == HTTPStatus.OK, "its tasks run on"
    cluster.acts.bring_nat_gateways_back()
    until(lambda: client.request("GET", "/ready").status == HTTPStatus.OK, "the API to be ready", seconds=30)
    # The other task may not be ready yet.
    tracker.publish_all([email])
    tracker.verify()


def test_a_nat_gateway_of_one_zone_cuts_off_the_tasks_behind_it_alone(
    cluster: ClusterTarget, tracker: EmailTracker, email: Email
) -> None:
    task = _alone_in_its_zone(cluster)
    client, seen = cluster.client(), set[HTTPStatus]()

    def answered_by_both() -> bool:
        seen.add(HTTPStatus(client.publish(email).status))
        return HTTPStatus.OK in seen and bool(seen & {HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT})

    with _nat_gateway_of_its_own(cluster, cluster.acts.instance_of(task)) as gateway:
        cut_off = nat_gateway.lose(cluster.acts, gateway)
        assert {"api: sqs (1 of 2 tasks)", "api: ssm (1 of 2 tasks)"} <= set(cut_off)
        until(answered_by_both, "an answer of each task", seconds=SECONDS, seen=lambda: seen)
        cluster.acts.bring_nat_gateways_back()
        tracker.publish_all([email])
    tracker.verify()


def _alone_in_its_zone(cluster: ClusterTarget) -> dict[str, Any]:
    """A task of the API that has a zone for itself, and is in service as the other one is.

    After a loss both may share a zone: ECS does not move what runs. One of the two is then stopped, and ECS starts it
    where fewest are.
    """
    api = cluster.service("api")

    def zones() -> dict[str, dict[str, Any]]:
        return {each["availabilityZone"]: each for each in api.tasks() if each["lastStatus"] == "RUNNING"}

    if len(zones()) == 1:
        cluster.acts.stop_task("api")
    until(
        lambda: len(zones()) == len(api.tasks()) == len(cluster.acts.in_service()) == 2,
        "a task in service in each zone",
        seconds=SECONDS,
        seen=lambda: (zones(), cluster.acts.in_service()),
    )
    return zones()[min(zones())]


@contextmanager
def _nat_gateway_of_its_own(cluster: ClusterTarget, instance: str) -> Iterator[str]:
    """A NAT gateway through which only the subnet of one instance routes, as where each zone has one."""
    ec2: Any = local_session().client("ec2", endpoint_url=cluster.data_plane.endpoint)
    [[found]] = [each["Instances"] for each in ec2.describe_instances(InstanceIds=[instance])["Reservations"]]
    subnet = {"Name": "association.subnet-id", "Values": [found["SubnetId"]]}
    [table] = ec2.describe_route_tables(Filters=[subnet])["RouteTables"]
    [association] = [each for each in table["Associations"] if each["SubnetId"] == found["SubnetId"]]
    gateway = ec2.create_nat_gateway(SubnetId=found["SubnetId"], ConnectivityType="private")["NatGateway"]
    own = ec2.create_route_table(VpcId=found["VpcId"])["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=own, DestinationCidrBlock="0.0.0.0/0", NatGatewayId=gateway["NatGatewayId"])
    moved = ec2.replace_route_table_association(AssociationId=association["RouteTableAssociationId"], RouteTableId=own)[
        "NewAssociationId"
    ]
    try:
        yield gateway["NatGatewayId"]
    finally:
        ec2.replace_route_table_association(AssociationId=moved, RouteTableId=table["RouteTableId"])
        ec2.delete_route_table(RouteTableId=own)
        ec2.delete_nat_gateway(NatGatewayId=gateway["NatGatewayId"])
