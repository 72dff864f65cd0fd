"""What the agent knows of the tasks that it was given: what it began, and what it has seen of their containers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from sim.cluster.desired import DesiredTask
from sim.cluster.tasks import HealthStatus

ContainerStatus = Literal["PENDING", "STARTING", "RUNNING", "STOPPED"]


@dataclass(frozen=True, slots=True)
class Binding:
    """A host port of the instance for a port of a container. `address`, HOST:PORT, is where it really listens."""

    protocol: Literal["tcp", "udp"]
    container_port: int
    host_port: int
    address: str = ""


@dataclass(frozen=True, slots=True)
class LocalContainer:
    """One container of a task. Times are seconds since 1970.

    While SIGTERM is being sent `signalling` is true; `signalled_at` is when it was sent, `killed_at` when SIGKILL was
    asked for. An action that could not be carried out is tried again from `wait_until` on. Whether a container is
    `frozen` is not known, None, after that could not be changed.
    """

    name: str
    status: ContainerStatus = "PENDING"
    bindings: tuple[Binding, ...] = ()
    runtime_id: str = ""
    image_digest: str = ""
    exit_code: int | None = None
    reason: str = ""
    health: HealthStatus = "UNKNOWN"
    started_at: float | None = None
    signalling: bool = False
    signalled_at: float | None = None
    killed_at: float | None = None
    frozen: bool | None = False
    wait_until: float = 0.0


@dataclass(frozen=True, slots=True)
class LocalTask:
    """A task and its containers in the definition's order. `instance` is the id of its EC2 instance.

    `taken_at` is when the agent took it and began to pull. `ran` is true once the task has been RUNNING. `ended_at` is
    when its last container had ended.
    """

    task: DesiredTask
    instance: str
    containers: tuple[LocalContainer, ...]
    taken_at: float | None = None
    ran: bool = False
    ended_at: float | None = None

    def container(self, name: str) -> LocalContainer:
        """The container of this name. Raises StopIteration if there is none."""
        return next(each for each in self.containers if each.name == name)

    def having(self, container: LocalContainer) -> LocalTask:
        """The task with this container in place of the one of its name."""
        return replace(
            self, containers=tuple(container if each.name == container.name else each for each in self.containers)
        )


@dataclass(frozen=True, slots=True)
class Local:
    """All tasks on all instances of this machine, by ARN."""

    tasks: Mapping[str, LocalTask] = field(default_factory=dict)

    def having(self, task: LocalTask) -> Local:
        """The same with this task in place of the one of its ARN."""
        return Local({**self.tasks, task.task.arn: task})

    def without(self, arn: str) -> Local:
        """The same without a task."""
        return Local({name: each for name, each in self.tasks.items() if name != arn})
