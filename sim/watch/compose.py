"""The stack of compose.yaml, watched: its containers, and what they have in the local cloud."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cached_property
from typing import Final

from python_on_whales import Container as EngineContainer

from sim.cloud.resources import DataPlane, local_resources
from sim.host.engine import engine
from sim.stack.lifecycle import NothingRuns
from sim.targets.target import Progress
from sim.watch import containers
from sim.watch.counting import Rarely, StoredObjects
from sim.watch.detail import NoSuchTask, TaskDetail
from sim.watch.observe import pipeline
from sim.watch.observed import API, Observation, PartTask, SeenPart
from sim.watch.tail import objects, request_status
from sim.watch.wanted import BadAct, OfContainers, Wanted, names

_SERVICES: Final = ("api", "worker")
_REMEDY: Final = "`docker compose ps` in this folder says what runs."
_LABEL: Final = "com.docker.compose"
_DIGITS: Final = 12
"""Of an image's id that stands for a version."""


class ComposeProject:
    """The project of the compose file in the working directory."""

    def __init__(self) -> None:
        self._requests: Counter[str] = Counter()
        self._read = datetime.now(UTC)
        """Up to when the logs of the API were counted."""

    def check(self) -> None:
        """Does nothing: whether the project runs is for the engine to say."""

    def look(self) -> Observation:
        """What there is now. Raises NothingRuns, EngineFailed or what boto3 raises."""
        containers = self._containers.answer()
        if not containers:
            raise NothingRuns("no stack of compose runs here; start one with `docker compose up --wait`")
        return Observation(
            at=time.time(),
            target="compose",
            acts=names(OfContainers),
            answered={API: self._answered()},
            urls={API: {"": _published(containers, "load-balancer")}},
            parts={name: _part(each) for name, each in containers.items()},
            pipeline=pipeline(self._data_plane, self._objects),
            tasks={
                name: PartTask(_service(each), _version(each))
                for name, each in containers.items()
                if _service(each) in _SERVICES
            },
        )

    def look_again(self, last: Observation, trouble: str) -> Observation:
        """What there was."""
        return Observation(**{**vars(last), "at": time.time(), "trouble": trouble})

    def detail(self, task: str, seen: Observation) -> TaskDetail:
        """The settings of a container, and its log."""
        del seen
        return containers.detail(task, self._container(task).name)

    def perform(self, wanted: Wanted, progress: Progress) -> str:
        """Does it to a container, and returns what was done. Raises BadAct, NoSuchTask or ContainerFailed."""
        del progress
        if not isinstance(wanted, OfContainers):
            raise BadAct(f"nothing does {wanted.act} to a stack of compose; `docker compose` scales its services")
        return containers.act(wanted, self._container(wanted.task).name)

    def _container(self, name: str) -> EngineContainer:
        found = self._containers.answer().get(name)
        if found is None:
            raise NoSuchTask(f"there is no container {name!r} any more")
        return found

    def _answered(self) -> dict[str, int]:
        """How many requests got each status since the first look, as the logs of the API say."""
        until = datetime.now(UTC)
        with engine(_REMEDY):
            for each in self._containers.answer().values():
                if _service(each) == "api":
                    lines = str(each.logs(since=self._read, until=until)).encode().splitlines()
                    self._requests.update(status for line in objects(lines) if (status := request_status(line)))
        self._read = until
        return dict(self._requests)

    @cached_property
    def _containers(self) -> Rarely[dict[str, EngineContainer]]:
        return Rarely(lambda: dict(_found()))

    @cached_property
    def _objects(self) -> StoredObjects:
        return StoredObjects(self._data_plane)

    @cached_property
    def _data_plane(self) -> DataPlane:
        endpoint = _published(self._containers.answer(), "localstack")
        return DataPlane(endpoint, local_resources(endpoint))


def _found() -> Iterator[tuple[str, EngineContainer]]:
    """The containers that run or should, by service and number. Raises EngineFailed."""
    with engine(_REMEDY) as docker:
        for each in docker.compose.ps(all=True):
            if _service(each) != "setup":
                yield f"{_service(each)}-{_labels(each)[f'{_LABEL}.container-number']}", each


def _labels(container: EngineContainer) -> dict[str, str]:
    return container.config.labels or {}


def _service(container: EngineContainer) -> str:
    return _labels(container)[f"{_LABEL}.service"]


def _version(container: EngineContainer) -> str:
    version = _labels(container).get("org.opencontainers.image.version")
    return version or str(container.image).removeprefix("sha256:")[:_DIGITS]


def _published(containers: dict[str, EngineContainer], service: str) -> str:
    """The URL of the first port that a service publishes; "" if it publishes none."""
    for each in containers.values():
        if _service(each) == service:
            for found in (each.network_settings.ports or {}).values():
                if found:
                    return f"http://{found[0]['HostIp']}:{found[0]['HostPort']}"
    return ""


def _part(container: EngineContainer) -> SeenPart:
    health = container.state.health.status if container.state.health else "healthy"
    runs = bool(container.state.running)
    works = runs and not container.state.paused
    return SeenPart(runs, works and health == "healthy", f"{container.state.status}, {health}")
