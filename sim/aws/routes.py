"""How a subnet of a VPC reaches AWS: through a NAT gateway, or by an endpoint of the VPC. Pure.

https://docs.aws.amazon.com/vpc/latest/userguide/vpc-nat-gateway.html
https://docs.aws.amazon.com/vpc/latest/privatelink/concepts.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

NO_ROUTE: Final = "x-sim-no-route"
"""The header by which the local cloud says that a call had no way to it: whoever passes calls on gives no answer."""


@dataclass(frozen=True, slots=True)
class RouteTable:
    """A route table. The subnets that are associated with no other have the VPC's main one.

    `nat_gateway` is the target of its default route, "" if that is something else.
    """

    id: str
    vpc: str
    main: bool
    subnets: frozenset[str]
    nat_gateway: str


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint of a VPC for a service, such as `s3`.

    A gateway endpoint serves the route tables that it is associated with, an interface endpoint the whole VPC: None.
    """

    service: str
    vpc: str
    tables: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class Network:
    """What decides how subnets reach AWS. `lost` are NAT gateways that are not available."""

    tables: tuple[RouteTable, ...]
    endpoints: tuple[Endpoint, ...]
    lost: frozenset[str]

    def lost_gateway(self, vpc: str, subnet: str, service: str) -> str:
        """The lost NAT gateway without which a subnet does not reach a service; "" if it reaches it."""
        table = self._table(vpc, subnet)
        if table is None or table.nat_gateway not in self.lost:
            return ""
        if any(each.service == service and _serves(each, table) for each in self.endpoints):
            return ""
        return table.nat_gateway

    def _table(self, vpc: str, subnet: str) -> RouteTable | None:
        associated = (each for each in self.tables if subnet in each.subnets)
        main = (each for each in self.tables if each.main and each.vpc == vpc)
        return next(associated, None) or next(main, None)


def _serves(endpoint: Endpoint, table: RouteTable) -> bool:
    return endpoint.vpc == table.vpc and (endpoint.tables is None or table.id in endpoint.tables)
