"""What the scheduler has others do. Whatever carries an action out reports what came of it before the next step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sim.cluster.container_instances import ContainerInstance
from sim.cluster.deployments import LoadBalancer
from sim.cluster.tasks import Task, registered_port


@dataclass(frozen=True, slots=True)
class Target:
    """What a load balancer is handed for a task: its id, as in `target_health`, its zone, and the task's host port."""

    id: str
    zone: str
    task: str
    port: int


def target_of(task: Task, balancer: LoadBalancer, instances: Mapping[str, ContainerInstance]) -> Target:
    """What a load balancer has registered, or is to register, for a task."""
    instance = instances.get(task.instance or "")
    ec2 = instance.ec2_instance_id if instance else task.instance or ""
    port = registered_port(task, balancer.container_port)
    identity = ec2 if balancer.kind == "elb" else f"{ec2}:{port}"
    return Target(identity, instance.zone if instance else "", task.id, port)


@dataclass(frozen=True, slots=True)
class StartTask:
    """For an agent: run the task. Its record is among the cluster's tasks."""

    task: str
    instance: str


@dataclass(frozen=True, slots=True)
class PlaceTask:
    """For an agent: run a task that has waited for capacity."""

    task: str
    instance: str


@dataclass(frozen=True, slots=True)
class StopTask:
    """For an agent: SIGTERM, and SIGKILL after the stop timeout."""

    task: str
    instance: str


@dataclass(frozen=True, slots=True)
class Register:
    """For a load balancer: take the target."""

    balancer: LoadBalancer
    target: Target


@dataclass(frozen=True, slots=True)
class Deregister:
    """For a load balancer: send the target nothing new, and let it go when its connections have drained."""

    balancer: LoadBalancer
    target: Target


@dataclass(frozen=True, slots=True)
class Said:
    """An event of a service; the message begins with the service's name."""

    service: str
    message: str


Action = StartTask | PlaceTask | StopTask | Register | Deregister | Said
