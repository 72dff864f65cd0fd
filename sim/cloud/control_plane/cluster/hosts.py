"""What agents report of the EC2 instances that they stand for, where AWS has no operation in public.

https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerInstance.html
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from sim.cloud.control_plane.call import AwsError, Regional, Route, Values
from sim.cloud.control_plane.cluster.backends import Attached, attached, instance_states
from sim.cloud.control_plane.ecs.state import States
from sim.cloud.control_plane.elb.models import LoadBalancer
from sim.cloud.control_plane.elbv2.models import TargetGroup
from sim.cluster.autoscaling.scaling_group import Report, healthy_at, impaired
from sim.cluster.desired import HostPort, Place
from sim.cluster.target_health import TargetHealth

_PORT = re.compile(r"(tcp|udp):([0-9]+)")
_ADDRESS = re.compile(r"[^:\s]+:[0-9]+")


@dataclass
class Host:
    """An EC2 instance: where each of its host ports really is, and since when it is cut off, None if it is not."""

    ports: tuple[HostPort, ...] = ()
    lost_since: float | None = None


@dataclass
class Hosts:
    """The EC2 instances of one account and region, by their ids."""

    known: defaultdict[str, Host] = field(default_factory=lambda: defaultdict(Host))

    def ports(self) -> Iterator[HostPort]:
        """The host ports of all of them."""
        for host in self.known.values():
            yield from host.ports


def reports(
    place: Place,
    hosts: Hosts,
    elbs: Mapping[str, LoadBalancer],
    target_groups: Mapping[str, TargetGroup],
    now: float,
) -> dict[str, Report]:
    """What EC2, its status checks and the load balancers of its group report of each instance in a region.

    `elbs` are the Classic ELBs of the account and the region, by name, `target_groups` are by ARN.
    """
    silent = {identity: each.lost_since for identity, each in hosts.known.items()}
    of_groups = attached(place)

    def checked(identity: str) -> Iterator[TargetHealth]:
        of = of_groups.get(identity, Attached())
        yield from (elbs[name].health_of(identity) for name in of.balancers if name in elbs)
        for arn in of.target_groups:
            if arn in target_groups:
                yield from target_groups[arn].reported_of(identity)

    return {
        identity: Report(state, impaired(silent.get(identity), now), healthy_at(checked(identity)))
        for identity, state in instance_states(place).items()
    }


class HostRoutes:
    """The routes on which agents report on their EC2 instances, and on which one is cut off."""

    def __init__(self, hosts: Regional[Hosts], states: States, now: Callable[[], float]) -> None:
        self._hosts = hosts
        self._states = states
        self._now = now
        path = "/_sim/<account>/<region>/ec2/<instance>"
        self.routes: dict[str, Route] = {
            f"{path}/ports": self.report_ports,
            f"{path}/connected": self.report_connected,
            f"{path}/lost": self.lose,
        }

    def report_ports(self, _: str, place: dict[str, str], body: Values) -> Values:
        """Keeps the instance's port table: {"tcp:8080": "HOST:PORT"}. Raises AwsError: ValidationError."""
        self._host(place).ports = tuple(_port(place["instance"], key, body[key]) for key in sorted(body))
        return {}

    def report_connected(self, _: str, place: dict[str, str], body: Values) -> Values:
        """Says whether the instance's agent is there: {"connected": ...}. Raises AwsError: ValidationError."""
        self._connect(place, connected=_flag(body, "connected"))
        return {}

    def lose(self, _: str, place: dict[str, str], body: Values) -> Values:
        """Cuts the instance off, or ends that: {"lost": ...}. Its agent comes back when it reports that it is there."""
        host, lost = self._host(place), _flag(body, "lost")
        if not lost:
            host.lost_since = None
        elif host.lost_since is None:
            host.lost_since = self._now()
        if lost:
            self._connect(place, connected=False)
        return {}

    def _host(self, place: Mapping[str, str]) -> Host:
        return self._hosts.at(place["account"], place["region"]).known[place["instance"]]

    def _connect(self, place: Mapping[str, str], *, connected: bool) -> None:
        for contents in self._states.at(place["account"], place["region"]).clusters.values():
            for instance in list(contents.cluster.instances.values()):
                if instance.ec2_instance_id == place["instance"] and instance.agent_connected != connected:
                    contents.put_instance(replace(instance, agent_connected=connected))


def _port(instance: str, key: str, address: object) -> HostPort:
    found = _PORT.fullmatch(key)
    if found is None or not isinstance(address, str) or not _ADDRESS.fullmatch(address):
        raise AwsError("ValidationError", f'A port table is {{"tcp:8080": "HOST:PORT"}}; got {key!r}: {address!r}.')
    return HostPort(instance, "udp" if found[1] == "udp" else "tcp", int(found[2]), address)


def _flag(body: Values, name: str) -> bool:
    value = body.get(name)
    if not isinstance(value, bool):
        raise AwsError("ValidationError", f'The body is {{"{name}": true}} or {{"{name}": false}}; got {body}.')
    return value
