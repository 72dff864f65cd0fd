"""What the agent reads in a task definition.

https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from sim.agent.local import Binding, LocalTask
from sim.cluster import role_keys
from sim.cluster.desired import DesiredTask

Condition = Literal["START", "COMPLETE", "SUCCESS", "HEALTHY"]
Values = Mapping[str, Any]

_DYNAMIC: Final = range(32768, 61000)
"""From which the agent chooses host ports: the default of Linux's ip_local_port_range."""


@dataclass(frozen=True, slots=True)
class Dependency:
    """What a container waits for: another container, and the state that it must have reached."""

    container: str
    condition: Condition


def containers(task: DesiredTask) -> tuple[Values, ...]:
    """The container definitions of a task, with the overrides of RunTask."""
    overrides = {each["name"]: each for each in task.overrides.get("containerOverrides") or ()}
    return tuple(_overridden(each, overrides.get(each["name"], {})) for each in task.definition["containerDefinitions"])


def keys(task: LocalTask) -> str:
    """The path of the keys with which the agent pulls, logs and gets secrets for a task.

    Those of the execution role, and without one those of the instance's.
    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_execution_IAM_role.html
    """
    if task.task.role("executionRoleArn"):
        return role_keys.of_task(task.task, "execution")
    return role_keys.of_instance(task.instance, task.task.place)


def container(task: DesiredTask, name: str) -> Values:
    """The container definition of this name, with the overrides of RunTask."""
    return next(each for each in containers(task) if each["name"] == name)


def essential(definition: Values) -> bool:
    """Whether the task ends with this container."""
    return bool(definition.get("essential", True))


def dependencies(definition: Values) -> tuple[Dependency, ...]:
    """What the container waits for. Linked containers, and those whose volumes it takes, must have started."""
    linked = (each.partition(":")[0] for each in definition.get("links") or ())
    lending = (each["sourceContainer"] for each in definition.get("volumesFrom") or ())
    return (
        *(Dependency(each["containerName"], each["condition"]) for each in definition.get("dependsOn") or ()),
        *(Dependency(each, "START") for each in (*linked, *lending)),
    )


def stop_timeout(definition: Values, otherwise: float) -> float:
    """The seconds between SIGTERM and SIGKILL."""
    return float(definition.get("stopTimeout") or otherwise)


def bindings(task: DesiredTask, definition: Values, held: Iterable[tuple[str, int]]) -> tuple[Binding, ...]:
    """The host ports of a container. Where the definition leaves the choice, the lowest that nothing holds.

    With the host's network, a container's ports are the host's. https://docs.docker.com/engine/network/drivers/host/
    """
    taken = set(held)
    found: list[Binding] = []
    for mapping in definition.get("portMappings") or ():
        protocol: Literal["tcp", "udp"] = "udp" if mapping.get("protocol") == "udp" else "tcp"
        inner = int(mapping["containerPort"])
        static = inner if network_mode(task) == "host" else int(mapping.get("hostPort") or 0)
        outer = static or next(each for each in _DYNAMIC if (protocol, each) not in taken)
        taken.add((protocol, outer))
        found.append(Binding(protocol, inner, outer))
    return tuple(found)


def network_mode(task: DesiredTask) -> str:
    """`bridge` if the definition names none."""
    return str(task.definition.get("networkMode") or "bridge")


def environment(definition: Values, given: Mapping[str, str], secrets: Mapping[str, str]) -> dict[str, str]:
    """A container's variables: what every task is given, then the definition's own, then its secrets."""
    own = {each["name"]: str(each.get("value") or "") for each in definition.get("environment") or ()}
    return {**given, **own, **secrets}


def _overridden(definition: Values, override: Values) -> Values:
    scalars = {name: override[name] for name in ("command", "cpu", "memory", "memoryReservation") if override.get(name)}
    own = {each["name"]: each for each in definition.get("environment") or ()}
    theirs = {each["name"]: each for each in override.get("environment") or ()}
    return {**definition, **scalars, "environment": list({**own, **theirs}.values())}
