"""Which calls of tasks do not arrive while a NAT gateway is lost."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sim.aws.iam.request import session
from sim.aws.routes import Endpoint, Network, RouteTable
from sim.cloud.control_plane.call import AwsError
from sim.cloud.control_plane.ec2.egress import Egress
from sim.cluster.desired import Desired, DesiredInstance, DesiredTask, Place

PLACE = Place("000000000000", "eu-central-1")
AT = {"account": PLACE.account, "region": PLACE.region, "gateway": "nat-a"}
ROLES = {"taskRoleArn": "arn:aws:iam::000000000000:role/api", "executionRoleArn": "arn:aws:iam::000000000000:role/pull"}
SUBNETS = {"i-a": ("vpc", "a"), "i-b": ("vpc", "b")}


def instance(name: str) -> DesiredInstance:
    return DesiredInstance(name, PLACE, "", "", "t3.small", "ami", "", container_instance=f"arn:{name}")


def task(name: str, on: str) -> DesiredTask:
    return DesiredTask(f"arn:task/{name}", PLACE, "arn:cluster", f"arn:{on}", ROLES, {}, "", "", 0.0, "RUNNING")


DESIRED = Desired(1, instances=(instance("i-a"), instance("i-b")), tasks=(task("one", "i-a"), task("two", "i-b")))


class Ec2:
    """A VPC of two subnets with a NAT gateway each, and an endpoint for S3."""

    def __init__(self) -> None:
        tables = [RouteTable(f"rtb-{each}", "vpc", False, frozenset({each}), f"nat-{each}") for each in "ab"]
        self.network = Network(tuple(tables), (Endpoint("s3", "vpc", None),), frozenset())

    def set_lost(self, _: Place, name: str, lost: bool) -> bool:
        self.network = replace(self.network, lost=frozenset({name} if lost else ()))
        return name in {each.nat_gateway for each in self.network.tables}


@pytest.fixture
def egress() -> Egress:
    ec2 = Ec2()
    return Egress(lambda: DESIRED, lambda _: ec2.network, lambda _, name: SUBNETS[name], ec2.set_lost)


def test_tasks_behind_a_lost_nat_gateway_reach_only_what_the_vpc_has_an_endpoint_for(egress: Egress) -> None:
    one, two = (session(ROLES["taskRoleArn"], name) for name in ("one", "two"))
    assert egress.lost_gateway(one, "sqs") == ""

    assert egress.lose("PUT", AT, {"lost": True}) == {"instances": {"i-a": ["s3"]}}

    assert [egress.lost_gateway(one, each) for each in ("sqs", "s3")] == ["nat-a", ""]
    assert egress.lost_gateway(two, "sqs") == ""
    egress.lose("PUT", AT, {"lost": False})
    assert egress.lost_gateway(one, "sqs") == ""


def test_what_the_agent_does_for_a_task_goes_on(egress: Egress) -> None:
    egress.lose("PUT", AT, {"lost": True})
    assert egress.lost_gateway(session(ROLES["executionRoleArn"], "one"), "logs") == ""
    assert egress.lost_gateway(session(ROLES["taskRoleArn"], "somebody"), "sqs") == ""


def test_a_nat_gateway_that_is_not_there_is_not_lost(egress: Egress) -> None:
    with pytest.raises(AwsError, match="NAT gateway nat-c was not found"):
        egress.lose("PUT", {**AT, "gateway": "nat-c"}, {"lost": True})
    with pytest.raises(AwsError, match="The body is"):
        egress.lose("PUT", AT, {})
