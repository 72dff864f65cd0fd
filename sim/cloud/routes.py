"""How the subnets of a VPC reach AWS: through a NAT gateway, or by an endpoint of the VPC. Pure.

The arguments are what EC2's Describe operations return.
https://docs.aws.amazon.com/vpc/latest/userguide/vpc-nat-gateway.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

Described = Iterable[Mapping[str, Any]]
_ANYWHERE: Final = "0.0.0.0/0"


def tables_through(nat: str, route_tables: Described) -> dict[str, frozenset[str]]:
    """The route tables whose default route is a NAT gateway, by id, with the subnets that are associated with each."""
    return {
        each["RouteTableId"]: frozenset(of["SubnetId"] for of in each["Associations"] if "SubnetId" in of)
        for each in route_tables
        if any(
            route.get("NatGatewayId") == nat and route.get("DestinationCidrBlock") == _ANYWHERE
            for route in each["Routes"]
        )
    }


def reached_by_endpoint(tables: Iterable[str], endpoints: Described) -> frozenset[str]:
    """The AWS services, such as `s3`, that the subnets of all these route tables reach by an endpoint of the VPC.

    A gateway endpoint serves the route tables that it is associated with, an interface endpoint the whole VPC.
    https://docs.aws.amazon.com/vpc/latest/privatelink/concepts.html
    """
    wanted = set(tables)
    return frozenset(
        str(each["ServiceName"]).rpartition(".")[2]
        for each in endpoints
        if each["VpcEndpointType"] == "Interface" or wanted <= set(each.get("RouteTableIds", ()))
    )
