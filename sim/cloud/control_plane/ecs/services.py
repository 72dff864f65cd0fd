"""Services and their rolling deployments.

The owner of a service chooses its settings. Changing some of them starts a deployment, which is PRIMARY until the next
one. Earlier deployments are ACTIVE while they still have tasks. `observe` derives the progress of deployments from the
tasks. Nothing in this module starts or stops a task.

https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_UpdateService.html
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Deployment.html
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime

from sim.cloud.control_plane.call import AwsError, Values
from sim.cloud.control_plane.ecs.tasks import Task

_MOST_EVENTS = 100
# The parameters of UpdateService that "trigger a new service deployment"; the others change the current deployment.
_DEPLOYED = frozenset(
    {
        "loadBalancers",
        "networkConfiguration",
        "platformVersion",
        "serviceConnectConfiguration",
        "serviceRegistries",
        "volumeConfigurations",
        "vpcLatticeConfigurations",
    }
)
_NOT_SETTINGS = frozenset(
    {
        "clientToken",
        "cluster",
        "desiredCount",
        "forceNewDeployment",
        "role",
        "service",
        "serviceName",
        "tags",
        "taskDefinition",
    }
)
_DEFAULTS: Values = {
    "loadBalancers": [],
    "serviceRegistries": [],
    "placementConstraints": [],
    "placementStrategy": [],
    "schedulingStrategy": "REPLICA",
    "deploymentController": {"type": "ECS"},
    "enableECSManagedTags": False,
    "propagateTags": "NONE",
    "enableExecuteCommand": False,
    "availabilityZoneRebalancing": "DISABLED",
}
_DEPLOYMENT_DEFAULTS: Values = {
    "deploymentCircuitBreaker": {"enable": False, "rollback": False},
    "maximumPercent": 200,
    "minimumHealthyPercent": 100,
    "strategy": "ROLLING",
    "bakeTimeInMinutes": 0,
}


@dataclass(frozen=True)
class Deployment:
    """One roll-out of a task definition. Its service revision has the same number as its id."""

    id: str
    task_definition: str
    settings: Values
    created_at: datetime
    updated_at: datetime
    rollout_state: str = "IN_PROGRESS"
    rollout_reason: str = ""
    failed_tasks: int = 0

    @property
    def number(self) -> str:
        """The part of its id after the slash."""
        return self.id.rpartition("/")[2]


@dataclass(frozen=True)
class Event:
    """A message of the service scheduler, as DescribeServices lists it."""

    id: str
    created_at: datetime
    message: str


@dataclass(frozen=True)
class Service:
    """A service of one cluster. `deployments` has the PRIMARY one first; `ended` has finished ones, newest first."""

    arn: str
    cluster_arn: str
    name: str
    settings: Values
    desired_count: int
    tags: dict[str, str]
    created_at: datetime
    deployments: tuple[Deployment, ...]
    ended: tuple[Deployment, ...] = ()
    events: tuple[Event, ...] = ()
    status: str = "ACTIVE"

    @property
    def primary(self) -> Deployment:
        """The most recent deployment."""
        return self.deployments[0]

    @property
    def group(self) -> str:
        """The group that its tasks belong to."""
        return f"service:{self.name}"

    @property
    def behind_classic(self) -> bool:
        """True if a Classic ELB is in front of it."""
        return any("loadBalancerName" in each for each in self.settings["loadBalancers"])


@dataclass(frozen=True)
class Change:
    """The time of a change, and a source of unique ids."""

    now: datetime
    new_id: Callable[[], str]

    def deployment(self, task_definition: str, settings: Values) -> Deployment:
        """A new deployment, with a unique id."""
        return Deployment(f"ecs-svc/{self.new_id()}", task_definition, settings, self.now, self.now)

    def event(self, service: Service, *messages: str) -> Service:
        """The service with one more event for each message, the newest first."""
        added = tuple(Event(self.new_id(), self.now, f"(service {service.name}) {each}") for each in messages)
        return replace(service, events=(*reversed(added), *service.events)[:_MOST_EVENTS])


def create(
    arn: str, cluster: Values, parameters: Values, task_definition: str, tags: dict[str, str], change: Change
) -> Service:
    """The service that CreateService asks for. `cluster` is the cluster's description."""
    settings = _DEFAULTS | {name: value for name, value in parameters.items() if name not in _NOT_SETTINGS}
    if not parameters.get("launchType") and not parameters.get("capacityProviderStrategy"):
        strategy = cluster.get("defaultCapacityProviderStrategy")
        settings |= {"capacityProviderStrategy": strategy} if strategy else {"launchType": "EC2"}
    settings = _normal(settings)
    return Service(
        arn=arn,
        cluster_arn=cluster["clusterArn"],
        name=parameters["serviceName"],
        settings=settings,
        desired_count=parameters.get("desiredCount") or 0,
        tags=tags,
        created_at=change.now,
        deployments=(change.deployment(task_definition, settings),),
    )


