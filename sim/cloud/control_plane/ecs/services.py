"""Services: what AWS's API knows of one beside its state in `sim.cluster.services`, and how that state follows from it.

https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateService.html
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_UpdateService.html
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from sim.cloud.control_plane.call import AwsError, Values
from sim.cluster import services
from sim.cluster.circuit_breaker import CircuitBreaker, Threshold
from sim.cluster.deployments import Alarms, DeploymentConfiguration, LoadBalancer, Revision
from sim.cluster.placement import Strategy
from sim.cluster.query import InvalidExpression, parse
from sim.cluster.services import Service, Settings
from sim.cluster.task_definitions import PlacementConstraint, TaskDefinition

BakeSeconds = Callable[[tuple[str, ...]], float]
"""The bake time of deployments with these alarms, in seconds."""

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
_DAEMON_DEFAULTS: Values = {"maximumPercent": 100, "minimumHealthyPercent": 0}


@dataclass(frozen=True)
class ServiceRecord:
    """What AWS's API knows of a service beside its state. `deployed` has the settings of each deployment, by its id."""

    arn: str
    cluster_arn: str
    settings: Values
    deployed: dict[str, Values]
    tags: dict[str, str]
    created_at: float

    @property
    def behind_classic(self) -> bool:
        """True if a Classic ELB is in front of it."""
        return any("loadBalancerName" in each for each in self.settings["loadBalancers"])

    def of(self, service: Service) -> Values:
        """The settings as they are: a rollback brings back those that a service revision has."""
        deployed = self.deployed[service.primary.id]
        return {name: value for name, value in self.settings.items() if name not in _DEPLOYED} | {
            name: value for name, value in deployed.items() if name in _DEPLOYED
        }


def create(
    arn: str,
    cluster: Values,
    parameters: Values,
    definition: TaskDefinition,
    deployment: str,
    now: float,
    *,
    tags: dict[str, str],
    bake_seconds: BakeSeconds,
) -> tuple[Service, ServiceRecord]:
    """The service that CreateService asks for. `cluster` is the cluster's description, `deployment` its first id."""
    values = _DEFAULTS | {name: value for name, value in parameters.items() if name not in _NOT_SETTINGS}
    if not parameters.get("launchType") and not parameters.get("capacityProviderStrategy"):
        strategy = cluster.get("defaultCapacityProviderStrategy")
        values |= {"capacityProviderStrategy": strategy} if strategy else {"launchType": "EC2"}
    values = _normal(values)
    made = services.created(
        parameters["serviceName"],
        revision(values, definition),
        parameters.get("desiredCount") or 0,
        settings(values, bake_seconds),
        deployment,
        now,
    )
    return made, ServiceRecord(arn, cluster["clusterArn"], values, {deployment: values}, tags, now)


def update(
    service: Service,
    record: ServiceRecord,
    parameters: Values,
    definition: TaskDefinition | None,
    deployment: str,
    now: float,
    *,
    bake_seconds: BakeSeconds,
) -> tuple[Service, ServiceRecord]:
    """The service after UpdateService. `definition` is the new one, None to keep the old; `deployment` the next id."""
    given = {name: value for name, value in parameters.items() if name not in _NOT_SETTINGS}
    before = record.of(service)
    values = dict(before)
    if given.get("capacityProviderStrategy"):
        values.pop("launchType", None)
    values = _normal(values | given)
    wanted = definition or service.primary.revision.definition
    deploys = bool(
        parameters.get("forceNewDeployment")
        or wanted.arn != service.primary.revision.definition.arn
        or any(values.get(name) != before.get(name) for name in _DEPLOYED)
    )
    changed = services.updated(
        service,
        deployment,
        now,
        revision=revision(values, wanted) if deploys else None,
        desired_count=parameters.get("desiredCount"),
        settings=settings(values, bake_seconds),
        force_new_deployment=deploys,
    )
    known = {each.id for each in (*changed.deployments, *changed.ended)}
    deployed = {name: each for name, each in {**record.deployed, deployment: values}.items() if name in known}
    return changed, replace(record, settings=values, deployed=deployed)


