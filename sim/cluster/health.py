"""Whether a task is healthy, and whether it has to be replaced.

Both are no for a task that is still on its way: the load balancer has not checked it yet, or its container's check is
still UNKNOWN. So a task is healthy, unhealthy, or neither.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sim.cluster.citations import ECS_API, cites, inferred
from sim.cluster.deployments import LoadBalancer
from sim.cluster.target_health import TargetHealth
from sim.cluster.tasks import Task, failed_balancer_reason, failed_container_reason

SETTLE_SECONDS: Final = 40.0
"""How long a task with no check of any kind has to run before it counts as healthy."""
_NOT_YET: Final = frozenset(
    {
        "ELB",
        "Elb.RegistrationInProgress",
        "Elb.InitialHealthChecking",
        "Target.NotRegistered",
        "Target.NotInUse",
        "Target.DeregistrationInProgress",
    }
)
_FIRST_CHECKS: Final = "Instance has not passed the configured HealthyThreshold number of health checks consecutively."

TargetsHealth = Mapping[LoadBalancer, TargetHealth]
"""What each load balancer of a task reports of the task's target; without one that does not know it."""


@dataclass(frozen=True, slots=True)
class Unhealthy:
    """Why a task has to be replaced: the reason that it is stopped with, and what the event says of it."""

    reason: str
    balancer: str = ""
    description: str = ""


@cites(ECS_API + "DeploymentConfiguration.html")
def healthy(task: Task, balancers: tuple[LoadBalancer, ...], targets: TargetsHealth, now: float) -> bool:
    """A task is healthy when it is RUNNING and its container check and all its load balancers say so.

    A task with neither is healthy after 40 seconds.
    """
    if task.last_status != "RUNNING" or not task.to_run or task.leaving or task.started_at is None:
        return False
    if task.definition.health_check and task.health != "HEALTHY":
        return False
    if balancers:
        return task.registered and all(each in targets and targets[each].state == "InService" for each in balancers)
    return task.definition.health_check or settled(task, now)


@cites(ECS_API + "DeploymentConfiguration.html")
def settled(task: Task, now: float) -> bool:
    """A task without a container check counts 40 seconds after it is RUNNING, where no load balancer checks it."""
    return task.started_at is not None and now - task.started_at >= SETTLE_SECONDS


@cites(ECS_API + "CreateService.html")
def in_grace(task: Task, grace_seconds: float, now: float) -> bool:
    """Failed checks of load balancers and containers are ignored for the grace period after a task has started."""
    return task.started_at is not None and now - task.started_at < grace_seconds


def unhealthy(
    task: Task, balancers: tuple[LoadBalancer, ...], targets: TargetsHealth, grace_seconds: float, now: float
) -> Unhealthy | None:
    """Why the task has to be replaced, if it has to be."""
    if task.last_status != "RUNNING" or not task.to_run or task.leaving or in_grace(task, grace_seconds, now):
        return None
    if task.definition.health_check and task.health == "UNHEALTHY":
        return Unhealthy(failed_container_reason())
    for balancer in balancers if task.registered else ():
        if balancer in targets and fails_checks(targets[balancer]):
            return Unhealthy(failed_balancer_reason(str(balancer)), str(balancer), targets[balancer].description)
    return None


@inferred("a target that has not had its first checks yet is out of service too, and no event of ECS names one")
def fails_checks(target: TargetHealth) -> bool:
    """A target fails its checks when it is out of service for another reason than that it is new or leaving."""
    return target.state == "OutOfService" and target.reason_code not in _NOT_YET and target.description != _FIRST_CHECKS
