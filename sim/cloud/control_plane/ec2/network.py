"""What moto keeps of route tables, NAT gateways and endpoints, as values."""

from __future__ import annotations

from typing import Any

from sim.aws.arn import last_part
from sim.aws.routes import Endpoint, Network, RouteTable
from sim.cluster.desired import Place

_ANYWHERE = "0.0.0.0/0"
_AVAILABLE, _FAILED, _DELETED = "available", "failed", "deleted"


def network_of(place: Place) -> Network:
    """The network of an account in a region."""
    backend = _backend(place)
    gateways = list(backend.nat_gateways.values())
    return Network(
        tuple(map(_table, list(backend.route_tables.values()))),
        tuple(map(_endpoint, list(backend.vpc_end_points.values()))),
        frozenset(each.id for each in gateways if each.state != _AVAILABLE),
    )


def subnet_of(place: Place, instance: str) -> tuple[str, str]:
    """VPC and subnet of an EC2 instance; "" twice if there is no such instance."""
    reservations = list(_backend(place).reservations.values())
    found = (each for reservation in reservations for each in list(reservation.instances) if each.id == instance)
    here = next(found, None)
    return ("", "") if here is None else (here.vpc_id or "", here.subnet_id or "")


def set_lost(place: Place, gateway: str, *, lost: bool) -> bool:
    """Has a NAT gateway fail, or be available again. False if there is none of this id."""
    found = _backend(place).nat_gateways.get(gateway)
    if found is None or found.state == _DELETED:
        return False
    found.state = _FAILED if lost else _AVAILABLE
    return True


def _backend(place: Place) -> Any:
    from moto.ec2.models import ec2_backends  # noqa: PLC0415 - import only at the first call

    return ec2_backends[place.account][place.region]


def _table(found: Any) -> RouteTable:
    default = [each for each in list(found.routes.values()) if each.destination_cidr_block == _ANYWHERE]
    gateways = [each.nat_gateway.id for each in default if each.nat_gateway]
    main = found.main_association_id is not None
    return RouteTable(found.id, found.vpc_id, main, frozenset(found.associations.values()), "".join(gateways))


def _endpoint(found: Any) -> Endpoint:
    # Gateway is what CreateVpcEndpoint makes if nobody says what.
    everywhere = found.vpc_endpoint_type == "Interface"
    tables = None if everywhere else frozenset(found.route_table_ids or ())
    return Endpoint(last_part(found.service_name.replace(".", "/")), found.vpc_id, tables)