def delete(service: Service, *, force: bool) -> Service:
    """The service after DeleteService. Of a daemon nobody sets the count, so it needs no `force`.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeleteService.html
    Raises AwsError: InvalidParameterException.
    """
    if service.settings.scheduling == "REPLICA" and service.desired_count > 0 and not force:
        raise AwsError("InvalidParameterException", "The service cannot be stopped while it is scaled above 0.")
    return services.deleted(service)


def deployment_configuration(values: Values) -> Values:
    """A service's deployment configuration, completed with AWS's defaults."""
    defaults = _DEPLOYMENT_DEFAULTS | (_DAEMON_DEFAULTS if values["schedulingStrategy"] == "DAEMON" else {})
    asked: Values = values.get("deploymentConfiguration") or {}
    return defaults | asked


def revision(values: Values, definition: TaskDefinition) -> Revision:
    """The service revision that a service's settings describe, in AWS's names and shapes."""
    providers = tuple(each["capacityProvider"] for each in values.get("capacityProviderStrategy") or ())
    return Revision(definition, tuple(_balancer(each) for each in values["loadBalancers"]), providers)


def settings(values: Values, bake_seconds: BakeSeconds) -> Settings:
    """What may change without a deployment, of a service's settings in AWS's names and shapes."""
    return Settings(
        configuration=_configuration(deployment_configuration(values), bake_seconds),
        scheduling=values["schedulingStrategy"],
        grace_seconds=float(values.get("healthCheckGracePeriodSeconds") or 0),
        constraints=constraints(values.get("placementConstraints")),
        strategies=strategies(values.get("placementStrategy")),
    )


def constraints(values: list[Values] | None) -> tuple[PlacementConstraint, ...]:
    """Placement constraints, as CreateService and RunTask name them. Raises AwsError: InvalidParameterException."""
    found = tuple(PlacementConstraint(each["type"], each.get("expression") or "") for each in values or ())
    for each in found:
        if each.type == "memberOf":
            try:
                parse(each.expression)
            except InvalidExpression as error:
                raise AwsError("InvalidParameterException", f"Invalid placement constraint: {error}") from None
    return found


def strategies(values: list[Values] | None) -> tuple[Strategy, ...]:
    """Placement strategies, as CreateService and RunTask name them. Raises AwsError: InvalidParameterException."""
    found = tuple(Strategy(each["type"], _field(each)) for each in values or ())
    for each in found:
        if each.type == "binpack" and each.field not in {"cpu", "memory"}:
            raise AwsError(
                "InvalidParameterException", f"A binpack strategy has the field cpu or memory, not {each.field!r}."
            )
    return found


def _field(strategy: Values) -> str:
    """Of a strategy; AWS takes CPU and MEMORY in any case."""
    field: str = strategy.get("field") or ""
    return field.lower() if strategy["type"] == "binpack" else field


def _balancer(value: Values) -> LoadBalancer:
    container, port = value.get("containerName") or "", int(value.get("containerPort") or 0)
    if name := value.get("loadBalancerName"):
        return LoadBalancer("elb", name, container, port)
    return LoadBalancer("target-group", value.get("targetGroupArn") or "", container, port)


def _configuration(asked: Values, bake_seconds: BakeSeconds) -> DeploymentConfiguration:
    breaker, alarms = asked["deploymentCircuitBreaker"], asked.get("alarms") or {}
    names = tuple(alarms.get("alarmNames") or ()) if alarms.get("enable") else ()
    return DeploymentConfiguration(
        minimum_healthy_percent=int(asked["minimumHealthyPercent"]),
        maximum_percent=int(asked["maximumPercent"]),
        circuit_breaker=CircuitBreaker(
            enable=bool(breaker["enable"]),
            rollback=bool(breaker["rollback"]),
            threshold=Threshold(**(breaker.get("thresholdConfiguration") or {})),
            reset_on_healthy_task=breaker.get("resetOnHealthyTask", True),
        ),
        alarms=Alarms(names, bool(alarms.get("rollback")), bake_seconds(names)) if names else None,
    )


def _normal(values: Values) -> Values:
    """Drops an empty network configuration. AWS leaves it out, and Terraform's AWS provider crashes on it."""
    return {name: value for name, value in values.items() if value or name != "networkConfiguration"}
