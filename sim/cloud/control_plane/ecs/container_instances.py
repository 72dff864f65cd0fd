"""Container instances: EC2 instances whose agent has registered them with a cluster.

https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RegisterContainerInstance.html
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerInstance.html
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

from sim.cloud.control_plane.call import AwsError, Values
from sim.cloud.control_plane.ecs.tasks import Reservation, Task

# Attributes for placement, and the fields of the agent's identity document that they come from.
_FROM_IDENTITY = {
    "ecs.availability-zone": "availabilityZone",
    "ecs.instance-type": "instanceType",
    "ecs.ami-id": "imageId",
}
_PORTS = {"PORTS": "tcp", "PORTS_UDP": "udp"}


@dataclass(frozen=True)
class ContainerInstance:
    """One instance. `resources` is its CPU and memory at registration, and the ports that were already in use then."""

    arn: str
    ec2_instance_id: str
    resources: Reservation
    attributes: dict[str, str | None]
    version_info: Values
    tags: dict[str, str]
    registered_at: datetime
    capacity_provider: str = ""
    status: str = "ACTIVE"
    agent_connected: bool = True
    version: int = 1


def register(
    arn: str, parameters: Values, before: ContainerInstance | None, tags: dict[str, str], now: datetime
) -> ContainerInstance:
    """The instance as its agent describes it; `before` is its last registration. Raises AwsError: ClientException."""
    try:
        identity: Values = json.loads(parameters["instanceIdentityDocument"])
        instance = str(identity["instanceId"])
    except (KeyError, ValueError):
        raise AwsError("ClientException", "The instance identity document is missing or names no instanceId.") from None
    attributes = {name: identity.get(field) for name, field in _FROM_IDENTITY.items() if identity.get(field)}
    attributes |= {each["name"]: each.get("value") for each in parameters.get("attributes") or []}
    return ContainerInstance(
        arn=before.arn if before else arn,
        ec2_instance_id=instance,
        resources=_resources(parameters.get("totalResources") or []),
        attributes=attributes,
        version_info=parameters.get("versionInfo") or {},
        tags=tags or (before.tags if before else {}),
        registered_at=before.registered_at if before else now,
        version=before.version + 1 if before else 1,
    )


def remaining(instance: ContainerInstance, tasks: Collection[Task]) -> Reservation:
    """The CPU and memory that the tasks leave free, and the ports that are in use."""
    held = [each.reservation for each in tasks if not each.stopped and each.container_instance_arn == instance.arn]
    return Reservation(
        instance.resources.cpu - sum(each.cpu for each in held),
        instance.resources.memory - sum(each.memory for each in held),
        instance.resources.ports.union(*(each.ports for each in held)),
    )


def lacking(wanted: Reservation, left: Reservation) -> str:
    """The reason why `wanted` does not fit, as RunTask's failures name it; "" if it fits."""
    if wanted.cpu > left.cpu:
        return "RESOURCE:CPU"
    if wanted.memory > left.memory:
        return "RESOURCE:MEMORY"
    return "RESOURCE:PORTS" if wanted.ports & left.ports else ""


def update_state(instance: ContainerInstance, status: str) -> ContainerInstance:
    """The instance with a new status. A DRAINING one takes no new tasks. Raises AwsError: InvalidParameterException."""
    if status not in {"ACTIVE", "DRAINING"}:
        raise AwsError("InvalidParameterException", "Container instance status should be one of [ACTIVE, DRAINING].")
    return replace(instance, status=status, version=instance.version + 1)


def describe(instance: ContainerInstance, tasks: Collection[Task]) -> Values:
    """The instance as DescribeContainerInstances returns it, without the tags. `tasks` are the tasks of the cluster."""
    here = [each for each in tasks if each.container_instance_arn == instance.arn]
    provider = {"capacityProviderName": instance.capacity_provider} if instance.capacity_provider else {}
    return {
        "containerInstanceArn": instance.arn,
        "ec2InstanceId": instance.ec2_instance_id,
        "version": instance.version,
        "versionInfo": instance.version_info,
        "registeredResources": _described(instance.resources),
        "remainingResources": _described(remaining(instance, tasks)),
        "status": instance.status,
        "agentConnected": instance.agent_connected,
        "runningTasksCount": sum(each.last_status == "RUNNING" for each in here),
        "pendingTasksCount": sum(each.last_status in {"PROVISIONING", "PENDING", "ACTIVATING"} for each in here),
        "attributes": [
            {"name": name} if value is None else {"name": name, "value": value}
            for name, value in sorted(instance.attributes.items())
        ],
        "registeredAt": instance.registered_at,
        "attachments": [],
        **provider,
    }


def _resources(total: list[Values]) -> Reservation:
    named = {each["name"]: each for each in total}
    return Reservation(
        named.get("CPU", {}).get("integerValue", 0),
        named.get("MEMORY", {}).get("integerValue", 0),
        frozenset(
            (protocol, int(port))
            for name, protocol in _PORTS.items()
            for port in named.get(name, {}).get("stringSetValue") or []
        ),
    )


def _described(resources: Reservation) -> list[Values]:
    integers: list[Values] = [
        {"name": name, "type": "INTEGER", "doubleValue": 0.0, "longValue": 0, "integerValue": value}
        for name, value in (("CPU", resources.cpu), ("MEMORY", resources.memory))
    ]
    sets: list[Values] = [
        {
            "name": name,
            "type": "STRINGSET",
            "stringSetValue": sorted(str(port) for of, port in resources.ports if of == protocol),
        }
        for name, protocol in _PORTS.items()
    ]
    return integers + sets
