"""Tasks: what AWS's API knows of one beside its state in `sim.cluster.tasks`, and the changes that agents report.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-lifecycle-explanation.html
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_SubmitTaskStateChange.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sim.cloud.control_plane.call import Values, moment
from sim.cloud.control_plane.ecs.task_definitions import TaskDefinition
from sim.cluster import tasks
from sim.cluster.container_instances import ContainerInstance
from sim.cluster.tasks import HealthStatus, Task

# The reasons that the service scheduler gives when it stops a task: scaling, and failed health checks.
_BY_SCHEDULER = (
    "Scaling activity initiated by",
    "Task failed ELB health checks",
    "Task failed container health checks",
)
_REPORTED_TIMES = ("executionStoppedAt", "pullStartedAt", "pullStoppedAt")


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
    health: HealthStatus = "UNKNOWN"


@dataclass(frozen=True)
class TaskRecord:
    """What AWS's API knows of a task beside its state. `settings` are the parts of its description that never change.

    `times` are those that its agent reported.
    """

    arn: str
    cluster_arn: str
    started_by: str
    definition: TaskDefinition
    containers: tuple[Container, ...]
    settings: Values
    tags: dict[str, str]
    times: Mapping[str, datetime]
    version: int = 1


def record(
    arn: str,
    cluster_arn: str,
    definition: TaskDefinition,
    settings: Values,
    *,
    started_by: str,
    tags: dict[str, str],
) -> TaskRecord:
    """What AWS's API knows of a new task."""
    containers = tuple(Container(each["name"], each["image"]) for each in definition.settings["containerDefinitions"])
    return TaskRecord(arn, cluster_arn, started_by, definition, containers, settings, tags, {})


def placed(of: TaskRecord, instance: ContainerInstance) -> TaskRecord:
    """What AWS's API knows of a task that has a container instance."""
    provider = {"capacityProviderName": instance.capacity_provider} if instance.capacity_provider else {}
    place = {
        "containerInstanceArn": arn_in(of.cluster_arn, "container-instance", instance.id),
        "availabilityZone": instance.attribute("ecs.availability-zone"),
    }
    return replace(of, settings={**of.settings, **place, **provider})


def arn_in(cluster_arn: str, kind: str, identity: str) -> str:
    """The ARN of what is in a cluster."""
    return f"{cluster_arn.replace(':cluster/', f':{kind}/', 1)}/{identity}"


def stop(task: Task, reason: str, now: float, *, by_scheduler: bool) -> Task:
    """The task after StopTask. Where a caller plays the service scheduler, the reason tells which calls are its own."""
    if by_scheduler and reason.startswith(_BY_SCHEDULER):
        return tasks.stopping(task, "ServiceSchedulerInitiated", reason, now)
    return tasks.stop_by_user(task, now, reason)


def change(task: Task, of: TaskRecord, parameters: Values, now: float) -> tuple[Task, TaskRecord]:
    """The task after a state change from its agent. A status never goes back, and a stopped task stays stopped."""
    if task.stopped:
        return task, of
    status = parameters.get("status") or task.last_status
    changes = {each["containerName"]: each for each in parameters.get("containers") or []}
    containers = tuple(_changed(each, changes.get(each.name, {}), status) for each in of.containers)
    times = {name: parameters[name] for name in _REPORTED_TIMES if parameters.get(name)}
    after = replace(of, containers=containers, times={**of.times, **times})
    match status:
        case "RUNNING":
            return tasks.running(task, now, _bindings(containers)), after
        case "STOPPED":
            return tasks.ended(task, now, parameters.get("reason") or ""), after
    return tasks.advanced(task, status), after


def health(task: Task, of: TaskRecord, parameters: Values) -> tuple[Task, TaskRecord]:
    """The task after its agent reported the health of the task, and of `containers` by their names."""
    named: Mapping[str, HealthStatus] = parameters.get("containers") or {}
    containers = tuple(replace(each, health=named.get(each.name, each.health)) for each in of.containers)
    return tasks.health_reported(task, parameters["healthStatus"]), replace(of, containers=containers)


def _bindings(containers: tuple[Container, ...]) -> dict[int, int]:
    """The host port of each container port."""
    return {
        int(each["containerPort"]): int(each["hostPort"])
        for container in containers
        for each in container.bindings
        if each.get("containerPort") and each.get("hostPort")
    }


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


def describe(task: Task, of: TaskRecord) -> Values:
    """The task as DescribeTasks returns it, without the tags."""
    described: Values = {
        **of.settings,
        "taskArn": of.arn,
        "clusterArn": of.cluster_arn,
        "taskDefinitionArn": task.definition.arn,
        "group": task.group,
        "startedBy": task.deployment or of.started_by,
        "cpu": str(task.definition.cpu),
        "memory": str(task.definition.memory),
        "containers": [_container(each, of) for each in of.containers],
        "lastStatus": task.last_status,
        "desiredStatus": task.desired_status,
        "connectivity": "CONNECTED",
        "healthStatus": task.health,
        "version": of.version,
        "createdAt": moment(task.created_at),
        "startedAt": _moment(task.started_at),
        "stoppingAt": _moment(task.stopping_at),
        "stoppedAt": _moment(task.stopped_at),
        "stopCode": task.stop_code,
        "stoppedReason": task.stopped_reason,
        **of.times,
    }
    return {name: value for name, value in described.items() if value not in (None, "")}


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else moment(seconds)


def _container(container: Container, of: TaskRecord) -> Values:
    described: dict[str, Any] = {
        "containerArn": f"{of.arn.replace(':task/', ':container/')}/{container.name}",
        "taskArn": of.arn,
        "name": container.name,
        "image": container.image,
        "lastStatus": container.status,
        "exitCode": container.exit_code,
        "reason": container.reason,
        "imageDigest": container.image_digest,
        "runtimeId": container.runtime_id,
        "networkBindings": list(container.bindings),
        "healthStatus": container.health,
    }
    return {name: value for name, value in described.items() if value not in (None, "")}
