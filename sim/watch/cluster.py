"""Services, tasks, instances and alarms of a picture, of what AWS says about them. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from sim.aws.arn import last_part
from sim.cloud.ecs import zone_of
from sim.watch import groups
from sim.watch.observed import Described, SeenCluster
from sim.watch.picture import AlarmNow, Health, InstanceNow, Registration, ServiceNow, TaskNow

_STARTING: Final = frozenset({"PROVISIONING", "PENDING", "ACTIVATING"})
_STOPPED: Final = "STOPPED"
IN_SERVICE: Final = "InService"
_CHECKED: Final = {"HEALTHY": Health.GOOD, "UNHEALTHY": Health.BAD}
_TARGETED: Final = {
    "unhealthy": Health.BAD,
    "unavailable": Health.BAD,
    "draining": Health.STOPPING,
    "initial": Health.STARTING,
}
"""What the state of a target says against its task, the worst first."""
_MOVING_TAG: Final = "latest"
_DIGITS: Final = 12
"""Of a digest that stands for a version."""


def tasks(seen: SeenCluster) -> dict[str, TaskNow]:
    """The tasks that have not stopped, by id."""
    services = {str(each["serviceName"]): name for name, each in seen.services.items()}
    places = {each["containerInstanceArn"]: str(each["ec2InstanceId"]) for each in seen.instances}
    registered = groups.registrations(seen)
    found = {}
    for each in seen.tasks:
        if each["lastStatus"] == _STOPPED:
            continue
        place = places.get(each.get("containerInstanceArn", ""), "")
        targets = {
            name: registration
            for address in groups.addresses(each, place)
            for name, registration in registered.get(address, {}).items()
        }
        found[last_part(each["taskArn"])] = TaskNow(
            services.get(str(each.get("group", "")).removeprefix("service:"), ""),
            place,
            version(each["taskDefinitionArn"], seen),
            _health(each, seen, targets),
            state_of(each),
            _containers(each),
            targets,
        )
    return found


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
        tuple(map(_registers_with, described.get("loadBalancers", ()))),
    )


def _registers_with(registered: Described) -> str:
    """The Classic ELB or the target group that a service registers its tasks with."""
    return str(registered.get("loadBalancerName") or groups.name_of(registered["targetGroupArn"]))


def instances(seen: SeenCluster) -> dict[str, InstanceNow]:
    """The container instances, by EC2 instance id, with the view of each that Classic ELBs have."""
    return {str(each["ec2InstanceId"]): _instance(each, seen.health) for each in seen.instances}


def names(seen: SeenCluster) -> str:
    """The names of the clusters that the services are in."""
    return ", ".join(sorted({last_part(each["clusterArn"]) for each in seen.services.values()}))


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
    """The version that a task definition runs: the tag of its image, or else its digest, or the definition's name.

    A tag that moves from image to image is no version.
    """
    described = seen.definitions.get(definition)
    if described is None:
        return last_part(definition)
    name, _, digest = last_part(described["containerDefinitions"][0]["image"]).partition("@")
    tag = name.partition(":")[2]
    fixed = "" if tag == _MOVING_TAG else tag
    short = digest.removeprefix("sha256:")[:_DIGITS]
    return fixed or seen.tags.get(digest) or short or last_part(definition)


def _health(task: Described, seen: SeenCluster, targets: Mapping[str, Registration]) -> Health:
    """What ECS says of a task, and then what its target groups say."""
    if task["desiredStatus"] == _STOPPED:
        return Health.STOPPING
    if task["lastStatus"] in _STARTING:
        return Health.STARTING
    said = _CHECKED.get(task.get("healthStatus", ""), Health.STARTING) if _has_check(task, seen) else Health.GOOD
    states = {each.state for each in targets.values()}
    against = [health for state, health in _TARGETED.items() if state in states]
    return against[0] if said is Health.GOOD and against else said


def _has_check(task: Described, seen: SeenCluster) -> bool:
    """True if a container of the task has a health check: without one the health of a task is UNKNOWN for ever."""
    definition = seen.definitions.get(task["taskDefinitionArn"], {})
    return any("healthCheck" in each for each in definition.get("containerDefinitions", ()))


def _containers(task: Described) -> dict[str, str]:
    """The status of each container, where there are several."""
    found = {str(each["name"]): str(each["lastStatus"]) for each in task["containers"]}
    return found if len(found) > 1 else {}


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
