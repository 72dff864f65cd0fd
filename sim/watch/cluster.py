"""Services, tasks, instances and alarms of a picture, of what AWS says about them. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from sim.aws.arn import last_part
from sim.cloud.ecs import zone_of
from sim.watch.observed import Described, SeenCluster
from sim.watch.picture import AlarmNow, Health, InstanceNow, Registration, ServiceNow, TaskNow

_STARTING: Final = frozenset({"PROVISIONING", "PENDING", "ACTIVATING"})
_STOPPED: Final = "STOPPED"
IN_SERVICE: Final = "InService"
_CHECKED: Final = {"HEALTHY": Health.GOOD, "UNHEALTHY": Health.BAD}
_DIGITS: Final = 12
"""Of a digest that stands for a version."""


def tasks(seen: SeenCluster) -> dict[str, TaskNow]:
    """The tasks that have not stopped, by id."""
    services = {str(each["serviceName"]): name for name, each in seen.services.items()}
    places = {each["containerInstanceArn"]: str(each["ec2InstanceId"]) for each in seen.instances}
    return {
        last_part(each["taskArn"]): TaskNow(
            services.get(str(each.get("group", "")).removeprefix("service:"), ""),
            places.get(each.get("containerInstanceArn", ""), ""),
            version(each["taskDefinitionArn"], seen),
            _health(each),
            state_of(each),
        )
        for each in seen.tasks
        if each["lastStatus"] != _STOPPED
    }


def service(
    name: str,
    seen: SeenCluster,
    tasks: Mapping[str, TaskNow],
    calls: Mapping[str, float],
    failing: float,
) -> ServiceNow:
    """A service with its tasks, and what a deployment of it does now."""
    described = seen.services[name]
    mine = [each for each in tasks.values() if each.service == name]
    return ServiceNow(
        described["desiredCount"],
        described["runningCount"],
        described["pendingCount"],
        sum(each.health is Health.GOOD for each in mine),
        version(described["taskDefinition"], seen),
        dict(sorted(Counter(each.version for each in mine).items())),
        _rollout(described, seen),
        calls,
        failing,
        tuple(
            str(each["loadBalancerName"]) for each in described.get("loadBalancers", ()) if "loadBalancerName" in each
        ),
    )


def instances(seen: SeenCluster) -> dict[str, InstanceNow]:
    """The container instances, by EC2 instance id, with the load balancers' view of each."""
    return {str(each["ec2InstanceId"]): _instance(each, seen.health) for each in seen.instances}


def alarms(seen: SeenCluster) -> dict[str, AlarmNow]:
    """The alarms by name."""
    return {
        str(each["AlarmName"]): AlarmNow(each["StateValue"], each.get("StateReason", ""), _scales(each))
        for each in seen.alarms
    }


def _scales(alarm: Described) -> bool:
    # https://docs.aws.amazon.com/autoscaling/application/userguide/target-tracking-scaling-policy-overview.html
    return str(alarm["AlarmName"]).startswith("TargetTracking-")


def version(definition: str, seen: SeenCluster) -> str:
    """The version that a task definition runs: the tag of its image, or else its digest, or the definition's name."""
    described = seen.definitions.get(definition)
    if described is None:
        return last_part(definition)
    name, _, digest = last_part(described["containerDefinitions"][0]["image"]).partition("@")
    short = digest.removeprefix("sha256:")[:_DIGITS]
    return name.partition(":")[2] or seen.tags.get(digest) or short or last_part(definition)


def _health(task: Described) -> Health:
    if task["desiredStatus"] == _STOPPED:
        return Health.STOPPING
    if task["lastStatus"] in _STARTING:
        return Health.STARTING
    checked = _CHECKED.get(task.get("healthStatus", ""))
    has_check = any("healthStatus" in each for each in task["containers"])
    return checked or (Health.STARTING if has_check else Health.GOOD)


def state_of(described: Described) -> str:
    """Status and health of a task or container, in AWS's words."""
    return f"{described['lastStatus']} {described.get('healthStatus', '')}".strip()


def _instance(each: Described, health: Mapping[str, Sequence[Described]]) -> InstanceNow:
    connected, draining = bool(each["agentConnected"]), each["status"] == "DRAINING"
    types = {attribute["name"]: attribute.get("value", "") for attribute in each["attributes"]}
    state = "cut off" if not connected else "draining" if draining else ""
    return InstanceNow(
        zone_of(each),
        Health.BAD if not connected else Health.STOPPING if draining else Health.GOOD,
        state,
        {
            balancer: Registration(view["State"], "" if view["State"] == IN_SERVICE else view["Description"])
            for balancer, views in sorted(health.items())
            for view in views
            if view["InstanceId"] == each["ec2InstanceId"]
        },
        types.get("ecs.instance-type", ""),
        lost=not connected,
        draining=draining,
    )


def _rollout(described: Described, seen: SeenCluster) -> str:
    """What a deployment does: "" if the newest has all of its tasks and there is no other."""
    deployments = described["deployments"]
    newest = next((each for each in deployments if each["status"] == "PRIMARY"), None)
    if newest is None or (len(deployments) == 1 and newest["runningCount"] >= newest["desiredCount"]):
        return ""
    progress = f"{version(newest['taskDefinition'], seen)}: {newest['runningCount']} of {newest['desiredCount']}"
    left = sum(each["runningCount"] for each in deployments if each is not newest)
    return f"{progress}, {left} to replace" if left else progress
