"""A service, its instances and its load balancers, out of a project's Terraform resources.

Services, task definitions, load balancers and instances refer to each other by names and ARNs. In a plan these may be
unknown; then the references of the configuration lead from one to the other.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sim.cluster import instance_types
from sim.cluster.balancer.checks import HealthCheck
from sim.cluster.balancer.nodes import Policy
from sim.cluster.balancer.target_group import DEREGISTRATION_DELAY, GroupSettings
from sim.cluster.circuit_breaker import CircuitBreaker
from sim.cluster.container_instances import ContainerInstance
from sim.cluster.deployments import Alarms, DeploymentConfiguration, LoadBalancer, Revision, bake_seconds
from sim.cluster.placement import Strategy
from sim.cluster.services import Settings
from sim.cluster.task_definitions import PlacementConstraint, PortMapping, TaskDefinition, registered
from sim.prediction.answers import Answers, NotRehearsed, Questions
from sim.prediction.scenario import Capacity, ContainerCheck, Neighbour, Scenario
from sim.prediction.terraform_json import Resource, Values, same_resource

_GROUPS: Final = {"aws_lb_target_group", "aws_alb_target_group"}
_FARGATE: Final = {"FARGATE", "FARGATE_SPOT"}
_ZONES: Final = 2
_ALB_CHECK: Final = HealthCheck(interval=30.0, timeout=5.0, healthy=3, unhealthy=3)
"""What the provider sets where a target group has no health_check."""
_ELB_CHECK: Final = HealthCheck(interval=30.0, timeout=5.0, healthy=10, unhealthy=2)


@dataclass(frozen=True, slots=True)
class Project:
    """All resources of the files that were given."""

    resources: tuple[Resource, ...]

    def of(self, *types: str) -> list[Resource]:
        """The resources of these types."""
        return [each for each in self.resources if each.type in types]

    def services(self) -> dict[str, Resource]:
        """The ECS services by name. Raises NotRehearsed where there is none."""
        found = {each.get("name") or each.address: each for each in self.of("aws_ecs_service")}
        if not found:
            raise NotRehearsed("there is no aws_ecs_service in the files: a rehearsal needs one")
        return found

    def find(
        self, types: Iterable[str], holder: Resource, argument: str, names: Sequence[str], value: object
    ) -> Resource | None:
        """The resource that an argument names: by a known value, else by its reference, else the only one there is."""
        candidates = self.of(*types)
        if isinstance(value, str) and value:
            for each in candidates:
                if value in {each.get(name) for name in names}:
                    return each
        referred = [each for each in candidates if same_resource(each, holder.refers_to.get(argument, frozenset()))]
        if len(referred) == 1:
            return referred[0]
        unknown = not value
        return candidates[0] if unknown and len(candidates) == 1 else None


def scenario(project: Project, name: str, answers: Answers) -> Scenario:
    """What is rehearsed for a service. Raises NotKnown and NotRehearsed."""
    service = project.services()[name]
    _refuse(name, service)
    questions = Questions()
    definition, check = _definition(project, service, answers, questions)
    providers = _providers(project, service)
    instances, capacity = _instances(project, providers, answers, questions)
    zones = tuple(sorted({each.zone for each in instances}))
    balancers = [_balancer(project, service, block) for block in service.get("load_balancer", ())]
    desired = answers.desired if answers.desired is not None else service.get("desired_count")
    scheduling = service.get("scheduling_strategy", "REPLICA")
    desired = len(instances) if scheduling == "DAEMON" else questions.ask(desired, "--desired", "the desired count", 1)
    settings = _settings(project, service)
    neighbours, overlooked = _neighbours(project, service, len(instances))
    classic = tuple(
        (balancer, _classic(resource, zones, answers, questions))
        for balancer, resource in balancers
        if balancer.kind == "elb"
    )
    groups = tuple(
        (balancer, _group(resource, zones, answers, questions))
        for balancer, resource in balancers
        if balancer.kind == "target-group"
    )
    questions.settle(name)
    if desired == 0:
        raise NotRehearsed(f"service {name} has a desired count of 0: nothing runs, so say --desired N for a rehearsal")
    return Scenario(
        name=name,
        desired=desired,
        revision=Revision(definition, tuple(each for each, _ in balancers), providers),
        settings=settings,
        instances=instances,
        classic=classic,
        groups=groups,
        container_check=check,
        capacity=capacity,
        neighbours=neighbours,
        overlooked=overlooked,
        application=answers.application,
        cadence=answers.cadence,
    )


def _settings(project: Project, service: Resource) -> Settings:
    scheduling = service.get("scheduling_strategy", "REPLICA")
    return Settings(
        configuration=_configuration(project, service, scheduling),
        scheduling=scheduling,
        grace_seconds=float(service.get("health_check_grace_period_seconds", 0)),
        constraints=_constraints(service.get("placement_constraints", ())),
        strategies=tuple(
            Strategy(each["type"], each.get("field") or "") for each in service.get("ordered_placement_strategy", ())
        ),
    )


def _neighbours(project: Project, service: Resource, instances: int) -> tuple[tuple[Neighbour, ...], tuple[str, ...]]:
    """The other services of the cluster, and the names of those that the files do not describe in full."""
    known, overlooked = [], []
    for name, other in project.services().items():
        clusters = {each.get("cluster") for each in (service, other)} - {None, ""}
        if other is service or len(clusters) > 1 or other.get("launch_type") == "FARGATE":
            continue
        questions, settings = Questions(), _settings(project, other)
        definition, _ = _definition(project, other, Answers(), questions)
        desired = instances if settings.scheduling == "DAEMON" else other.get("desired_count")
        if questions.open or desired is None:
            overlooked.append(name)
        else:
            known.append(Neighbour(name, desired, definition, settings))
    return tuple(known), tuple(overlooked)


def _refuse(name: str, service: Resource) -> None:
    controller = service.block("deployment_controller").get("type") or "ECS"
    if controller != "ECS":
        raise NotRehearsed(
            f"service {name} has the deployment controller {controller}: ECS does not decide how it is deployed, "
            "so its percents mean nothing in a deployment"
        )
    strategies = {each.get("capacity_provider") for each in service.get("capacity_provider_strategy", ())}
    if service.get("launch_type") == "FARGATE" or strategies & _FARGATE:
        raise NotRehearsed(f"service {name} runs on Fargate: a rehearsal is of tasks on container instances")


def _definition(
    project: Project, service: Resource, answers: Answers, questions: Questions
) -> tuple[TaskDefinition, ContainerCheck | None]:
    found = project.find(
        {"aws_ecs_task_definition"},
        service,
        "task_definition",
        ("arn", "arn_without_revision"),
        service.get("task_definition"),
    ) or _by_family(project, service.get("task_definition", ""))
    text = found.get("container_definitions") if found else None
    if found is None or text is None:
        return _asked(service, answers, questions), None
    containers: list[dict[str, Any]] = json.loads(text)
    definition = registered(
        found.get("arn", found.address),
        {
            "containerDefinitions": containers,
            "cpu": found.get("cpu"),
            "memory": found.get("memory"),
            "networkMode": found.get("network_mode"),
            "placementConstraints": [
                {"type": each["type"], "expression": each.get("expression")}
                for each in found.get("placement_constraints", ())
            ],
        },
    )
    checks = [each["healthCheck"] for each in containers if each.get("healthCheck") and each.get("essential", True)]
    check = (
        ContainerCheck(
            float(checks[0].get("interval") or 30),
            int(checks[0].get("retries") or 3),
            float(checks[0].get("startPeriod") or 0),
        )
        if checks
        else None
    )
    cpu = definition.cpu if answers.cpu is None else answers.cpu
    memory = definition.memory if answers.memory is None else answers.memory
    return replace(definition, cpu=cpu, memory=memory), check


def _by_family(project: Project, arn: str) -> Resource | None:
    """The task definition of an ARN or of `family:revision`, whatever the revision."""
    family = arn.rpartition("/")[2].partition(":")[0]
    return next((each for each in project.of("aws_ecs_task_definition") if each.get("family") == family != ""), None)


def _asked(service: Resource, answers: Answers, questions: Questions) -> TaskDefinition:
    blocks = service.get("load_balancer", ())
    what = "the container definitions, their"
    ports = tuple(
        PortMapping(
            each.get("container_name") or "",
            int(each.get("container_port") or 0),
            questions.ask(answers.host_port, "--host-port", f"{what} host port (0: dynamic)", 0),
        )
        for each in blocks
    )
    cpu = questions.ask(answers.cpu, "--cpu", f"{what} CPU units", 0)
    memory = questions.ask(answers.memory, "--memory", f"{what} memory", 0)
    return TaskDefinition("task", cpu, memory, ports)


def _providers(project: Project, service: Resource) -> tuple[str, ...]:
    strategy = service.get("capacity_provider_strategy", ())
    if not strategy and service.get("launch_type") in {None, ""}:
        clusters = project.of("aws_ecs_cluster_capacity_providers")
        strategy = clusters[0].get("default_capacity_provider_strategy", ()) if len(clusters) == 1 else ()
    return tuple(each.get("capacity_provider") or "capacity-provider" for each in strategy)


def _instances(
    project: Project, providers: Sequence[str], answers: Answers, questions: Questions
) -> tuple[tuple[ContainerInstance, ...], Capacity | None]:
    group, provider = _scaling_group(project, providers)
    size = None
    if group:
        size = group.get("desired_capacity") or group.get("min_size")
    number = questions.ask(
        answers.instances if answers.instances is not None else size,
        "--instances",
        "how many container instances there are",
        1,
    )
    found = _resources_of(project, group)
    cpu = questions.ask(answers.instance_cpu or (found and found[0]), "--instance-cpu", "the instances' CPU units", 1)
    memory = questions.ask(
        answers.instance_memory or (found and found[1]), "--instance-memory", "the instances' memory", 1
    )
    zones = _zones(project, group, answers)
    instances = tuple(
        ContainerInstance(
            f"instance-{each + 1}",
            f"i-{each + 1}",
            zones[each % len(zones)],
            cpu,
            memory,
            capacity_provider=providers[0] if providers else "",
        )
        for each in range(number)
    )
    scales = provider and provider.block("auto_scaling_group_provider").get("managed_scaling")
    managed = bool(scales) and (scales[0].get("status") or "ENABLED") == "ENABLED" if scales else False
    most = int(group.get("max_size", 0)) if group else 0
    capacity = Capacity(most, answers.instance_start) if providers and managed and most > number else None
    return instances, capacity


def _scaling_group(project: Project, providers: Sequence[str]) -> tuple[Resource | None, Resource | None]:
    """The Auto Scaling group of the capacity provider, else the only one there is."""
    for provider in project.of("aws_ecs_capacity_provider"):
        if provider.get("name") in providers or (providers and len(project.of("aws_ecs_capacity_provider")) == 1):
            arn = provider.block("auto_scaling_group_provider").get("auto_scaling_group_arn")
            group = project.find(
                {"aws_autoscaling_group"}, provider, "auto_scaling_group_provider", ("arn", "name"), arn
            )
            return group, provider
    groups = project.of("aws_autoscaling_group")
    return (groups[0] if len(groups) == 1 else None), None


def _resources_of(project: Project, group: Resource | None) -> tuple[int, int] | None:
    if group is None:
        return None
    template = group.block("launch_template") or _mixed(group)
    found = project.find(
        {"aws_launch_template"}, group, "launch_template", ("id", "name"), template.get("id") or template.get("name")
    ) or project.find(
        {"aws_launch_configuration"}, group, "launch_configuration", ("name", "id"), group.get("launch_configuration")
    )
    return instance_types.resources(found.get("instance_type", "")) if found else None


def _mixed(group: Resource) -> Values:
    templates: Sequence[Values] = group.block("mixed_instances_policy").get("launch_template") or ({},)
    specifications: Sequence[Values] = templates[0].get("launch_template_specification") or ({},)
    return {"id": specifications[0].get("launch_template_id"), "name": specifications[0].get("launch_template_name")}


def _zones(project: Project, group: Resource | None, answers: Answers) -> list[str]:
    if answers.zones:
        return [f"zone-{number + 1}" for number in range(answers.zones)]
    subnets = group.get("vpc_zone_identifier", ()) if group else ()
    named = {each.get("availability_zone") for each in project.of("aws_subnet") if each.get("id") in subnets}
    named |= set(group.get("availability_zones", ())) if group else set()
    known = sorted(each for each in named if each)
    return known or [f"zone-{number + 1}" for number in range(max(len(subnets), _ZONES))]


def _balancer(project: Project, service: Resource, block: Values) -> tuple[LoadBalancer, Resource | None]:
    container, port = block.get("container_name") or "", int(block.get("container_port") or 0)
    behind_group = block.get("target_group_arn") or (not block.get("elb_name") and not _refers_to_elb(service))
    if behind_group:
        arn = block.get("target_group_arn")
        found = project.find(_GROUPS, service, "load_balancer", ("arn", "id"), arn)
        name = arn or (found.address if found else "target-group")
        return LoadBalancer("target-group", name, container, port), found
    found = project.find({"aws_elb"}, service, "load_balancer", ("name", "id"), block.get("elb_name"))
    return LoadBalancer("elb", block.get("elb_name") or "elb", container, port), found


def _refers_to_elb(service: Resource) -> bool:
    return any(".aws_elb." in f".{each}" for each in service.refers_to.get("load_balancer", ()))


def _classic(resource: Resource | None, zones: tuple[str, ...], answers: Answers, questions: Questions) -> Policy:
    check = _check(resource, _ELB_CHECK, answers, questions, "aws_elb")
    drains = resource is None or resource.get("connection_draining", False)
    timeout = resource.get("connection_draining_timeout", 300) if resource else None
    drain = questions.ask(
        _first(answers.drain_timeout, timeout), "--drain-timeout", "the load balancer's draining", 0.0
    )
    cross = bool(resource.get("cross_zone_load_balancing", True)) if resource else True
    return Policy(zones, check, float(drain) if drains else None, cross, answers.cadence.delays)


def _group(resource: Resource | None, zones: tuple[str, ...], answers: Answers, questions: Questions) -> GroupSettings:
    check = _check(resource, _ALB_CHECK, answers, questions, "aws_lb_target_group")
    delay = float(resource.get("deregistration_delay", DEREGISTRATION_DELAY)) if resource else None
    limit = questions.ask(_first(answers.drain_timeout, delay), "--drain-timeout", "the deregistration delay", 0.0)
    return GroupSettings(zones, check, deregistration_delay=limit, delays=answers.cadence.delays)


def _check(
    resource: Resource | None, default: HealthCheck, answers: Answers, questions: Questions, kind: str
) -> HealthCheck:
    given = resource.block("health_check") if resource else {}
    known = float(given.get("interval") or default.interval) if resource else None
    interval = questions.ask(
        _first(answers.check_interval, known), "--check-interval", f"the health check of the {kind}", 30.0
    )
    return HealthCheck(
        interval,
        min(float(given.get("timeout") or default.timeout), interval),
        int(given.get("healthy_threshold") or default.healthy),
        int(given.get("unhealthy_threshold") or default.unhealthy),
    )


def _first(*values: float | None) -> float | None:
    return next((each for each in values if each is not None), None)


def _configuration(project: Project, service: Resource, scheduling: str) -> DeploymentConfiguration:
    breaker, alarms = service.block("deployment_circuit_breaker"), service.block("alarms")
    daemon = scheduling == "DAEMON"
    return DeploymentConfiguration(
        int(service.get("deployment_minimum_healthy_percent", 0 if daemon else 100)),
        int(service.get("deployment_maximum_percent", 100 if daemon else 200)),
        CircuitBreaker(bool(breaker.get("enable")), bool(breaker.get("rollback"))),
        _alarms(project, alarms) if alarms.get("enable") else None,
    )


def _alarms(project: Project, block: Values) -> Alarms:
    names = tuple(block.get("alarm_names") or ())
    found = [each for each in project.of("aws_cloudwatch_metric_alarm") if not names or each.get("alarm_name") in names]
    periods = [(int(each.get("evaluation_periods", 1)), _period(each)) for each in found]
    return Alarms(names, bool(block.get("rollback")), bake_seconds(periods))


def _period(alarm: Resource) -> int:
    metrics = [metric for query in alarm.get("metric_query", ()) for metric in query.get("metric") or ()]
    return max([int(alarm.get("period", 0)), *(int(each.get("period") or 0) for each in metrics)])


def _constraints(blocks: Iterable[Values]) -> tuple[PlacementConstraint, ...]:
    return tuple(PlacementConstraint(each["type"], each.get("expression") or "") for each in blocks)
