"""What a cluster has and does now: instances, services, tasks, the load balancers' view of them, and events."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from sim.aws.arn import last_part
from sim.cloud.aws_client import local_session
from sim.cloud.ecs import container_instances, zone_of
from sim.cloud.registered_targets import Registered, registered_targets
from sim.cluster.aws_clock import NEVER_SCALED, SCALED
from sim.stack.lifecycle import ClusterPlace, Stack

_EVENTS = 8


@dataclass(frozen=True)
class ClusterStatus:
    """One table for each kind of thing; a row is a mapping from column to text."""

    instances: tuple[dict[str, str], ...]
    services: tuple[dict[str, str], ...]
    tasks: tuple[dict[str, str], ...]
    load_balancers: tuple[dict[str, str], ...]
    events: tuple[dict[str, str], ...]
    """The newest first."""
    times: tuple[dict[str, str], ...] = ()
    """What the time scale makes shorter, and what it does not; empty at the scale 1."""


def status_of(stack: Stack, cluster: ClusterPlace) -> ClusterStatus:
    """Asks ECS and the load balancers. Raises what boto3 raises."""
    session = local_session(region=cluster.region)
    ecs: Any = session.client("ecs", endpoint_url=stack.endpoint)
    names = sorted({each.cluster for each in cluster.services.values()})
    instances = [instance for name in names for instance in container_instances(ecs, name)]
    services = [each.described() for each in cluster.services.values()]
    tasks = [task for each in cluster.services.values() for task in each.tasks()]
    places = {each["containerInstanceArn"]: each["ec2InstanceId"] for each in instances}
    return ClusterStatus(
        tuple(map(_instance, instances)),
        tuple(map(_service, services)),
        tuple(_task(each, places) for each in tasks),
        tuple(map(_target, registered_targets(session, stack.endpoint))),
        tuple(_events(services)),
        tuple(_times(cluster.time_scale)) if cluster.time_scale != 1 else (),
    )


def _instance(each: dict[str, Any]) -> dict[str, str]:
    return {
        "instance": each["ec2InstanceId"],
        "zone": zone_of(each),
        "status": each["status"] if each["agentConnected"] else "disconnected",
        "running": str(each["runningTasksCount"]),
        "pending": str(each["pendingTasksCount"]),
    }


def _service(each: dict[str, Any]) -> dict[str, str]:
    return {
        "service": each["serviceName"],
        "running": f"{each['runningCount']} of {each['desiredCount']}",
        "pending": str(each["pendingCount"]),
        "deployments": ", ".join(
            f"{deployment['status']} {last_part(deployment['taskDefinition'])} {deployment['runningCount']}"
            for deployment in each["deployments"]
        ),
    }


def _task(each: dict[str, Any], places: dict[str, str]) -> dict[str, str]:
    return {
        "task": last_part(each["taskArn"]),
        "definition": last_part(each["taskDefinitionArn"]),
        "image": each["containers"][0].get("image", ""),
        "status": each["lastStatus"],
        "health": each.get("healthStatus", "UNKNOWN"),
        "instance": places.get(each.get("containerInstanceArn", ""), ""),
    }


def _target(each: Registered) -> dict[str, str]:
    return {"load_balancer": each.behind, "instance": each.target, "state": each.state, "reason": each.reason}


def _events(services: list[dict[str, Any]]) -> list[dict[str, str]]:
    events = [event for each in services for event in each["events"]]
    newest = sorted(events, key=lambda event: event["createdAt"], reverse=True)[:_EVENTS]
    return [{"at": f"{event['createdAt']:%H:%M:%S}", "event": event["message"]} for event in newest]


def _times(scale: float) -> list[dict[str, str]]:
    """What is scaled beside what never is."""
    pairs = zip_longest(SCALED, NEVER_SCALED, fillvalue="")
    return [{f"{scale:g} times as fast": scaled, "never scaled": kept} for scaled, kept in pairs]
