"""Tasks: their life cycle, their ends, and who may change what.

A task has two statuses. The scheduler owns the desired one, RUNNING or STOPPED; the last one follows from what the
agent reports, and never goes back. The agent is handed the tasks of its instance: it starts those that are to run, and
stops those that are to stop with SIGTERM, after the stop timeout with SIGKILL.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-lifecycle-explanation.html
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

from sim.cluster.citations import ECS_API, ECS_GUIDE, cites, inferred
from sim.cluster.task_definitions import TaskDefinition

LastStatus = Literal[
    "PROVISIONING", "PENDING", "ACTIVATING", "RUNNING", "DEACTIVATING", "STOPPING", "DEPROVISIONING", "STOPPED"
]
DesiredStatus = Literal["RUNNING", "STOPPED"]
HealthStatus = Literal["UNKNOWN", "HEALTHY", "UNHEALTHY"]
StopCode = Literal[
    "",
    "EssentialContainerExited",
    "TaskFailedToStart",
    "ServiceSchedulerInitiated",
    "UserInitiated",
    "TerminationNotice",
    "SpotInterruption",
]

LIFE_CYCLE: Final[tuple[LastStatus, ...]] = (
    "PROVISIONING",
    "PENDING",
    "ACTIVATING",
    "RUNNING",
    "DEACTIVATING",
    "STOPPING",
    "DEPROVISIONING",
    "STOPPED",
)
_ESSENTIAL_EXITED: Final = "Essential container in task exited"


@dataclass(frozen=True, slots=True)
class Task:
    """A task; times are seconds of the caller's clock. `deployment` is the id of the one that started it, "" for none.

    `bindings` has the host port for each container port, as the agent reports them. `registered` says whether the
    service's load balancers have it. `deregistered_at` is when they were asked to let it go.
    """

    id: str
    definition: TaskDefinition
    created_at: float
    group: str = ""
    deployment: str = ""
    instance: str | None = None
    last_status: LastStatus = "PROVISIONING"
    desired_status: DesiredStatus = "RUNNING"
    health: HealthStatus = "UNKNOWN"
    bindings: tuple[tuple[int, int], ...] = ()
    registered: bool = False
    deregistered_at: float | None = None
    was_healthy: bool = False
    counted: bool = False
    """Whether the deployment has counted its failure."""
    closed: bool = False
    """Whether it is STOPPED and its service has done all that follows from that."""
    started_at: float | None = None
    stopping_at: float | None = None
    stopped_at: float | None = None
    stop_code: StopCode = ""
    stopped_reason: str = ""

    @property
    def stopped(self) -> bool:
        """Whether it is at its end."""
        return self.last_status == "STOPPED"

    @property
    def to_run(self) -> bool:
        """Whether the scheduler wants it to run and it is not at its end."""
        return self.desired_status == "RUNNING" and self.last_status != "STOPPED"

    @property
    def leaving(self) -> bool:
        """Whether the load balancers were asked to let it go."""
        return self.deregistered_at is not None

    @property
    def pending(self) -> bool:
        """Whether it is on its way to RUNNING."""
        return self.last_status in {"PROVISIONING", "PENDING", "ACTIVATING"}


@cites(ECS_GUIDE + "task-lifecycle-explanation.html")
def advanced(task: Task, status: LastStatus) -> Task:
    """A task's last status only goes forward in the life cycle."""
    if LIFE_CYCLE.index(status) <= LIFE_CYCLE.index(task.last_status):
        return task
    return replace(task, last_status=status)


@cites(ECS_GUIDE + "task-lifecycle-explanation.html")
def placed(task: Task, instance: str) -> Task:
    """A task that has a container instance is PENDING until its agent has started the containers."""
    return replace(task, instance=instance, last_status="PENDING")


def running(task: Task, now: float, bindings: Mapping[int, int] | None = None) -> Task:
    """The task after its agent reported RUNNING, with the host port of each container port."""
    if task.last_status not in {"PROVISIONING", "PENDING", "ACTIVATING"}:
        return task
    reported = tuple(sorted((bindings or {}).items()))
    return replace(advanced(task, "RUNNING"), started_at=now, bindings=reported or task.bindings)


def health_reported(task: Task, health: HealthStatus) -> Task:
    """The task after its agent reported the health of its containers."""
    return task if task.health == health or task.stopped else replace(task, health=health)


