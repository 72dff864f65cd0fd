"""Container instances: EC2 instances whose agent has registered, and what their tasks leave of them.

https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerInstance.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from sim.cluster.citations import ECS_API, LeftOut, cites
from sim.cluster.task_definitions import HostPort, TaskDefinition, static_host_ports
from sim.cluster.tasks import Task, holds_ports

AGENT_PORTS: Final[frozenset[HostPort]] = frozenset(("tcp", port) for port in (22, 2375, 2376, 51678, 51679))
"""What the agent reserves when it registers."""

LEFT_OUT: Final = (
    LeftOut(
        "An instance may reserve 100 host ports at most.",
        ECS_API + "PortMapping.html",
        "no service that was seen comes near it",
    ),
    LeftOut(
        "GPU, ENI trunking and network interfaces limit how many tasks an instance takes.",
        ECS_API + "Resource.html",
        "CPU, memory and ports are what bridge and host networks need",
    ),
)


@dataclass(frozen=True, slots=True)
class ContainerInstance:
    """One instance with all that it had when it registered. `ports` are those reserved from the start."""

    id: str
    ec2_instance_id: str
    zone: str
    cpu: int
    memory: int
    attributes: Mapping[str, str | None] = field(default_factory=dict)
    ports: frozenset[HostPort] = AGENT_PORTS
    status: Literal["ACTIVE", "DRAINING"] = "ACTIVE"
    agent_connected: bool = True
    capacity_provider: str = ""
    registered_at: float = 0.0
    agent_version: str = ""

    def attribute(self, name: str) -> str | None:
        """The value of an attribute; the zone is one whether or not the agent listed it. None without a value."""
        return self.zone if name == "ecs.availability-zone" else self.attributes.get(name)

    def has(self, name: str) -> bool:
        """Whether it has the attribute, with or without a value."""
        return name == "ecs.availability-zone" or name in self.attributes


@dataclass(frozen=True, slots=True)
class Remaining:
    """What is left of an instance; of the ports, those that are taken."""

    cpu: int
    memory: int
    ports: frozenset[HostPort]

    def without(self, definition: TaskDefinition, dynamic: frozenset[HostPort] = frozenset()) -> Remaining:
        """What is left beside one more task, which also has these ports that its agent chose."""
        return Remaining(
            self.cpu - definition.cpu,
            self.memory - definition.memory,
            self.ports | static_host_ports(definition) | dynamic,
        )


@cites(ECS_API + "PortMapping.html")
def remaining(instances: Iterable[ContainerInstance], tasks: Iterable[Task]) -> dict[str, Remaining]:
    """A task holds its CPU, memory and host ports until it is STOPPED; the agent's reserved ports are never free."""
    left = {each.id: Remaining(each.cpu, each.memory, each.ports) for each in instances}
    for task in tasks:
        if task.instance in left and holds_ports(task):
            bindings = () if task.definition.network_mode == "awsvpc" else task.bindings
            dynamic = frozenset(("tcp", host) for _, host in bindings)
            left[task.instance] = left[task.instance].without(task.definition, dynamic)
    return left


@cites(ECS_API + "UpdateContainerInstancesState.html")
def draining(instance: ContainerInstance) -> ContainerInstance:
    """A DRAINING instance gets no new tasks, and its services' tasks are replaced within the percents."""
    return replace(instance, status="DRAINING")


@cites(ECS_API + "UpdateContainerInstancesState.html")
def drained(instance: ContainerInstance, tasks: Iterable[Task]) -> bool:
    """An instance has drained when no task on it is RUNNING, and none is DEACTIVATING or STOPPING."""
    return instance.status == "DRAINING" and not any(
        each.instance == instance.id and not each.stopped for each in tasks
    )
