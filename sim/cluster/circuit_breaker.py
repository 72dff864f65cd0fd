"""The deployment circuit breaker: how many failed tasks fail a deployment.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-circuit-breaker.html
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentCircuitBreaker.html
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

from sim.cluster.citations import ECS_API, ECS_GUIDE, cites, inferred
from sim.cluster.tasks import Task

_FEWEST: Final = 3
_MOST: Final = 200


@dataclass(frozen=True, slots=True)
class Threshold:
    """`BOUNDED_PERCENT` of the desired count within 3 and 200, `UNBOUNDED_PERCENT`, or a `COUNT` of tasks."""

    type: Literal["BOUNDED_PERCENT", "UNBOUNDED_PERCENT", "COUNT"] = "BOUNDED_PERCENT"
    value: int = 50


@dataclass(frozen=True, slots=True)
class CircuitBreaker:
    """The settings; off by default, as AWS has it."""

    enable: bool = False
    rollback: bool = False
    threshold: Threshold = Threshold()
    reset_on_healthy_task: bool = True


@cites(ECS_API + "DeploymentCircuitBreaker.html")
def failures_allowed(breaker: CircuitBreaker, desired: int) -> int:
    """The breaker opens at half the desired count, rounded up, within 3 and 200, or at the threshold configured."""
    if breaker.threshold.type == "COUNT":
        return breaker.threshold.value
    share = math.ceil(desired * breaker.threshold.value / 100)
    if breaker.threshold.type == "UNBOUNDED_PERCENT":
        return max(share, 1)
    return min(max(share, _FEWEST), _MOST)


@cites(ECS_API + "Deployment.html")
def is_failure(task: Task) -> bool:
    """A task has failed if it never ran though nobody stopped it, or was stopped because a health check failed."""
    if not task.stopped and task.desired_status == "RUNNING":
        return False
    if task.stopped_reason.startswith(("Task failed ELB health checks", "Task failed container health checks")):
        return True
    return task.stopped and task.started_at is None and task.stop_code == "TaskFailedToStart"


@cites(ECS_API + "DeploymentCircuitBreaker.html")
def counted(breaker: CircuitBreaker, so_far: int, failures: int, *, healthy: bool) -> int:
    """The count starts again at 0 when a task becomes healthy, unless resetOnHealthyTask is off."""
    if healthy and breaker.reset_on_healthy_task:
        return failures
    return so_far + failures


@inferred(
    "failedTasks counts what the scheduler cannot launch, and a deployment that frees room as it goes is not failing"
)
def counts_as_launch_failure(*, moving: bool) -> bool:
    """A task that finds no room counts as failed, but not while a task of the service is starting or stopping."""
    return not moving


@cites(ECS_GUIDE + "deployment-circuit-breaker.html")
def reason() -> str:
    """The reason of the failed deployment is that tasks failed to start."""
    return "ECS deployment circuit breaker: tasks failed to start."
