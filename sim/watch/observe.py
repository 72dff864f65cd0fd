"""Asks a running stack what there is: AWS by its APIs, the edge and the gateway by the ports that control them."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from services.pipeline.version import version
from sim.cloud import desired
from sim.cloud.aws_client import REGION, local_session
from sim.cloud.ecs import EcsService, container_instances
from sim.cloud.gateway.control_client import GatewayControl
from sim.cloud.resources import DataPlane
from sim.cluster.aws_clock import AwsClock
from sim.host.loopback import answers, json_of, request
from sim.stack.lifecycle import ClusterPlace, Stack, with_new_services
from sim.stack.status import processes_of
from sim.targets.target import SERVICES
from sim.watch import containers
from sim.watch.counting import Rarely, StoredObjects
from sim.watch.observe_balancers import Applications, instance_health
from sim.watch.observed import API, Described, Observation, PartTask, SeenCluster, SeenPart, SeenPipeline
from sim.watch.tail import Tail, call, request_status
from sim.watch.wanted import OfCalls, OfCluster, OfContainers, OfPipeline, names

_SECONDS: Final = 5


class StackObserver:
    """Looks at a running stack. `find` returns it each time, since parts of it may have been started again."""

    def __init__(self, find: Callable[[], Stack]) -> None:
        self._find = find
        self._definitions: dict[str, Described] = {}
        self._tags: dict[str, str] = {}

    def look(self) -> Observation:
        """What there is now. Raises NothingRuns if there is no stack, or another SimError or what boto3 raises."""
        stack = self._find()
        if stack.cluster is not None and stack.project:
            return self._project(stack, stack.cluster)
        gateway = GatewayControl(stack.gateway).state()
        cluster = stack.cluster
        return Observation(
            at=time.time(),
            target=stack.target,
            acts=names(_acts(stack)),
            answered=_answered(cluster) if cluster else {API: self._requests.counts()},
            urls={} if cluster else {API: {"": stack.url}},
            calls=self._calls.counts(),
            parts=_parts(stack),
            plan=gateway.plan,
            cut=gateway.cut,
            pipeline=pipeline(self._data_plane, self._objects),
            cluster=self._cluster(cluster) if cluster else None,
            tasks={} if cluster else self._tasks,
        )

    def _project(self, stack: Stack, cluster: ClusterPlace) -> Observation:
        """Another project has no e-mails, and no gateway that counts its calls."""
        return Observation(
            at=time.time(),
            target=stack.target,
            acts=names(OfCluster),
            answered=_answered(cluster),
            urls=_by_balancer(cluster.urls),
            parts=_parts(stack),
            cluster=self._cluster(replace(cluster, services=self._services.answer())),
        )

    def look_again(self, last: Observation, trouble: str) -> Observation:
        """What there was, with the present state of the parts, since AWS did not answer. Raises NothingRuns."""
        return replace(last, at=time.time(), parts=_parts(self._find()), trouble=trouble)

    def _definition(self, arn: str) -> Described:
        """A task definition. It never changes."""
        if arn not in self._definitions:
            found = self._client("ecs").describe_task_definition(taskDefinition=arn)["taskDefinition"]
            self._definitions[arn] = found
            self._tags |= self._tag(found["containerDefinitions"][0]["image"])
        return self._definitions[arn]

    def _cluster(self, place: ClusterPlace) -> SeenCluster:
        services = {name: each.described() for name, each in place.services.items()}
        tasks = [task for each in place.services.values() for task in each.tasks()]
        used = {each["taskDefinitionArn"] for each in tasks} | {each["taskDefinition"] for each in services.values()}
        ecs, clusters = self._client("ecs"), sorted({each.cluster for each in place.services.values()})
        return SeenCluster(
            services=services,
            tasks=tasks,
            definitions={arn: self._definition(arn) for arn in used},
            instances=[instance for each in clusters for instance in container_instances(ecs, each)],
            health=instance_health(self._client("elb")),
            alarms=self._alarms.answer(),
            applications=self._applications.balancers(),
            groups=self._applications.groups(),
            tags=self._tags,
            clock=self._clock,
        )

    def _tag(self, image: str) -> dict[str, str]:
        """The tag of an image that is named by its digest, by the digest; empty if ECR has none."""
        name, _, digest = image.partition("@")
        if not digest:
            return {}
        ecr = self._client("ecr")
        with suppress(ecr.exceptions.RepositoryNotFoundException, ecr.exceptions.ImageNotFoundException):
            repository = name.partition("/")[2]
            [found] = ecr.describe_images(repositoryName=repository, imageIds=[{"imageDigest": digest}])["imageDetails"]
            return {digest: found["imageTags"][0]} if found.get("imageTags") else {}
        return {}

    @cached_property
    def _first(self) -> Stack:
        """The stack as it was found first. What is taken of it never changes."""
        return self._find()

    @cached_property
    def _data_plane(self) -> DataPlane:
        return self._first.data_plane

    @cached_property
    def _requests(self) -> Tail[str]:
        return Tail(Path(self._first.parts["api"].log), request_status)

    @cached_property
    def _calls(self) -> Tail[tuple[str, str, str]]:
        return Tail(Path(self._first.parts["gateway"].log), call)

    @cached_property
    def _objects(self) -> StoredObjects:
        return StoredObjects(self._data_plane)

    @cached_property
    def _applications(self) -> Applications:
        return Applications(self._client("elbv2"))

    @cached_property
    def _services(self) -> Rarely[Mapping[str, EcsService]]:
        """Of a project, whose Terraform may make others at any time."""

        def ask() -> Mapping[str, EcsService]:
            stack = self._find()
            return with_new_services(stack, stack.cluster).services if stack.cluster else {}

        return Rarely(ask)

    @cached_property
    def _alarms(self) -> Rarely[list[Described]]:
        def ask() -> list[Described]:
            pages = self._client("cloudwatch").get_paginator("describe_alarms").paginate()
            return [each for page in pages for kind in ("MetricAlarms", "CompositeAlarms") for each in page[kind]]

        return Rarely(ask)

    @cached_property
    def _clock(self) -> AwsClock:
        return desired.parsed(request("GET", self._first.endpoint + desired.path(None), seconds=_SECONDS).data).clock

    @cached_property
    def _tasks(self) -> dict[str, PartTask]:
        return {name: PartTask(name, version(name)) for name in SERVICES}

    def _client(self, name: str) -> Any:
        if name not in self._clients:
            region = self._first.cluster.region if self._first.cluster else REGION
            self._clients[name] = local_session(region=region).client(name, endpoint_url=self._first.endpoint)  # type: ignore[call-overload]  # by name
        return self._clients[name]

    @cached_property
    def _clients(self) -> dict[str, Any]:
        return {}


def pipeline(of: DataPlane, objects: StoredObjects) -> SeenPipeline:
    """Where the e-mails are. Raises what boto3 raises."""
    names = of.resources
    queue, dead_letters = (_attributes(of, each) for each in (names.queue_url, names.dead_letter_queue_url))
    return SeenPipeline(queue, dead_letters, names.bucket, *objects.count())


def _attributes(of: DataPlane, queue: str) -> Mapping[str, str]:
    """The attributes of a queue that a picture shows."""
    found = of.sqs.get_queue_attributes(
        QueueUrl=queue,
        AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "QueueArn"],
    )
    return {str(name): value for name, value in found["Attributes"].items()}


def _acts(stack: Stack) -> object:
    """What can be done to a stack of the pipeline, as a union."""
    if stack.cluster:
        return OfCluster | OfPipeline | OfCalls
    return OfContainers | OfCalls if stack.containers else OfCalls


def _parts(stack: Stack) -> dict[str, SeenPart]:
    processes = processes_of(stack, _api_lives)
    found = {each.part: SeenPart(each.state != "ended", each.state == "ok", each.detail) for each in processes}
    services = {name: stack.containers[name] for name in SERVICES if name in stack.containers}
    return found | {name: containers.part(container) for name, container in services.items()}


def _answered(place: ClusterPlace) -> dict[str, dict[str, int]]:
    """How many requests got each status from each load balancer and target group; none while the edge starts again."""
    return json_of(f"{place.edge}/answered", seconds=_SECONDS) or {}


def _by_balancer(urls: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """The URLs of listeners by load balancer and port, of those by `NAME:PORT`."""
    found: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for listener, url in urls.items():
        name, _, port = listener.rpartition(":")
        found[name][port] = url
    return dict(found)


def _api_lives(url: str) -> bool:
    # Not whether it is ready, which would cost calls of AWS.
    return answers(f"{url}/health", seconds=_SECONDS)
