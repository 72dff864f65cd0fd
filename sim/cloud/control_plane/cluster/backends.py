"""What moto and LocalStack keep of EC2, Classic ELB, Auto Scaling and CloudWatch, as values. Nothing here makes a call.

Their modules are imported at the first use, since LocalStack loads its services late. They are untyped.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sim.cluster.autoscaling.scaling_group import Ec2State
from sim.cluster.balancer.checks import HealthCheck
from sim.cluster.deployments import bake_seconds
from sim.cluster.desired import CheckTarget, ListenerProtocol, Place


@dataclass(frozen=True)
class Machine:
    """An EC2 instance in any state, also a terminated one. `group` is its Auto Scaling group, "" without one."""

    id: str
    place: Place
    state: str
    zone: str
    address: str
    instance_type: str
    image_id: str
    user_data: str
    group: str


@dataclass(frozen=True)
class Listener:
    """A listener of a Classic ELB, as moto keeps it."""

    protocol: ListenerProtocol
    port: int
    instance_port: int
    certificate: str


@dataclass(frozen=True)
class Cookie:
    """A stickiness policy: seconds for a cookie of the load balancer's own, or the application's cookie."""

    seconds: float | None
    application: str | None


@dataclass(frozen=True)
class Balancer:
    """A Classic ELB, as moto keeps it. `members` are the ids of EC2 instances."""

    name: str
    place: Place
    dns_name: str
    zones: tuple[str, ...]
    listeners: tuple[Listener, ...]
    members: tuple[str, ...]
    check: HealthCheck
    target: CheckTarget
    cookie: Cookie | None


def machines() -> Iterator[Machine]:
    """The EC2 instances of all accounts and regions."""
    from moto.ec2.models import ec2_backends  # noqa: PLC0415

    for place, backend in _each(ec2_backends):
        for reservation in list(backend.reservations.values()):
            for each in list(reservation.instances):
                yield _machine(place, each)


def instance_states(place: Place) -> dict[str, Ec2State]:
    """The state of each EC2 instance in an account and a region."""
    from moto.ec2.models import ec2_backends  # noqa: PLC0415

    reservations = list(ec2_backends[place.account][place.region].reservations.values())
    return {each.id: each.state for reservation in reservations for each in list(reservation.instances)}


def balancers() -> Iterator[Balancer]:
    """The Classic ELBs of all accounts and regions."""
    from moto.elb.models import elb_backends  # noqa: PLC0415

    for place, backend in _each(elb_backends):
        for each in list(backend.load_balancers.values()):
            yield _balancer(place, each)


@dataclass(frozen=True)
class Attached:
    """What is attached to an Auto Scaling group: Classic ELBs by name, target groups by ARN."""

    balancers: tuple[str, ...] = ()
    target_groups: tuple[str, ...] = ()


def attached(place: Place) -> dict[str, Attached]:
    """What is attached to the Auto Scaling group of each instance, by the instance's id."""
    from moto.autoscaling.models import autoscaling_backends  # noqa: PLC0415

    groups = list(autoscaling_backends[place.account][place.region].autoscaling_groups.values())
    return {
        member.instance.id: Attached(tuple(group.load_balancer_names), tuple(group.target_group_arns))
        for group in groups
        for member in list(group.instance_states)
    }


def register(place: Place, balancer: str, instance: str) -> None:
    """Adds an instance to a Classic ELB."""
    _elb(place).register_instances(balancer, [instance])


def deregister(place: Place, balancer: str, instance: str) -> None:
    """Takes an instance out of a Classic ELB."""
    _elb(place).deregister_instances(balancer, [instance])


@dataclass(frozen=True)
class Provider:
    """A capacity provider, as moto keeps it: its Auto Scaling group, and AutoScalingGroupProvider's parameters."""

    name: str
    group: str
    settings: Mapping[str, Any]
    clusters: tuple[str, ...]
    """The names of the clusters that have it."""


def capacity_providers(place: Place) -> list[Provider]:
    """The capacity providers whose Auto Scaling group exists."""
    from moto.autoscaling.models import autoscaling_backends  # noqa: PLC0415
    from moto.ecs.models import ecs_backends  # noqa: PLC0415

    ecs = ecs_backends[place.account][place.region]
    groups = list(autoscaling_backends[place.account][place.region].autoscaling_groups.values())
    named = {name: group.name for group in groups for name in (group.arn, group.name)}
    return [
        Provider(
            each.name,
            named[arn],
            each.auto_scaling_group_provider,
            tuple(of.name for of in list(ecs.clusters.values()) if each.name in (of.capacity_providers or ())),
        )
        for each in list(ecs.capacity_providers.values())
        if (arn := each.auto_scaling_group_provider["autoScalingGroupArn"]) in named
    ]