def update(service: Service, parameters: Values, task_definition: str | None, change: Change) -> Service:
    """The service after UpdateService. `task_definition` is the ARN of the new definition, None to keep the old one."""
    given = {name: value for name, value in parameters.items() if name not in _NOT_SETTINGS}
    settings = dict(service.settings)
    if given.get("capacityProviderStrategy"):
        settings.pop("launchType", None)
    settings = _normal(settings | given)
    definition = task_definition or service.primary.task_definition
    deploys = (
        parameters.get("forceNewDeployment")
        or definition != service.primary.task_definition
        or any(settings.get(name) != service.settings.get(name) for name in _DEPLOYED)
    )
    desired = parameters.get("desiredCount")
    updated = replace(service, settings=settings, desired_count=service.desired_count if desired is None else desired)
    if deploys:
        return replace(updated, deployments=(change.deployment(definition, settings), *service.deployments))
    return updated


def close(service: Service, tasks: Collection[Task], *, force: bool) -> Service:
    """The service after DeleteService: INACTIVE, or DRAINING while it has tasks. Raises AwsError."""
    if service.desired_count > 0 and not force:
        raise AwsError("InvalidParameterException", "The service cannot be stopped while it is scaled above 0.")
    left = any(not each.stopped for each in tasks)
    return replace(service, status="DRAINING" if left else "INACTIVE", desired_count=0)


def observe(service: Service, tasks: Collection[Task], change: Change) -> Service:
    """The service with its deployments updated from `tasks`, which are all tasks of the service."""
    if service.status != "ACTIVE":
        return close(service, tasks, force=True)
    service = _without_replaced(service, tasks)
    primary = service.primary
    own = [each for each in tasks if each.started_by == primary.id]
    running = sum(each.last_status == "RUNNING" for each in own)
    if primary.rollout_state != "IN_PROGRESS":
        return service
    if running == service.desired_count and len(service.deployments) == 1 and _running(tasks) == running:
        done = replace(
            primary,
            rollout_state="COMPLETED",
            rollout_reason=f"ECS deployment {primary.id} completed.",
            failed_tasks=0,
            updated_at=change.now,
        )
        service = replace(service, deployments=(done,))
        return change.event(service, f"(deployment {primary.id}) deployment completed.", "has reached a steady state.")
    failed = 0 if running and not any(each.unhealthy for each in own) else sum(each.failed for each in own)
    service = _with_primary(service, replace(primary, failed_tasks=failed))
    breaker = deployment_configuration(service)["deploymentCircuitBreaker"]
    if breaker["enable"] and failed >= _threshold(service):
        return observe(_broken(service, breaker, change), tasks, change)
    return service


def deployment_configuration(service: Service) -> Values:
    """The service's deployment configuration, completed with AWS's defaults."""
    asked: Values = service.settings.get("deploymentConfiguration") or {}
    return _DEPLOYMENT_DEFAULTS | asked


def _threshold(service: Service) -> int:
    """How many failed tasks trip the circuit breaker.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-circuit-breaker.html
    """
    return min(max(math.ceil(service.desired_count / 2), 3), 200)


def _broken(service: Service, breaker: Values, change: Change) -> Service:
    """The service after its circuit breaker: the deployment is FAILED; with rollback, the last good one is PRIMARY."""
    failed = replace(
        service.primary,
        rollout_state="FAILED",
        rollout_reason="ECS deployment circuit breaker: tasks failed to start.",
        updated_at=change.now,
    )
    service = _with_primary(service, failed)
    service = change.event(service, f"(deployment {failed.id}) deployment failed: tasks failed to start.")
    candidates = (*service.deployments[1:], *service.ended)
    good = next((each for each in candidates if each.rollout_state == "COMPLETED"), None)
    if not breaker["rollback"] or good is None:
        return service
    back = replace(
        good,
        rollout_state="IN_PROGRESS",
        rollout_reason=f"ECS deployment circuit breaker: rolling back to deploymentId {good.id}.",
        updated_at=change.now,
    )
    service = replace(
        service,
        settings=good.settings,
        deployments=(back, *(each for each in service.deployments if each.id != good.id)),
        ended=tuple(each for each in service.ended if each.id != good.id),
    )
    return change.event(service, f"rolling back to (deployment {good.id}).")


def _with_primary(service: Service, primary: Deployment) -> Service:
    return replace(service, deployments=(primary, *service.deployments[1:]))


def _without_replaced(service: Service, tasks: Collection[Task]) -> Service:
    """Moves the earlier deployments that have no tasks left from `deployments` to `ended`."""
    with_tasks = {each.started_by for each in tasks if not each.stopped}
    older = service.deployments[1:]
    gone = tuple(each for each in older if each.id not in with_tasks)
    left = tuple(each for each in older if each.id in with_tasks)
    return replace(service, deployments=(service.primary, *left), ended=(*gone, *service.ended)[:_MOST_EVENTS])


def _running(tasks: Collection[Task]) -> int:
    return sum(each.last_status == "RUNNING" for each in tasks)


def _normal(settings: Values) -> Values:
    """Drops an empty network configuration. AWS leaves it out, and Terraform's AWS provider crashes on it."""
    return {name: value for name, value in settings.items() if value or name != "networkConfiguration"}
