"""Task definitions: what a task takes of its container instance, and what it asks of it.

https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_TaskDefinition.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from sim.cluster.citations import ECS_API, ECS_GUIDE, cites

HostPort = tuple[str, int]
"""A protocol, `tcp` or `udp`, and a port."""
Attribute = tuple[str, str | None]
"""A name, and the value if one is asked for."""
_OLD_CAPABILITY: Final = "com.amazonaws.ecs.capability"
_CAPABILITY: Final = "ecs.capability"
_ECR: Final = re.compile(r"[0-9]{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(\.cn)?/")
STOP_TIMEOUT_SECONDS: Final = 30.0
"""The agent's default between SIGTERM and SIGKILL."""


@dataclass(frozen=True, slots=True)
class PortMapping:
    """A port of a container. Host port 0 has the agent choose one."""

    container_name: str
    container_port: int
    host_port: int = 0
    protocol: str = "tcp"


@dataclass(frozen=True, slots=True)
class PlacementConstraint:
    """`distinctInstance`, or `memberOf` with an expression of the cluster query language."""

    type: Literal["distinctInstance", "memberOf"]
    expression: str = ""


@dataclass(frozen=True, slots=True)
class TaskDefinition:
    """One revision. CPU is in units of 1/1024 vCPU, memory in MiB, the stop timeout in seconds."""

    arn: str
    cpu: int = 0
    memory: int = 0
    ports: tuple[PortMapping, ...] = ()
    network_mode: str = "bridge"
    health_check: bool = False
    """Whether an essential container has a health check."""
    requires_attributes: tuple[Attribute, ...] = ()
    placement_constraints: tuple[PlacementConstraint, ...] = ()
    stop_timeout: float = STOP_TIMEOUT_SECONDS
    roles: tuple[str, ...] = ()
    """The ARNs of the roles that ECS assumes for a task: the task role and the execution role, where there are any.

    A role that the definition names without its ARN is not among them.
    """


def registered(arn: str, settings: Mapping[str, Any]) -> TaskDefinition:
    """The task definition that RegisterTaskDefinition's parameters describe, in AWS's names and shapes."""
    containers: Sequence[Mapping[str, Any]] = settings["containerDefinitions"]
    essential = [each for each in containers if each.get("essential", True)]
    return TaskDefinition(
        arn=arn,
        cpu=int(settings.get("cpu") or sum(int(each.get("cpu") or 0) for each in containers)),
        memory=int(settings.get("memory") or sum(reserved_memory(each) for each in containers)),
        ports=tuple(
            PortMapping(
                each["name"],
                int(port["containerPort"]),
                int(port.get("hostPort") or 0),
                port.get("protocol") or "tcp",
            )
            for each in containers
            for port in each.get("portMappings") or ()
        ),
        network_mode=settings.get("networkMode") or "bridge",
        health_check=any(each.get("healthCheck") for each in essential),
        requires_attributes=tuple(
            (each["name"], each.get("value")) for each in settings.get("requiresAttributes") or ()
        ),
        placement_constraints=tuple(
            PlacementConstraint(each["type"], each.get("expression") or "")
            for each in settings.get("placementConstraints") or ()
        ),
        stop_timeout=max((float(each.get("stopTimeout") or STOP_TIMEOUT_SECONDS) for each in containers), default=0.0),
        roles=tuple(
            str(settings[name])
            for name in ("taskRoleArn", "executionRoleArn")
            if str(settings.get(name)).startswith("arn:")
        ),
    )


@cites(ECS_API + "ContainerDefinition.html")
def reserved_memory(container: Mapping[str, Any]) -> int:
    """A container takes its memoryReservation of the instance's memory, or its memory where it has no reservation."""
    return int(container.get("memoryReservation") or container.get("memory") or 0)


@cites(ECS_API + "TaskDefinition.html")
def required_attributes(settings: Mapping[str, Any]) -> list[str]:
    """A task definition requires of an instance what its agent must be capable of: log drivers, roles, secrets, ECR."""
    containers: Sequence[Mapping[str, Any]] = settings["containerDefinitions"]
    found = {
        f"{_OLD_CAPABILITY}.logging-driver.{log['logDriver']}"
        for each in containers
        if (log := each.get("logConfiguration"))
    }
    ecr = any(_ECR.match(each["image"]) for each in containers)
    logs = f"{_OLD_CAPABILITY}.logging-driver.awslogs" in found
    secrets = [secret["valueFrom"] for each in containers for secret in each.get("secrets") or ()]
    from_manager = [each.startswith("arn:aws:secretsmanager:") for each in secrets]
    role = settings.get("executionRoleArn")
    needs = {
        f"{_OLD_CAPABILITY}.ecr-auth": ecr,
        f"{_OLD_CAPABILITY}.privileged-container": any(each.get("privileged") for each in containers),
        f"{_OLD_CAPABILITY}.task-iam-role": settings.get("taskRoleArn"),
        f"{_CAPABILITY}.container-health-check": any(each.get("healthCheck") for each in containers),
        f"{_CAPABILITY}.container-ordering": any(each.get("dependsOn") for each in containers),
        f"{_CAPABILITY}.execution-role-awslogs": role and logs,
        f"{_CAPABILITY}.execution-role-ecr-pull": role and ecr,
        f"{_CAPABILITY}.secrets.asm.environment-variables": any(from_manager),
        f"{_CAPABILITY}.secrets.ssm.environment-variables": secrets and not all(from_manager),
        f"{_CAPABILITY}.task-eni": settings.get("networkMode") == "awsvpc",
    }
    return sorted(found | {name for name, needed in needs.items() if needed})


@cites(ECS_GUIDE + "task_definition_parameters.html")
def static_host_ports(definition: TaskDefinition) -> frozenset[HostPort]:
    """A task holds its static host ports; with the host network those of its containers, with awsvpc none."""
    if definition.network_mode in {"awsvpc", "none"}:
        return frozenset()
    if definition.network_mode == "host":
        return frozenset((each.protocol, each.host_port or each.container_port) for each in definition.ports)
    return frozenset((each.protocol, each.host_port) for each in definition.ports if each.host_port)
