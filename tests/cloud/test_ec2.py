"""Corrections to EC2: descriptions of security group rules, routes to gateway endpoints, and machine images."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.cloud.shared import Client


def test_a_rule_for_another_group_keeps_its_description(aws: Callable[[str], Client]) -> None:
    ec2 = aws("ec2")
    balancer, instances = (
        ec2.create_security_group(GroupName=name, Description=name)["GroupId"] for name in ("balancer", "instances")
    )
    ec2.authorize_security_group_ingress(
        GroupId=instances,
        IpPermissions=[
            {
                "IpProtocol": "tcp",
                "FromPort": 8080,
                "ToPort": 8080,
                "UserIdGroupPairs": [{"GroupId": balancer, "Description": "from the balancer"}],
            }
        ],
    )
    rules = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [instances]}])
    [rule] = [each for each in rules["SecurityGroupRules"] if not each["IsEgress"]]
    assert rule["Description"] == "from the balancer"
    assert rule["ReferencedGroupInfo"]["GroupId"] == balancer


def test_routes_to_a_gateway_endpoint_follow_its_route_tables(aws: Callable[[str], Client]) -> None:
    ec2 = aws("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    first, second = (ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"] for _ in range(2))
    endpoint = ec2.create_vpc_endpoint(
        VpcId=vpc,
        ServiceName=f"com.amazonaws.{ec2.meta.region_name}.s3",
        VpcEndpointType="Gateway",
        RouteTableIds=[first],
    )["VpcEndpoint"]["VpcEndpointId"]

    def led() -> list[bool]:
        tables = ec2.describe_route_tables(RouteTableIds=[first, second])["RouteTables"]
        routes = {table["RouteTableId"]: table["Routes"] for table in tables}
        return [any(route.get("GatewayId") == endpoint for route in routes[table]) for table in (first, second)]

    assert led() == [True, False]
    ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, AddRouteTableIds=[second])
    assert led() == [True, True]
    ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, RemoveRouteTableIds=[first])
    assert led() == [False, True]
    ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint])
    assert led() == [False, False]


def test_an_image_is_known_by_any_well_formed_id(aws: Callable[[str], Client]) -> None:
    ec2, autoscaling = aws("ec2"), aws("autoscaling")
    [image] = ec2.describe_images(ImageIds=["ami-0123456789abcdef0"])["Images"]
    assert image["RootDeviceName"] == "/dev/xvda"
    autoscaling.create_launch_configuration(
        LaunchConfigurationName="l", ImageId="ami-0123456789abcdef0", InstanceType="t3.micro"
    )
    with pytest.raises(ec2.exceptions.ClientError, match="InvalidAMIID"):
        ec2.describe_images(ImageIds=["ami-nonsense"])


def test_the_recommended_image_of_ecs_is_a_text_of_json(aws: Callable[[str], Client]) -> None:
    name = "/aws/service/ecs/optimized-ami/amazon-linux-2/recommended"
    ssm = aws("ssm")
    recommended = json.loads(ssm.get_parameter(Name=name)["Parameter"]["Value"])
    assert recommended["image_id"] == ssm.get_parameter(Name=f"{name}/image_id")["Parameter"]["Value"]
    assert json.loads(ssm.get_parameters(Names=[name])["Parameters"][0]["Value"]) == recommended
