"""The loss of a NAT gateway: what the tasks of a cluster reach through it, they do not reach any more.

The gateway before LocalStack closes the ports of those calls. Calls to what the VPC has an endpoint for go on.
"""

from __future__ import annotations

from typing import Any

from sim.cloud.aws_client import local_session
from sim.cloud.gateway.control_client import GatewayControl
from sim.cloud.routes import reached_by_endpoint, tables_through
from sim.errors import SimError
from sim.targets.cluster_acts import Acts, NotInCluster
from sim.targets.target import CALLS, PORTS, SERVICES, port


class NotForAll(SimError):
    """Some instances of the cluster do not route through the NAT gateway."""


def lose(acts: Acts, gateway: GatewayControl, name: str | None = None) -> list[str]:
    """Loses a NAT gateway, by default the only one. Returns what does not reach what: `api: sqs`.

    Raises NotInCluster if there is no such gateway, and NotForAll if not all instances route through it: the calls of a
    service are cut off for all its tasks.
    """
    ec2: Any = local_session().client("ec2", endpoint_url=acts.endpoint)
    there = [
        each["NatGatewayId"] for each in ec2.describe_nat_gateways()["NatGateways"] if each["State"] == "available"
    ]
    nat = name or (there[0] if len(there) == 1 else "")
    if nat not in there:
        raise NotInCluster(f"there is no NAT gateway {nat!r}; name one of: {', '.join(sorted(there)) or 'none'}")
    through = tables_through(nat, ec2.describe_route_tables()["RouteTables"])
    behind = frozenset().union(*through.values())
    others = {instance: subnet for instance, subnet in acts.subnets().items() if subnet not in behind}
    if others:
        raise NotForAll(
            f"the NAT gateway {nat} can be lost here only if all instances route through it; these do not: "
            f"{', '.join(sorted(others))}. Lose the zone instead: `sim lose zone NAME`"
        )
    spared = reached_by_endpoint(through, ec2.describe_vpc_endpoints()["VpcEndpoints"])
    cut = [(service, aws) for service in SERVICES for aws in CALLS[service] if aws not in spared]
    for service, aws in cut:
        gateway.cut(port(service, aws))
    return [f"{service}: {aws}" for service, aws in cut]


def bring_back(gateway: GatewayControl) -> None:
    """Ends `lose`."""
    for each in PORTS:
        gateway.mend(each)