@cites(ECS_GUIDE + "stopped-task-error-codes.html")
def ended(task: Task, now: float, reason: str = "") -> Task:
    """A task that nobody stopped ends as EssentialContainerExited if it ran, and as TaskFailedToStart if it did not."""
    if task.stopped:
        return task
    code: StopCode = "EssentialContainerExited" if task.started_at is not None else "TaskFailedToStart"
    return replace(
        task,
        last_status="STOPPED",
        desired_status="STOPPED",
        stop_code=task.stop_code or code,
        stopped_reason=task.stopped_reason or reason or _ESSENTIAL_EXITED,
        stopping_at=task.stopping_at if task.stopping_at is not None else now,
        stopped_at=now,
    )


@cites(ECS_GUIDE + "stopped-task-error-codes.html")
def host_terminated(task: Task, ec2_instance_id: str, now: float) -> Task:
    """The tasks of a terminated EC2 instance are STOPPED with TerminationNotice and a reason that names the host."""
    if task.stopped:
        return task
    reason = f"Host EC2 (instance {ec2_instance_id}) terminated."
    return ended(replace(task, stop_code="TerminationNotice", stopped_reason=reason), now)


@inferred("AWS says that orphans run on and that the scheduler starts others, not what DescribeTasks shows of them")
def orphaned(task: Task, now: float) -> Task:
    """A task whose container instance is deregistered by force counts no more: it is STOPPED, whatever runs on."""
    if task.stopped:
        return task
    reason = "The container instance was deregistered."
    return ended(replace(task, stop_code=task.stop_code or "TerminationNotice", stopped_reason=reason), now)


@cites(ECS_API + "StopTask.html")
def stop_by_user(task: Task, now: float, reason: str = "") -> Task:
    """StopTask has the agent send SIGTERM at once; the load balancer is not asked first."""
    return stopping(task, "UserInitiated", reason or "Task stopped by user", now)


@inferred(
    "RUNNING counts the desired status RUNNING; events of accounts show the next task start beside a stopping one"
)
def stopping(task: Task, code: StopCode, reason: str, now: float) -> Task:
    """A task that is to stop is STOPPING, and no longer counts towards the maximum percent."""
    if task.last_status in {"STOPPING", "DEPROVISIONING", "STOPPED"}:
        return task
    return replace(
        advanced(task, "STOPPING") if task.instance else advanced(task, "STOPPED"),
        desired_status="STOPPED",
        stop_code=code,
        stopped_reason=reason,
        stopping_at=now,
        stopped_at=None if task.instance else now,
    )


@cites(ECS_GUIDE + "task-lifecycle-explanation.html")
def deactivating(task: Task, code: StopCode, reason: str, now: float) -> Task:
    """A task behind a target group is DEACTIVATING until its deregistration is over, and is sent SIGTERM then."""
    return replace(
        advanced(task, "DEACTIVATING"), desired_status="STOPPED", stop_code=code, stopped_reason=reason, stopping_at=now
    )


@cites(ECS_GUIDE + "task-lifecycle-explanation.html")
def status_for_agent(task: Task) -> DesiredStatus:
    """A task that is DEACTIVATING runs on until its target groups have let it go, though ECS wants it STOPPED."""
    return "RUNNING" if task.last_status == "DEACTIVATING" else task.desired_status


@cites(ECS_GUIDE + "stopped-task-error-codes.html")
def scaling_reason(deployment: str) -> str:
    """A task that a deployment or a smaller count stops names the deployment in its reason."""
    return f"Scaling activity initiated by (deployment {deployment})"


@cites(ECS_GUIDE + "stopped-task-error-codes.html")
def failed_balancer_reason(balancer: str) -> str:
    """A task stopped for its load balancer's health checks names the balancer in its reason."""
    return f"Task failed ELB health checks in ({balancer})"


@cites(ECS_GUIDE + "stopped-task-error-codes.html")
def failed_container_reason() -> str:
    """A task stopped for its own health check has the reason "Task failed container health checks"."""
    return "Task failed container health checks"


def holds_ports(task: Task) -> bool:
    """Whether the task still has its share of the container instance: until it is STOPPED."""
    return task.instance is not None and not task.stopped


def registered_port(task: Task, container_port: int) -> int:
    """The host port behind a container port: what the agent reported, else the static one, else 0."""
    if port := dict(task.bindings).get(container_port):
        return port
    for each in task.definition.ports:
        if each.container_port == container_port:
            direct = task.definition.network_mode in {"awsvpc", "host"}
            return each.host_port or (container_port if direct else 0)
    return container_port if task.definition.network_mode in {"awsvpc", "host"} else 0
