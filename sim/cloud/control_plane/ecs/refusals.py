"""Services that are refused by name rather than never run: AWS does not take them, or the local cluster cannot."""

from __future__ import annotations

from typing import Final

from sim.cloud.control_plane.call import AwsError, Values
from sim.cloud.control_plane.cluster.application_backends import target_group, used_groups
from sim.cloud.control_plane.ecs.services import deployment_configuration
from sim.cluster.desired import Place
from sim.cluster.task_definitions import TaskDefinition

_NETWORKS = frozenset({"bridge", "host", "none"})
_ALL: Final = 100
"""As many tasks as desired, in percent."""


def refuse_contradictions(settings: Values, definition: TaskDefinition, desired: int | None) -> None:
    """Refuses what AWS does not take. `desired` is the count that the caller asks for.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateService.html
    Raises AwsError: InvalidParameterException.
    """
    if settings["schedulingStrategy"] == "DAEMON" and desired:
        raise AwsError(
            "InvalidParameterException",
            "The daemon scheduling strategy does not support a desired count for services. "
            "Remove the desired count value and try again.",
        )
    mapped = {(each.container_name, each.container_port) for each in definition.ports}
    for each in settings["loadBalancers"]:
        container, port = each.get("containerName"), each.get("containerPort")
        if (container, port) not in mapped:
            raise AwsError(
                "InvalidParameterException", f"The container {container} did not have a container port {port} defined."
            )


def refuse_rebalancing(settings: Values) -> None:
    """Refuses Availability Zone rebalancing where AWS does not have it. AWS's own text is not published: this is ours.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-rebalancing.html
    Raises AwsError: InvalidParameterException.
    """
    if settings["availabilityZoneRebalancing"] != "ENABLED":
        return
    unsuited = {
        "has the scheduling strategy DAEMON": settings["schedulingStrategy"] == "DAEMON",
        "is behind a Classic Load Balancer": any("loadBalancerName" in each for each in settings["loadBalancers"]),
        "has a maximumPercent of 100": deployment_configuration(settings)["maximumPercent"] == _ALL,
    }
    if reason := next((each for each, holds in unsuited.items() if holds), None):
        raise AwsError(
            "InvalidParameterException",
            f"Availability Zone rebalancing does not support a service that {reason}. Set it to DISABLED.",
        )


def refuse_service(place: Place, settings: Values, definition: TaskDefinition) -> None:
    """Refuses a service that AWS or the local cluster cannot run. Raises AwsError: InvalidParameterException."""
    refuse_launch(settings, definition)
    if (controller := settings["deploymentController"]["type"]) != "ECS":
        raise _refusal(f"the deployment controller {controller}", "Use the controller ECS.")
    if (strategy := deployment_configuration(settings)["strategy"]) != "ROLLING":
        raise _refusal(f"the deployment strategy {strategy}", "Use the strategy ROLLING.")
    for balancer in settings["loadBalancers"]:
        if group := balancer.get("targetGroupArn"):
            _check_target_group(place, group, definition)


def _check_target_group(place: Place, arn: str, definition: TaskDefinition) -> None:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_LoadBalancer.html"""
    group = target_group(place, arn)
    if group is None:
        raise AwsError("InvalidParameterException", f"The specified target group {arn} does not exist.")
    if group.target_type != "instance":
        raise AwsError(
            "InvalidParameterException",
            f"The provided target group {arn} has target type {group.target_type}, which is incompatible with the "
            f"{definition.network_mode} network mode specified in the task definition.",
        )
    if arn not in used_groups(place):
        raise AwsError(
            "InvalidParameterException",
            f"The target group with targetGroupArn {arn} does not have an associated load balancer.",
        )


def refuse_launch(asked: Values, definition: TaskDefinition) -> None:
    """Refuses tasks that the local cluster cannot run. Raises AwsError: InvalidParameterException."""
    names = [each["capacityProvider"] for each in asked.get("capacityProviderStrategy") or ()]
    if asked.get("launchType") in {"FARGATE", "EXTERNAL"} or any(each.startswith("FARGATE") for each in names):
        kind = asked.get("launchType") or "/".join(names)
        raise _refusal(f"the launch type {kind}", "Use the launch type EC2, or a provider of an Auto Scaling group.")
    if definition.network_mode not in _NETWORKS:
        raise _refusal(
            f"the network mode {definition.network_mode} of {definition.arn}", "Use the network mode bridge or host."
        )


def _refusal(what: str, remedy: str) -> AwsError:
    return AwsError("InvalidParameterException", f"The local cluster does not run {what}. {remedy}")
