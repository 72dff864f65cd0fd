"""Asks a running stack what there is: AWS by its APIs, the edge and the gateway by the ports that control them."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

from services.pipeline.version import version
from sim.cloud import desired
from sim.cloud.aws_client import local_session
from sim.cloud.ecs import container_instances
from sim.cloud.gateway.control_client import GatewayControl
from sim.cloud.resources import DataPlane
from sim.cluster.aws_clock import AwsClock
from sim.host.loopback import answers, json_of, request
from sim.stack.lifecycle import ClusterPlace, Stack
from sim.stack.status import processes_of
from sim.targets.target import SERVICES
from sim.watch.observed import Described, Observation, PartTask, SeenCluster, SeenPart
from sim.watch.tail import Tail, call, request_status

_Answer = TypeVar("_Answer")
_SECONDS: Final = 5
_RARELY: Final = 10
"""What takes long is asked again after so many times as long as it took."""


class Rarely(Generic[_Answer]):
    """Remembers an answer that may take long to get."""

    def __init__(self, ask: Callable[[], _Answer]) -> None:
        self._ask = ask
        self._known: tuple[float, _Answer] | None = None
        """When to ask again, and the answer."""

    def answer(self) -> _Answer:
        """The newest answer, of now or of a little while ago."""
        began = time.monotonic()
        if self._known is None or began >= self._known[0]:
            answer = self._ask()
            ended = time.monotonic()
            self._known = (ended + _RARELY * (ended - began), answer)
        return self._known[1]


class StackObserver:
    """Looks at a running stack. `find` returns it each time, since parts of it may have been started again."""

    def __init__(self, find: Callable[[], Stack]) -> None:
        self._find = find
        self._definitions: dict[str, Described] = {}
        self._tags: dict[str, str] = {}

    def look(self) -> Observation:
        """What there is now. Raises NothingRuns if there is no stack, or another SimError or what boto3 raises."""
        stack = self._find()
        # Another project has no e-mails to watch.
        resources = stack.data_plane.resources
        gateway = GatewayControl(stack.gateway).state()
        cluster = stack.cluster
        return Observation(
            at=time.time(),
            target=stack.target,
            url=stack.url,
            answered=self._requests.counts() if cluster is None else _answered(cluster),
            calls=self._calls.counts(),
            queue=attributes(self._data_plane, resources.queue_url),
            dead_letters=attributes(self._data_plane, resources.dead_letter_queue_url),
            bucket=resources.bucket,
            objects=self._objects.answer(),
            parts=_parts(stack),
            plan=gateway.plan,
            cut=gateway.cut,
            cluster=self._cluster(cluster) if cluster else None,
            tasks={} if cluster else self._tasks,
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
        elb = self._client("elb")
        [balancer, *_] = elb.describe_load_balancers()["LoadBalancerDescriptions"] or [{}]
        name = balancer.get("LoadBalancerName")
        return SeenCluster(
            services=services,
            tasks=tasks,
            definitions={arn: self._definition(arn) for arn in used},
            instances=container_instances(self._client("ecs"), next(iter(place.services.values())).cluster),
            balancer=balancer,
            health=elb.describe_instance_health(LoadBalancerName=name)["InstanceStates"] if name else (),
            alarms=self._alarms.answer(),
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
    def _objects(self) -> Rarely[int]:
        return Rarely(lambda: len(self._data_plane.object_keys()))

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
            self._clients[name] = local_session().client(name, endpoint_url=self._first.endpoint)  # type: ignore[call-overload]  # by name
        return self._clients[name]

    @cached_property
    def _clients(self) -> dict[str, Any]:
        return {}


def attributes(of: DataPlane, queue: str) -> Mapping[str, str]:
    """The attributes of a queue that a picture shows."""
    found = of.sqs.get_queue_attributes(
        QueueUrl=queue,
        AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "QueueArn"],
    )
    return {str(name): value for name, value in found["Attributes"].items()}


def _parts(stack: Stack) -> dict[str, SeenPart]:
    found = processes_of(stack, _api_lives)
    return {each.part: SeenPart(each.state != "ended", each.state == "ok", each.detail) for each in found}


def _answered(place: ClusterPlace) -> dict[str, int]:
    """How many requests got each status from the load balancers; none while the edge starts again."""
    shown: dict[str, dict[str, int]] = json_of(f"{place.edge}/answered", seconds=_SECONDS) or {}
    together: Counter[str] = Counter()
    for each in shown.values():
        together.update(each)
    return dict(together)


def _api_lives(url: str) -> bool:
    # Not whether it is ready, which would cost calls of AWS.
    return answers(f"{url}/health", seconds=_SECONDS)
