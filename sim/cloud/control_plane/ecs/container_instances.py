"""Container instances: what AWS's API knows of one beside its state in `sim.cluster.container_instances`.

https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RegisterContainerInstance.html
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerInstance.html
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from sim.cloud.control_plane.call import AwsError, Values, moment
from sim.cluster.container_instances import ContainerInstance, Remaining, remaining
from sim.cluster.task_definitions import HostPort
from sim.cluster.tasks import Task

# Attributes for placement, and the fields of the agent's identity document that they come from.
_FROM_IDENTITY = {
    "ecs.availability-zone": "availabilityZone",
    "ecs.instance-type": "instanceType",
    "ecs.ami-id": "imageId",
}
_PORTS = {"PORTS": "tcp", "PORTS_UDP": "udp"}


@dataclass(frozen=True)
class InstanceRecord:
    """What AWS's API knows of a container instance beside its state."""

    arn: str
    version_info: Values
    tags: dict[str, str]
    version: int = 1


def register(identity: str, parameters: Values, before: ContainerInstance | None, now: float) -> ContainerInstance:
    """The instance as its agent describes it; `before` is its last registration. Raises AwsError: ClientException."""
    try:
        document: Values = json.loads(parameters["instanceIdentityDocument"])
        ec2_instance = str(document["instanceId"])
    except (KeyError, ValueError):
        raise AwsError("ClientException", "The instance identity document is missing or names no instanceId.") from None
    attributes = {name: document.get(field) for name, field in _FROM_IDENTITY.items() if document.get(field)}
    attributes |= {each["name"]: each.get("value") for each in parameters.get("attributes") or []}
    total = {each["name"]: each for each in parameters.get("totalResources") or []}
    return ContainerInstance(
        id=before.id if before else identity,
        ec2_instance_id=ec2_instance,
        zone=attributes.get("ecs.availability-zone") or "",
        cpu=total.get("CPU", {}).get("integerValue", 0),
        memory=total.get("MEMORY", {}).get("integerValue", 0),
        attributes=attributes,
        ports=_ports(total),
        status=before.status if before else "ACTIVE",
        capacity_provider=before.capacity_provider if before else "",
        registered_at=before.registered_at if before else now,
        agent_version=(parameters.get("versionInfo") or {}).get("agentVersion") or "",
    )


def update_state(instance: ContainerInstance, status: str) -> ContainerInstance:
    """The instance with a new status. A DRAINING one takes no new tasks. Raises AwsError: InvalidParameterException."""
    if status == "ACTIVE":
        return replace(instance, status="ACTIVE")
    if status == "DRAINING":
        return replace(instance, status="DRAINING")
    raise AwsError("InvalidParameterException", "Container instance status should be one of [ACTIVE, DRAINING].")


def describe(
    instance: ContainerInstance, record: InstanceRecord, tasks: Collection[Task], *, status: str = ""
) -> Values:
    """The instance as DescribeContainerInstances returns it, without the tags. `tasks` are the tasks of the cluster."""
    here = [each for each in tasks if each.instance == instance.id]
    left = remaining([instance], here)[instance.id]
    provider = {"capacityProviderName": instance.capacity_provider} if instance.capacity_provider else {}
    return {
        "containerInstanceArn": record.arn,
        "ec2InstanceId": instance.ec2_instance_id,
        "version": record.version,
        "versionInfo": record.version_info,
        "registeredResources": _resources(Remaining(instance.cpu, instance.memory, instance.ports)),
        "remainingResources": _resources(left),
        "status": status or instance.status,
        "agentConnected": instance.agent_connected,
        "runningTasksCount": sum(each.last_status == "RUNNING" for each in here),
        "pendingTasksCount": sum(each.pending for each in here),
        "attributes": [
            {"name": name} if value is None else {"name": name, "value": value}
            for name, value in sorted(instance.attributes.items())
        ],
        "registeredAt": moment(instance.registered_at),
        "attachments": [],
        **provider,
    }


def _ports(total: dict[str, Values]) -> frozenset[HostPort]:
    return frozenset(
        (protocol, int(port))
        for name, protocol in _PORTS.items()
        for port in total.get(name, {}).get("stringSetValue") or []
    )


def _resources(resources: Remaining) -> list[Values]:
    integers: list[Values] = [
        {"name": name, "type": "INTEGER", "doubleValue": 0.0, "longValue": 0, "integerValue": value}
        for name, value in (("CPU", resources.cpu), ("MEMORY", resources.memory))
    ]
    sets: list[Values] = [
        {"name": name, "type": "STRINGSET", "stringSetValue": _of(protocol, resources.ports)}
        for name, protocol in _PORTS.items()
    ]
    return integers + sets


def _of(protocol: str, ports: Iterable[HostPort]) -> list[str]:
    return sorted(str(port) for of, port in ports if of == protocol)
