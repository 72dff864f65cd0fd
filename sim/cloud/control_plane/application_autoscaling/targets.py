"""What moto keeps of scalable targets and scaling policies, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sim.cloud.control_plane.call import Values
from sim.cluster.desired import Place

DIMENSION: Final = "ecs:service:DesiredCount"


@dataclass(frozen=True)
class PolicyRecord:
    """A policy of a target: its ARN, and PutScalingPolicy's parameters."""

    arn: str
    values: Values


@dataclass(frozen=True)
class Target:
    """The count of a service's tasks, as a scalable target; `suspended` is AWS's SuspendedState."""

    place: Place
    resource: str
    minimum: int
    maximum: int
    suspended: Mapping[str, bool]
    policies: tuple[PolicyRecord, ...]

    @property
    def service(self) -> tuple[str, str]:
        """The names of its cluster and its service."""
        _, cluster, service = self.resource.split("/")
        return cluster, service


def targets(place: Place) -> list[Target]:
    """The services of an account and a region whose desired count scales."""
    backend = _backend(place)
    return [
        Target(
            place,
            resource,
            int(found.min_capacity),
            int(found.max_capacity),
            found.suspended_state or {},
            tuple(_policy(each) for each in list(backend.policies.values()) if each.resource_id == resource),
        )
        for resource, found in list(backend.targets.get(DIMENSION, {}).items())
    ]


def put_alarms(place: Place, arn: str, alarms: Mapping[str, str], *, kept_arn: str) -> None:
    """Has moto's policy name its alarms, by their ARNs, and keep the ARN that it had before it was changed."""
    for each in list(_backend(place).policies.values()):
        if each.policy_arn == arn:
            each.policy_arn = kept_arn
            each.alarms = [_AlarmOfPolicy(name, alarm) for name, alarm in alarms.items()]


@dataclass(frozen=True)
class _AlarmOfPolicy:
    """An alarm with the names by which moto describes it."""

    name: str
    alarm_arn: str


def _policy(found: Any) -> PolicyRecord:
    kind = "StepScaling" if found.policy_type == "StepScaling" else "TargetTrackingScaling"
    values = {
        "PolicyName": found.policy_name,
        "PolicyType": found.policy_type,
        "ResourceId": found.resource_id,
        f"{kind}PolicyConfiguration": found._policy_body,  # noqa: SLF001 - moto has no other name for it
    }
    return PolicyRecord(found.policy_arn, values)


def _backend(place: Place) -> Any:
    from moto.applicationautoscaling.models import applicationautoscaling_backends  # noqa: PLC0415

    return applicationautoscaling_backends[place.account][place.region]
