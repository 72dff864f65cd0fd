"""Observations of clusters that there are not, for tests of the picture and of the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sim.watch.observed import (
    API,
    Observation,
    SeenApplication,
    SeenCluster,
    SeenGroup,
    SeenPart,
    SeenPipeline,
)
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
                "healthCheck": {"command": ["CMD", "true"]},
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
        "clusterArn": "arn:aws:ecs:eu-central-1:000000000000:cluster/emails",
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


GROUP = "arn:aws:elasticloadbalancing:eu-central-1:000000000000:targetgroup/board-web/73e2d6bc24d8a067"
ALB = "arn:aws:elasticloadbalancing:eu-central-1:000000000000:loadbalancer/app/board/50dc6c495c0c9188"
PORTS = ((0, 32768), (1, 32768), (0, 32769))
"""Of the board's tasks, the instance of each and the port that it was given there."""


def targets(*states: str) -> list[dict[str, Any]]:
    """As many targets of the board's group, as DescribeTargetHealth has them."""
    return [
        {
            "Target": {"Id": instance(on)["ec2InstanceId"], "Port": port},
            "TargetHealth": {"State": state}
            if state == "healthy"
            else {"State": state, "Reason": "Target.FailedHealthChecks", "Description": "Health checks failed"},
        }
        for (on, port), state in zip(PORTS, states, strict=False)
    ]


def board(at: float = AT, states: Sequence[str] = ("healthy",) * len(PORTS), **more: Any) -> Observation:
    """An observation of a project whose ALB has rules, before tasks of two containers at ports that nobody chose."""
    rules = [
        {
            "Priority": "20",
            "Conditions": [
                {"Field": "host-header", "HostHeaderConfig": {"Values": ["internal.*"]}},
                {"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["GET", "HEAD"]}},
            ],
            "Actions": [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "403"}}],
        },
        {
            "Priority": "10",
            "Conditions": [{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/old/*"]}}],
            "Actions": [{"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_301", "Path": "/new"}}],
        },
        {"Priority": "default", "Conditions": [], "Actions": [{"Type": "forward", "TargetGroupArn": GROUP}]},
    ]
    image = {"image": "000000000000.dkr.ecr.eu-central-1.localhost/board/web:latest"}
    seen = SeenCluster(
        services={
            "web": {
                **service("web", "board-web:1", len(PORTS)),
                "serviceName": "web",
                "clusterArn": "arn:aws:ecs:eu-central-1:000000000000:cluster/board",
                "loadBalancers": [{"targetGroupArn": GROUP, "containerName": "web", "containerPort": 8000}],
            }
        },
        tasks=[
            task(
                number,
                "web",
                "board-web:1",
                on,
                group="service:web",
                healthStatus="UNKNOWN",
                containers=[
                    {"name": "web", "lastStatus": "RUNNING", "networkBindings": [{"hostPort": port}]},
                    {"name": "clock", "lastStatus": "RUNNING"},
                ],
            )
            for number, (on, port) in enumerate(PORTS)
        ],
        definitions={"board-web:1": {"containerDefinitions": [{"name": "web", **image}, {"name": "clock", **image}]}},
        instances=[instance(0), instance(1)],
        health={},
        alarms=[],
        applications=[SeenApplication({"LoadBalancerName": "board", "LoadBalancerArn": ALB}, {80: rules})],
        groups=[SeenGroup({"TargetGroupName": "board-web", "TargetGroupArn": GROUP}, targets(*states))],
    )
    still = Observation(
        at=at,
        target="project",
        acts=names(OfCluster),
        answered={},
        urls={"board": {"80": "http://127.0.0.1:4701"}},
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
