"""Tasks, and the state changes that agents report.

A task is PENDING on a container instance until the agent there reports a change by SubmitTaskStateChange.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-lifecycle-explanation.html
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sim.cloud.control_plane.call import Values
from sim.cloud.control_plane.ecs.task_definitions import TaskDefinition

_ORDER = ("PROVISIONING", "PENDING", "ACTIVATING", "RUNNING", "DEACTIVATING", "STOPPING", "DEPROVISIONING", "STOPPED")
# The reasons that the service scheduler gives when it stops a task: failed health checks, and scaling.
_UNHEALTHY = ("Task failed ELB health checks", "Task failed container health checks")
_BY_SCHEDULER = ("Scaling activity initiated by", *_UNHEALTHY)


@dataclass(frozen=True)
class Reservation:
    """What a task reserves on its container instance: CPU units, MiB of memory, and host ports as (protocol, port)."""

    cpu: int
    memory: int
    ports: frozenset[tuple[str, int]]


@dataclass(frozen=True)
class Container:
    """One container of a task."""

    name: str
    image: str
    status: str = "PENDING"
    exit_code: int | None = None
    reason: str = ""
    image_digest: str = ""
    runtime_id: str = ""
    bindings: tuple[Values, ...] = ()


@dataclass(frozen=True)
class Task:
    """A task on a container instance. `settings` are the parts of its description that never change."""

    arn: str
    cluster_arn: str
    container_instance_arn: str
    definition_arn: str
    group: str
    started_by: str
    reservation: Reservation
    containers: tuple[Container, ...]
    settings: Values
    tags: dict[str, str]
    created_at: datetime
    last_status: str = "PENDING"
    desired_status: str = "RUNNING"
    version: int = 1
    started_at: datetime | None = None
    stopping_at: datetime | None = None
    stopped_at: datetime | None = None
    stop_code: str = ""
    stopped_reason: str = ""

    @property
    def id(self) -> str:
        """The last part of its ARN."""
        return self.arn.rpartition("/")[2]

    @property
    def stopped(self) -> bool:
        """True if it has ended."""
        return self.last_status == "STOPPED"

    @property
    def unhealthy(self) -> bool:
        """True if it was stopped because its health checks failed."""
        return self.stopped_reason.startswith(_UNHEALTHY)

    @property
    def failed(self) -> bool:
        """True if the circuit breaker counts it: it was unhealthy, or it stopped by itself before it was RUNNING."""
        return self.stopped and (self.unhealthy or (self.started_at is None and self.stop_code == "TaskFailedToStart"))


def reservation(definition: TaskDefinition) -> Reservation:
    """What a task of the definition reserves. Of two memory limits, the reservation counts, not the hard limit."""
    containers: list[Values] = definition.settings["containerDefinitions"]
    cpu = definition.settings.get("cpu") or sum(each["cpu"] for each in containers)
    memory = definition.settings.get("memory") or sum(
        each.get("memoryReservation") or each.get("memory") or 0 for each in containers
    )
    ports = {(port["protocol"], port["hostPort"]) for each in containers for port in each["portMappings"]}
    return Reservation(int(cpu), int(memory), frozenset(each for each in ports if each[1]))


def containers(definition: TaskDefinition) -> tuple[Container, ...]:
    """The containers of a new task."""
    return tuple(Container(each["name"], each["image"]) for each in definition.settings["containerDefinitions"])


def request_stop(task: Task, reason: str, now: datetime) -> Task:
    """The task with the desired status STOPPED. The agent stops it."""
    if task.desired_status == "STOPPED":
        return task
    code = "ServiceSchedulerInitiated" if reason.startswith(_BY_SCHEDULER) else "UserInitiated"
    return replace(
        task,
        desired_status="STOPPED",
        stop_code=code,
        stopped_reason=reason,
        stopping_at=now,
        version=task.version + 1,
    )


def change(task: Task, parameters: Values, now: datetime) -> Task:
    """The task after a state change from its agent. A status never goes back, and a stopped task stays stopped."""
    if task.stopped:
        return task
    changes = {each["containerName"]: each for each in parameters.get("containers") or []}
    status = parameters.get("status") or task.last_status
    after = replace(
        task,
        containers=tuple(_changed(each, changes.get(each.name, {}), status) for each in task.containers),
        last_status=max(task.last_status, status, key=_ORDER.index),
        version=task.version + 1,
    )
    if after.last_status == "RUNNING" and task.started_at is None:
        return replace(after, started_at=now)
    return _stopped(after, parameters.get("reason") or "", now) if after.stopped else after


def _stopped(task: Task, reason: str, now: datetime) -> Task:
    unasked = "EssentialContainerExited" if task.started_at else "TaskFailedToStart"
    return replace(
        task,
        desired_status="STOPPED",
        stop_code=task.stop_code or unasked,
        stopped_reason=task.stopped_reason or reason or "Essential container in task exited",
        stopping_at=task.stopping_at or now,
        stopped_at=now,
    )


def _changed(container: Container, change: Values, task_status: str) -> Container:
    bindings = change.get("networkBindings")
    return replace(
        container,
        status=change.get("status") or (task_status if task_status in {"RUNNING", "STOPPED"} else container.status),
        exit_code=change.get("exitCode", container.exit_code),
        reason=change.get("reason") or container.reason,
        image_digest=change.get("imageDigest") or container.image_digest,
        runtime_id=change.get("runtimeId") or container.runtime_id,
        bindings=container.bindings if bindings is None else tuple(bindings),
    )


def describe(task: Task) -> Values:
    """The task as DescribeTasks returns it, without the tags."""
    described: Values = {
        **task.settings,
        "taskArn": task.arn,
        "clusterArn": task.cluster_arn,
        "containerInstanceArn": task.container_instance_arn,
        "taskDefinitionArn": task.definition_arn,
        "group": task.group,
        "startedBy": task.started_by,
        "cpu": str(task.reservation.cpu),
        "memory": str(task.reservation.memory),
        "containers": [_container(each, task) for each in task.containers],
        "lastStatus": task.last_status,
        "desiredStatus": task.desired_status,
        "connectivity": "CONNECTED",
        "healthStatus": "UNKNOWN",
        "version": task.version,
        "createdAt": task.created_at,
        "startedAt": task.started_at,
        "stoppingAt": task.stopping_at,
        "stoppedAt": task.stopped_at,
        "stopCode": task.stop_code,
        "stoppedReason": task.stopped_reason,
    }
    return {name: value for name, value in described.items() if value not in (None, "")}


def _container(container: Container, task: Task) -> Values:
    described: dict[str, Any] = {
        "containerArn": f"{task.arn.replace(':task/', ':container/')}/{container.name}",
        "taskArn": task.arn,
        "name": container.name,
        "image": container.image,
        "lastStatus": container.status,
        "exitCode": container.exit_code,
        "reason": container.reason,
        "imageDigest": container.image_digest,
        "runtimeId": container.runtime_id,
        "networkBindings": list(container.bindings),
        "healthStatus": "UNKNOWN",
    }
    return {name: value for name, value in described.items() if value not in (None, "")}
