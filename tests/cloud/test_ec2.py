"""Corrections to EC2: descriptions of security group rules, and routes to gateway endpoints."""

from __future__ import annotations

from collections.abc import Callable

from tests.cloud.conftest import Client


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
