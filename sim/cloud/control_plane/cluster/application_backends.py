"""What moto keeps of Application Load Balancers and target groups, as values. Nothing here makes a call.

Its modules are imported at the first use, since LocalStack loads its services late. They are untyped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sim.cloud.control_plane.elbv2.rules import groups_of
from sim.cluster.balancer.checks import HealthCheck
from sim.cluster.desired import Place


@dataclass(frozen=True)
class ApplicationListener:
    """A listener: its rules by priority, each with conditions and actions as the API has them."""

    arn: str
    protocol: str
    port: int
    certificate: str
    default: list[Mapping[str, Any]]
    rules: tuple[tuple[int, list[Mapping[str, Any]], list[Mapping[str, Any]]], ...]

    def groups(self) -> Iterator[str]:
        """The ARNs of the target groups that it sends requests to."""
        for actions in (self.default, *(actions for _, _, actions in self.rules)):
            for action in actions:
                yield from (arn for arn, _ in groups_of(action))


@dataclass(frozen=True)
class ApplicationBalancer:
    """An ALB. `attributes` are those that somebody has set."""

    arn: str
    name: str
    place: Place
    dns_name: str
    zones: tuple[str, ...]
    attributes: Mapping[str, str]
    listeners: tuple[ApplicationListener, ...]

    def groups(self) -> set[str]:
        """The ARNs of the target groups that its listeners use."""
        return {arn for listener in self.listeners for arn in listener.groups()}


@dataclass(frozen=True)
class Group:
    """A target group. `check_port` is a number, or `traffic-port`."""

    arn: str
    target_type: str
    protocol: str
    port: int
    check: HealthCheck
    check_protocol: str
    check_port: str
    check_path: str
    matcher: str
    attributes: Mapping[str, str]


def application_balancers(place: Place | None = None) -> Iterator[ApplicationBalancer]:
    """The ALBs of an account and a region, or of all."""
    from moto.elbv2.models import elbv2_backends  # noqa: PLC0415

    for account, regions in list(elbv2_backends.items()):
        for region, backend in list(regions.items()):
            if place in (None, Place(account, region)):
                for each in list(backend.load_balancers.values()):
                    if each.type == "application":
                        yield _balancer(Place(account, region), each)


def used_groups(place: Place) -> set[str]:
    """The ARNs of the target groups that a listener of an ALB sends requests to."""
    return {arn for balancer in application_balancers(place) for arn in balancer.groups()}


def target_group(place: Place, arn: str) -> Group | None:
    """The target group of this ARN, None if there is none."""
    from moto.elbv2.models import elbv2_backends  # noqa: PLC0415

    found = elbv2_backends[place.account][place.region].target_groups.get(arn)
    return None if found is None else _group(found)


def _balancer(place: Place, found: Any) -> ApplicationBalancer:
    return ApplicationBalancer(
        found.arn,
        found.name,
        place,
        found.dns_name,
        tuple(dict.fromkeys(each.availability_zone for each in found.subnets)),
        {key: str(value) for key, value in found.attrs.items()},
        tuple(_listener(each) for each in list(found.listeners.values())),
    )


def _listener(found: Any) -> ApplicationListener:
    return ApplicationListener(
        found.arn,
        found.protocol,
        int(found.port),
        found.certificate or "",
        [each.data for each in found.default_actions],
        tuple(
            (int(each.priority), list(each.conditions), [action.data for action in each.actions])
            for each in list(found.rules.values())
            if not each.is_default
        ),
    )


def _group(found: Any) -> Group:
    check = HealthCheck(
        float(found.health_check_interval_seconds),
        float(found.health_check_timeout_seconds),
        int(found.healthy_threshold_count),
        int(found.unhealthy_threshold_count),
    )
    return Group(
        found.arn,
        found.target_type,
        found.protocol or "",
        int(found.port or 0),
        check,
        found.health_check_protocol or "HTTP",
        str(found.health_check_port or "traffic-port"),
        found.health_check_path or "/",
        (getattr(found, "matcher", None) or {}).get("HttpCode") or "200",
        {key: str(value) for key, value in found.attributes.items()},
    )
