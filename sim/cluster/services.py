"""Services: what their owner asks for, and which of his changes begin a deployment.

https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Service.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from sim.cluster.citations import ECS_API, cites
from sim.cluster.deployments import Deployment, DeploymentConfiguration, Revision, begun, superseded
from sim.cluster.events import Event
from sim.cluster.placement import Strategy
from sim.cluster.task_definitions import PlacementConstraint


@dataclass(frozen=True, slots=True)
class Settings:
    """What may change without a deployment. The grace period is in seconds."""

    configuration: DeploymentConfiguration = field(default_factory=DeploymentConfiguration)
    scheduling: Literal["REPLICA", "DAEMON"] = "REPLICA"
    grace_seconds: float = 0.0
    constraints: tuple[PlacementConstraint, ...] = ()
    strategies: tuple[Strategy, ...] = ()


@dataclass(frozen=True, slots=True)
class Service:
    """One service. `deployments` has the PRIMARY one first; `ended` those that are over, the newest first."""

    name: str
    desired_count: int
    settings: Settings
    deployments: tuple[Deployment, ...]
    ended: tuple[Deployment, ...] = ()
    events: tuple[Event, ...] = ()
    conditions: Mapping[str, float] = field(default_factory=dict)
    """The conditions that last, by the text of their event, and when each was an event last."""
    status: Literal["ACTIVE", "DRAINING", "INACTIVE"] = "ACTIVE"

    @property
    def primary(self) -> Deployment:
        """The newest deployment, or the one that a rollback goes to."""
        return self.deployments[0]

    @property
    def group(self) -> str:
        """Of its tasks."""
        return f"service:{self.name}"

    def with_primary(self, primary: Deployment) -> Service:
        """The service with another state of its PRIMARY deployment."""
        return replace(self, deployments=(primary, *self.deployments[1:]))


def created(
    name: str, revision: Revision, desired_count: int, settings: Settings, deployment: str, now: float
) -> Service:
    """A new service with its first deployment, whose id is given."""
    return Service(name, desired_count, settings, (begun(deployment, revision, now),))


@cites(ECS_API + "UpdateService.html")
def updated(
    service: Service,
    deployment: str,
    now: float,
    *,
    revision: Revision | None = None,
    desired_count: int | None = None,
    settings: Settings | None = None,
    force_new_deployment: bool = False,
) -> Service:
    """A new service revision begins a deployment, and so does force-new-deployment; count and percents do not.

    `deployment` is the id of the deployment that begins, if one does.
    """
    wanted = revision or service.primary.revision
    changed = replace(
        service,
        desired_count=service.desired_count if desired_count is None else desired_count,
        settings=settings or service.settings,
    )
    if wanted == service.primary.revision and not force_new_deployment:
        return changed
    before = superseded(service.primary, now)
    return replace(changed, deployments=(begun(deployment, wanted, now), before, *service.deployments[1:]))


@cites(ECS_API + "DeleteService.html")
def deleted(service: Service) -> Service:
    """A deleted service is DRAINING while it has tasks, and INACTIVE then."""
    return replace(service, desired_count=0, status="DRAINING")
