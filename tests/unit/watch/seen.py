"""Observations of clusters that there are not, for tests of the picture and of the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sim.watch.observed import API, Observation, SeenCluster, SeenPart, SeenPipeline
from sim.watch.wanted import OfCalls, OfCluster, OfPipeline, names

AT = 1_800_000_000.0
ZONES = ("eu-central-1a", "eu-central-1b")
OLD, NEW = "api:1", "api:2"
BALANCER = "emails-api"
DEFINITIONS = {
    name: {
        "containerDefinitions": [
            {
                "name": "api",
                "image": f"000000000000.dkr.ecr.eu-central-1.localhost/emails/api:{version}",
                "environment": [{"name": "QUEUE_URL", "value": "http://queue"}],
                "secrets": [{"name": "WORD", "valueFrom": "/emails/word"}],
            }
        ]
    }
    for name, version in ((OLD, "1.4.0"), (NEW, "1.5.0"), ("worker:1", "2.0.1"))
}


def instance(number: int, *, connected: bool = True, status: str = "ACTIVE") -> dict[str, Any]:
    """A container instance; those with even numbers are in the first zone."""
    return {
        "containerInstanceArn": f"arn:aws:ecs:eu-central-1:000000000000:container-instance/c/{number}",
        "ec2InstanceId": f"i-{number:017x}",
        "agentConnected": connected,
        "status": status,
        "attributes": [
            {"name": "ecs.availability-zone", "value": ZONES[number % 2]},
            {"name": "ecs.instance-type", "value": "t3.small"},
        ],
    }


def task(number: int, service: str, definition: str, on: int, **more: Any) -> dict[str, Any]:
    """A task that runs and is healthy, unless `more` says otherwise."""
    running = {"lastStatus": "RUNNING", "desiredStatus": "RUNNING", "healthStatus": "HEALTHY"}
    return {
        "taskArn": f"arn:aws:ecs:eu-central-1:000000000000:task/c/{number:032x}",
        "taskDefinitionArn": definition,
        "group": f"service:emails-{service}",
        "containerInstanceArn": instance(on)["containerInstanceArn"],
        "containers": [{"name": service, "lastStatus": "RUNNING", "healthStatus": "HEALTHY"}],
        **running,
        **more,
    }


def service(name: str, definition: str, count: int, deployments: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """A service with as many tasks as it is to have."""
    primary = {"status": "PRIMARY", "taskDefinition": definition, "runningCount": count, "desiredCount": count}
    return {
        "serviceName": f"emails-{name}",
        "taskDefinition": definition,
        "desiredCount": count,
        "runningCount": count,
        "pendingCount": 0,
        "deployments": deployments or [primary],
        "events": [
            {
                "id": f"{name}-1",
                "createdAt": datetime.fromtimestamp(AT - 60, UTC),
                "message": f"(service emails-{name}) has started 1 tasks: (task {7:032x}).",
            }
        ],
    }


def alarm(name: str, state: str = "OK") -> dict[str, str]:
    """An alarm in a state."""
    return {"AlarmName": name, "StateValue": state, "StateReason": "Threshold Crossed"}


def registered(on: int, state: str = "InService", why: str = "N/A") -> dict[str, str]:
    """An instance as a load balancer sees it."""
    return {"InstanceId": instance(on)["ec2InstanceId"], "State": state, "Description": why}


def cluster(tasks: int = 2, instances: int = 2) -> SeenCluster:
    """So many tasks of the API's old version, spread over so many instances, and one of the worker."""
    api = [task(number, "api", OLD, number % instances) for number in range(tasks)]
    return SeenCluster(
        services={"api": service("api", OLD, tasks), "worker": service("worker", "worker:1", 1)},
        tasks=[*api, task(100_000, "worker", "worker:1", 0)],
        definitions=DEFINITIONS,
        instances=[instance(number) for number in range(instances)],
        health={BALANCER: [registered(number) for number in range(instances)]},
        alarms=[alarm("emails-dead-letters"), alarm("emails-latency"), alarm("TargetTracking-worker-low", "ALARM")],
    )


def rolling(seen: SeenCluster, replaced: int) -> SeenCluster:
    """The same in the middle of a deployment: the new version has replaced so many tasks of the old."""
    api = [each for each in seen.tasks if each["group"] == "service:emails-api"]
    others = [each for each in seen.tasks if each not in api]
    new = [_renewed(each) for each in api[:replaced]]
    counts = ((NEW, "PRIMARY", replaced), (OLD, "ACTIVE", len(api) - replaced))
    deployments = [
        {"status": status, "taskDefinition": definition, "runningCount": count, "desiredCount": len(api)}
        for definition, status, count in counts
    ]
    services = {**seen.services, "api": service("api", NEW, len(api), deployments)}
    return replace(seen, services=services, tasks=[*new, *api[replaced:], *others])


def _renewed(of: Mapping[str, Any]) -> dict[str, Any]:
    """A task of the new version in the place of one of the old."""
    return {**of, "taskDefinitionArn": NEW, "taskArn": of["taskArn"].replace("/c/0", "/c/b")}


def observation(
    seen: SeenCluster | None,
    at: float = AT,
    *,
    answered: Mapping[str, int] | None = None,
    waiting: Mapping[str, str] | None = None,
    dead_letters: Mapping[str, str] | None = None,
    objects: int = 0,
    counted: float | None = None,
    **more: Any,
) -> Observation:
    """An observation of the pipeline in which nothing moves, unless the others say otherwise."""
    still = Observation(
        at=at,
        target="cluster" if seen else "process",
        acts=names(OfCluster | OfPipeline | OfCalls) if seen else names(OfCalls),
        answered={BALANCER if seen else API: answered or {"200": 0}},
        parts={"localstack": SeenPart(runs=True, good=True, detail="process 1")},
        pipeline=SeenPipeline(
            waiting or queue(), dead_letters or queue(), "emails", objects, at if counted is None else counted
        ),
        cluster=seen,
    )
    return replace(still, **more)


def project(at: float = AT, **more: Any) -> Observation:
    """An observation of a project with two load balancers and no e-mails, each before a service; a third has none."""
    on = {"web": 0, "admin": 1, "watch": 0}
    seen = SeenCluster(
        services={
            name: {
                **service(name, OLD, 1),
                "serviceName": name,
                "loadBalancers": [{"loadBalancerName": f"shop-{name}", "containerPort": 8080}]
                if name != "watch"
                else [],
            }
            for name in on
        },
        tasks=[
            task(number, name, OLD, place, group=f"service:{name}") for number, (name, place) in enumerate(on.items())
        ],
        definitions=DEFINITIONS,
        instances=[instance(0), instance(1)],
        health={
            "shop-web": [registered(0), registered(1, "OutOfService", "Instance has failed")],
            "shop-admin": [registered(1)],
        },
        alarms=[],
    )
    still = Observation(
        at=at,
        target="project",
        acts=names(OfCluster),
        answered={},
        urls={"shop-web": {"80": "http://127.0.0.1:4701"}, "shop-admin": {"81": "http://127.0.0.1:4702"}},
        parts={"localstack": SeenPart(runs=True, good=True, detail="process 1")},
        cluster=seen,
    )
    return replace(still, **more)


def queue(visible: int = 0, in_flight: int = 0) -> dict[str, str]:
    """The attributes of a queue with so many messages."""
    return {
        "ApproximateNumberOfMessages": str(visible),
        "ApproximateNumberOfMessagesNotVisible": str(in_flight),
        "QueueArn": "arn:aws:sqs:eu-central-1:000000000000:emails",
    }
