"""Deployments: one roll-out of a service revision each, and the bounds that its configuration sets.

The newest deployment of a service is PRIMARY. Those before it are ACTIVE as long as a task of theirs is left. A change
of the service revision begins a new one; it is IN_PROGRESS until it is COMPLETED or FAILED. A failed one is rolled back
to the last COMPLETED one where the configuration asks for that.

https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Deployment.html
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentConfiguration.html
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from sim.cluster.circuit_breaker import CircuitBreaker
from sim.cluster.citations import ECS_API, ECS_GUIDE, LeftOut, cites, inferred
from sim.cluster.task_definitions import TaskDefinition

RolloutState = Literal["IN_PROGRESS", "COMPLETED", "FAILED"]

LEFT_OUT: Final = (
    LeftOut(
        "Blue/green, linear and canary deployments.",
        ECS_API + "DeploymentConfiguration.html",
        "the cores know the rolling update",
    ),
    LeftOut(
        "StopServiceDeployment, pause and life-cycle hooks of a deployment.",
        ECS_API + "StopServiceDeployment.html",
        "no rolling update that was seen uses them",
    ),
)


@dataclass(frozen=True, slots=True)
class LoadBalancer:
    """A load balancer of a service: a Classic ELB by its name, or a target group by its ARN."""

    kind: Literal["elb", "target-group"]
    name: str
    container_name: str
    container_port: int

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class Revision:
    """A service revision: what a deployment rolls out. Two that are equal need no deployment between them."""

    definition: TaskDefinition
    load_balancers: tuple[LoadBalancer, ...] = ()
    capacity_providers: tuple[str, ...] = ()
    """Empty for a launch type."""


@dataclass(frozen=True, slots=True)
class Alarms:
    """The deployment alarms, and the seconds of the bake time after the last old task is gone."""

    names: tuple[str, ...]
    rollback: bool = False
    bake_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class DeploymentConfiguration:
    """How a service's deployments go. The percents are of the desired count."""

    minimum_healthy_percent: int = 100
    maximum_percent: int = 200
    circuit_breaker: CircuitBreaker = field(default_factory=CircuitBreaker)
    alarms: Alarms | None = None


@dataclass(frozen=True, slots=True)
class Deployment:
    """One deployment. `failed_tasks` is what the circuit breaker counts; `start_failures` what the back-off counts."""

    id: str
    revision: Revision
    created_at: float
    updated_at: float
    rollout_state: RolloutState = "IN_PROGRESS"
    rollout_reason: str = ""
    failed_tasks: int = 0
    start_failures: int = 0
    next_start_at: float = 0.0
    ignored_alarms: frozenset[str] | None = None
    """Those in ALARM when it began; None until the scheduler has looked."""
    baking_since: float | None = None
    was_completed: bool = False
    """True once it was COMPLETED, also while a rollback to it is in progress."""


def begun(identity: str, revision: Revision, now: float) -> Deployment:
    """A new deployment."""
    return Deployment(identity, revision, now, now, rollout_reason=f"ECS deployment {identity} in progress.")


@inferred("the guide lists STOPPED among the ends of a service deployment, and does not say when a newer one ends it")
def superseded(deployment: Deployment, now: float) -> Deployment:
    """A deployment that is in progress ends when a newer one begins."""
    return replace(deployment, updated_at=now) if deployment.rollout_state == "IN_PROGRESS" else deployment


@cites(ECS_API + "DeploymentConfiguration.html")
def least_healthy(desired: int, configuration: DeploymentConfiguration) -> int:
    """The minimum healthy percent of the desired count, rounded up, is how many healthy tasks stay RUNNING."""
    return math.ceil(desired * configuration.minimum_healthy_percent / 100)


@cites(ECS_API + "DeploymentConfiguration.html")
def most_running(desired: int, configuration: DeploymentConfiguration) -> int:
    """The maximum percent of the desired count, rounded down, is how many tasks may be RUNNING or PENDING."""
    return desired * configuration.maximum_percent // 100


@cites(ECS_API + "Deployment.html")
def completed(deployment: Deployment, now: float) -> Deployment:
    """A deployment is COMPLETED when its tasks are healthy in the desired number and no other has a task left."""
    return replace(
        deployment,
        rollout_state="COMPLETED",
        was_completed=True,
        rollout_reason=f"ECS deployment {deployment.id} completed.",
        failed_tasks=0,
        updated_at=now,
        baking_since=None,
    )


@cites(ECS_GUIDE + "deployment-circuit-breaker.html")
def failed(deployment: Deployment, cause: str, now: float) -> Deployment:
    """A FAILED deployment starts no more tasks; its reason names the circuit breaker or the alarms."""
    return replace(deployment, rollout_state="FAILED", rollout_reason=cause, updated_at=now)


@cites(ECS_GUIDE + "deployment-circuit-breaker.html")
def rollback_target(earlier: Iterable[Deployment]) -> Deployment | None:
    """A rollback goes to the last deployment that was COMPLETED; `earlier` has the newest first."""
    return next((each for each in earlier if each.was_completed), None)


@cites(ECS_GUIDE + "deployment-circuit-breaker.html")
def rolled_back(good: Deployment, what: str, now: float) -> Deployment:
    """A rollback makes the last good deployment PRIMARY again, under its own id; `what` failed the other."""
    reason = f"ECS deployment {what}: rolling back to deploymentId {good.id}."
    return replace(
        good,
        rollout_state="IN_PROGRESS",
        rollout_reason=reason,
        failed_tasks=0,
        start_failures=0,
        next_start_at=0.0,
        ignored_alarms=None,
        baking_since=None,
        updated_at=now,
    )


@cites(ECS_GUIDE + "deployment-alarm-failure.html")
def alarmed(deployment: Deployment, in_alarm: frozenset[str], alarms: Alarms | None) -> bool:
    """A deployment fails when one of its alarms goes to ALARM; one in ALARM from the start is ignored throughout."""
    if not alarms or deployment.rollout_state != "IN_PROGRESS":
        return False
    return bool((in_alarm & frozenset(alarms.names)) - (deployment.ignored_alarms or frozenset()))


@inferred("the guide says that ECS makes the bake time from the alarms' periods; the longest has to pass once")
def bake_seconds(periods: Iterable[tuple[int, int]]) -> float:
    """The bake time is the longest of the alarms' evaluation periods times their period, in seconds."""
    return float(max((count * period for count, period in periods), default=0))
