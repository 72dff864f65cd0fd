"""Which subnets a NAT gateway serves, and what they reach without it."""

from __future__ import annotations

from typing import Any

from sim.cloud.routes import reached_by_endpoint, tables_through

TABLES: list[dict[str, Any]] = [
    {
        "RouteTableId": "rtb-private",
        "Associations": [{"SubnetId": "subnet-a"}, {"SubnetId": "subnet-b"}],
        "Routes": [
            {"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local"},
            {"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat-1"},
        ],
    },
    {
        "RouteTableId": "rtb-public",
        "Associations": [{"Main": True}, {"SubnetId": "subnet-c"}],
        "Routes": [{"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-1"}],
    },
    {
        "RouteTableId": "rtb-other",
        "Associations": [{"SubnetId": "subnet-d"}],
        "Routes": [
            {"DestinationCidrBlock": "192.0.2.0/24", "NatGatewayId": "nat-1"},
            {"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat-2"},
        ],
    },
]
S3: dict[str, Any] = {
    "ServiceName": "com.amazonaws.eu-central-1.s3",
    "VpcEndpointType": "Gateway",
    "RouteTableIds": ["rtb-private"],
}
SQS: dict[str, Any] = {"ServiceName": "com.amazonaws.eu-central-1.sqs", "VpcEndpointType": "Interface"}


def test_a_subnet_is_served_by_the_nat_gateway_that_its_default_route_names() -> None:
    assert tables_through("nat-1", TABLES) == {"rtb-private": {"subnet-a", "subnet-b"}}
    assert tables_through("nat-3", TABLES) == {}


def test_a_gateway_endpoint_serves_its_route_tables_and_an_interface_endpoint_the_vpc() -> None:
    assert reached_by_endpoint(["rtb-private"], [S3, SQS]) == {"s3", "sqs"}
    assert reached_by_endpoint(["rtb-private", "rtb-other"], [S3, SQS]) == {"sqs"}