def set_managed_draining(place: Place, name: str, status: str) -> None:
    """Switches the managed draining of a capacity provider."""
    from moto.ecs.models import ecs_backends  # noqa: PLC0415

    provider = ecs_backends[place.account][place.region].capacity_providers[name]
    provider.auto_scaling_group_provider["managedDraining"] = status


def alarms(place: Place) -> frozenset[str]:
    """The names of the CloudWatch alarms that are in ALARM."""
    return frozenset(each["AlarmName"] for each in _alarms(place) if each["StateValue"] == "ALARM")


def bake_for(account: str, region: str, names: tuple[str, ...]) -> float:
    """The bake time of deployments with these alarms, in seconds."""
    periods = [
        (int(alarm.get("EvaluationPeriods") or 0), period)
        for alarm in _alarms(Place(account, region))
        if alarm["AlarmName"] in names
        for period in _periods(alarm)
    ]
    return bake_seconds(periods)


def _alarms(place: Place) -> list[Mapping[str, Any]]:
    from localstack.services.cloudwatch.models import cloudwatch_stores  # noqa: PLC0415

    return [each.alarm for each in list(cloudwatch_stores[place.account][place.region].alarms.values())]


def _periods(alarm: Mapping[str, Any]) -> list[int]:
    """Of the alarm's metric, or of the metrics of its expression."""
    metrics = alarm.get("Metrics") or ()
    found = [alarm.get("Period"), *(each.get("Period") for each in metrics)]
    found += [(each.get("MetricStat") or {}).get("Period") for each in metrics]
    return [int(each) for each in found if each]


def _each(backends: Any) -> Iterator[tuple[Place, Any]]:
    for account, regions in list(backends.items()):
        for region, backend in list(regions.items()):
            yield Place(account, region), backend


def _elb(place: Place) -> Any:
    from moto.elb.models import elb_backends  # noqa: PLC0415

    return elb_backends[place.account][place.region]


def _machine(place: Place, instance: Any) -> Machine:
    return Machine(
        instance.id,
        place,
        instance.state,
        instance.placement.zone or "",
        instance.private_ip or "",
        instance.instance_type or "",
        instance.image_id or "",
        _user_data(instance.user_data),
        _group_of(instance),
    )


def _group_of(instance: Any) -> str:
    """moto adds the attribute to an instance that a group launches."""
    group = getattr(instance, "autoscaling_group", None)
    return str(group.name) if group else ""


def _user_data(given: Any) -> str:
    """As it was before EC2's API had it in base64."""
    if given is None:
        return ""
    try:
        return base64.b64decode(str(given), validate=True).decode(errors="replace")
    except binascii.Error:
        return str(given)


def _balancer(place: Place, found: Any) -> Balancer:
    listeners = tuple(
        Listener(each.protocol, int(each.load_balancer_port), int(each.instance_port), each.ssl_certificate_id or "")
        for each in found.listeners
    )
    check, target = _check(found.health_check)
    return Balancer(
        found.name,
        place,
        found.dns_name,
        tuple(found.availability_zones or zones(place, found.subnets)),
        listeners,
        tuple(dict.fromkeys(found.instance_ids)),
        check,
        target,
        _cookie(found),
    )


def zones(place: Place, subnets: list[str]) -> list[str]:
    """The zones of those of the subnets that there are."""
    from moto.ec2.models import ec2_backends  # noqa: PLC0415

    backend = ec2_backends[place.account][place.region]
    known = {each.id: each.availability_zone for each in backend.describe_subnets()}
    return [known[each] for each in subnets if each in known]


def _check(given: Any) -> tuple[HealthCheck, CheckTarget]:
    protocol, _, rest = given.target.partition(":")
    port, slash, path = rest.partition("/")
    check = HealthCheck(
        float(given.interval), float(given.timeout), int(given.healthy_threshold), int(given.unhealthy_threshold)
    )
    return check, CheckTarget(protocol.upper(), int(port), slash + path)


def _cookie(found: Any) -> Cookie | None:
    """Of the first listener that has a stickiness policy."""
    named = {name for each in found.listeners for name in each.policy_names}
    for policy in found.policies:
        if policy.policy_name not in named:
            continue
        if policy.policy_type_name == "AppCookieStickinessPolicy":
            return Cookie(None, policy.cookie_name)
        if policy.policy_type_name == "LbCookieStickinessPolicy":
            seconds = policy.cookie_expiration_period
            return Cookie(float(seconds) if seconds else None, None)
    return None
