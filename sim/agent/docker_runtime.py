"""Containers as containers of the Docker engine, in one network of the run. None publishes a port.

A container's name follows from its task, so it is made once, whatever becomes of the agent; an agent that was started
later finds it by that name.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from sim.agent import definition
from sim.agent.core import Start
from sim.agent.docker_logs import DockerSource
from sim.agent.docker_request import (
    Where,
    create_request,
    is_connected,
    links,
    network_of,
    volumes,
)
from sim.agent.events import Event, Exited, HealthChanged, Moved, NotFound, Started
from sim.agent.local import Binding, LocalTask
from sim.agent.logs import LogShipper, Stream, stream
from sim.agent.runtime import CannotStart, Notify, NotYet, Registry
from sim.agent.stand_in import stand_in
from sim.agent.telemetry import Usage
from sim.cluster.aws_clock import AwsClock
from sim.cluster.tasks import HealthStatus
from sim.host.engine_api import EngineApi, EngineRefused

_LOG: Final = logging.getLogger(__name__)
_AGAIN_SECONDS: Final = 1.0
_OUT_OF_MEMORY: Final = "OutOfMemoryError: Container killed due to memory usage"
_NO_RIGHT_TO_RAISE: Final = "error setting rlimit"
_HEALTH: Final[Mapping[str, HealthStatus]] = {"healthy": "HEALTHY", "unhealthy": "UNHEALTHY"}
_ENDED: Final = {"exited", "dead"}


class DockerRuntime:
    """Runs containers. `directory` is for how far each container's log was shipped.

    `images` are local images by the repository that each stands for.
    """

    def __init__(
        self,
        engine: EngineApi,
        registry: Registry,
        where: Where,
        directory: Path,
        logs: LogShipper,
        images: Mapping[str, str] | None = None,
    ) -> None:
        self._engine = engine
        self._registry = registry
        self._where = where
        self._directory = directory
        self._logs = logs
        self._images = images or {}
        self._closed = threading.Event()
        self._streams: dict[tuple[str, str], Stream] = {}

    def begin(self, notify: Notify, clock: AwsClock) -> None:
        self._notify = notify
        self._clock = clock
        self._directory.mkdir(parents=True, exist_ok=True)
        threading.Thread(target=self._watch, args=(time.time(),), name="watch containers", daemon=True).start()

    def close(self) -> None:
        self._closed.set()

    def find(self, task: LocalTask, container: str) -> Event:
        name = self._where.container_name(task, container)
        seen = self._engine.inspect(name)
        if seen is None:
            return NotFound(task.task.arn, container)
        if seen["State"]["Status"] == "created":
            self._engine.remove(name)
            return NotFound(task.task.arn, container)
        self._ship(task, container)
        if seen["State"]["Status"] in _ENDED:
            self._over(task.task.arn, container, seen)
        elif health := _HEALTH.get((seen["State"].get("Health") or {}).get("Status", "")):
            self._notify(HealthChanged(task.task.arn, container, health))
        return self._started(task, container, seen)

    def start(self, start: Start, environment: Mapping[str, str]) -> Event:
        task, container = start.task, start.container
        name = self._where.container_name(task, container)
        image = definition.container(task.task, container)["image"]
        local = stand_in(image, self._images)
        if local is None:
            self._pull(image, start)
        try:
            for each in volumes(task, self._where).values():
                self._engine.volume(each.name, self._where.run)
            hosts = dict.fromkeys(start.balancers, self._edge()) if self._where.edge else {}
            request = create_request(task, container, environment, self._where, hosts, self._clock)
            request["Image"] = local or image
            self._engine.create(name, request)
        except EngineRefused as error:
            raise CannotStart(f"CannotCreateContainerError: Error response from daemon: {error}") from None
        try:
            self._begin(task, container, request)
        except EngineRefused as error:
            raise CannotStart(f"CannotStartContainerError: Error response from daemon: {error}") from None
        self._ship(task, container)
        return self._started(task, container, self._inspected(name))

    def _begin(self, task: LocalTask, container: str, request: Mapping[str, Any]) -> None:
        """Starts a created container. Raises EngineRefused.

        An engine without the right to raise its own limits, as inside of a container, cannot give higher ones.
        """
        name = self._where.container_name(task, container)
        if to := self._stream(task, container):
            self._logs.make(to)
        try:
            self._engine.start(name)
        except EngineRefused as error:
            if _NO_RIGHT_TO_RAISE not in str(error) or not request["HostConfig"]["Ulimits"]:
                raise
            _LOG.warning("%s has the engine's ulimits, not its definition's: %s", name, error)
            self._engine.remove(name)
            unlimited = {**request, "HostConfig": {**request["HostConfig"], "Ulimits": []}}
            self._engine.create(name, unlimited)
            self._begin(task, container, unlimited)

    def signal(self, task: LocalTask, container: str) -> None:
        name = self._where.container_name(task, container)
        seen = self._engine.inspect(name)
        if seen is not None and seen["State"]["Running"]:
            self._send(name, seen["Config"].get("StopSignal") or "SIGTERM")

    def kill(self, task: LocalTask, container: str) -> None:
        name = self._where.container_name(task, container)
        seen = self._engine.inspect(name)
        if seen is not None and seen["State"]["Running"]:
            self._send(name, "SIGKILL")
            if seen["State"]["Paused"]:
                self._unpause(name)

    def freeze(self, task: LocalTask, container: str) -> None:
        name = self._where.container_name(task, container)
        seen = self._inspected(name)
        if not seen["State"]["Paused"]:
            self._engine.pause(name)
        if self._where.network in seen["NetworkSettings"]["Networks"]:
            self._engine.disconnect(name, self._where.network)

    def thaw(self, task: LocalTask, container: str) -> Event | None:
        name = self._where.container_name(task, container)
        defined = definition.container(task.task, container)
        seen = self._inspected(name)
        if is_connected(task, defined) and self._where.network not in seen["NetworkSettings"]["Networks"]:
            own = self._where.link_local(task, container)
            self._engine.connect(name, self._where.network, links(task, defined, self._where), own)
        if seen["State"]["Paused"]:
            self._engine.unpause(name)
        return Moved(task.task.arn, container, self._addressed(task, container, self._inspected(name)))

    def usage(self, task: LocalTask, container: str) -> Usage | None:
        try:
            seen = self._engine.usage(self._where.container_name(task, container))
        except EngineRefused as error:
            _LOG.info("the usage of %s is not known: %s", container, error)
            return None
        memory = seen["memory_stats"]
        # The pages of files that could be dropped are not what the container needs.
        cached = (memory.get("stats") or {}).get("inactive_file", 0)
        return Usage(seen["cpu_stats"]["cpu_usage"]["total_usage"] / 1e9, memory.get("usage", 0) - cached)

    def remove(self, task: LocalTask) -> None:
        for each in task.containers:
            self._engine.remove(self._where.container_name(task, each.name))
            self._position(task, each.name).unlink(missing_ok=True)
        for volume in volumes(task, self._where).values():
            if volume.of_task:
                self._engine.remove_volume(volume.name)

    def _pull(self, image: str, start: Start) -> None:
        """Pulls the image as the instance's ECS_IMAGE_PULL_BEHAVIOR says. Raises CannotStart."""
        behavior = start.agent.pull_behavior
        if behavior in {"once", "prefer-cached"} and self._engine.image(image) is not None:
            return
        try:
            self._engine.pull(image, self._registry.login(image, start.task.task.place, definition.keys(start.task)))
        except EngineRefused as error:
            if behavior == "always" or self._engine.image(image) is None:
                raise CannotStart(f"CannotPullContainerError: Error response from daemon: {error}") from None

    def _started(self, task: LocalTask, container: str, seen: Mapping[str, Any]) -> Event:
        image = self._engine.image(seen["Image"]) or {}
        digests = [each.partition("@")[2] for each in image.get("RepoDigests") or ()]
        asked = seen["Config"]["Image"].partition("@")[2]
        return Started(
            task.task.arn,
            container,
            seen["Id"],
            self._addressed(task, container, seen),
            asked or next(iter(digests), ""),
            frozen=seen["State"]["Paused"],
        )

    def _edge(self) -> str:
        """The address of the load balancers."""
        networks = self._inspected(self._where.edge)["NetworkSettings"]["Networks"]
        return str(networks[self._where.network]["IPAddress"])

    def _addressed(self, task: LocalTask, container: str, seen: Mapping[str, Any]) -> tuple[Binding, ...]:
        owner = network_of(task, definition.container(task.task, container))
        holder = self._inspected(self._where.container_name(task, owner)) if owner else seen
        network = holder["NetworkSettings"]["Networks"].get(self._where.network) or {}
        address = network.get("IPAddress", "")
        bound = task.container(container).bindings
        return tuple(replace(each, address=f"{address}:{each.container_port}" if address else "") for each in bound)

    def _inspected(self, name: str) -> dict[str, Any]:
        seen = self._engine.inspect(name)
        if seen is None:
            raise CannotStart(f"CannotInspectContainerError: No such container: {name}")
        return seen

    def _send(self, name: str, number: str) -> None:
        try:
            self._engine.signal(name, number)
        except EngineRefused as error:
            raise NotYet(str(error)) from None

    def _unpause(self, name: str) -> None:
        try:
            self._engine.unpause(name)
        except EngineRefused as error:
            _LOG.info("%s is not paused: %s", name, error)

    def _stream(self, task: LocalTask, container: str) -> Stream | None:
        name = self._where.container_name(task, container)
        return stream(task, definition.container(task.task, container), self._inspected(name)["Id"])

    def _ship(self, task: LocalTask, container: str) -> None:
        if to := self._stream(task, container):
            source = DockerSource(
                self._engine, self._where.container_name(task, container), self._position(task, container)
            )
            self._streams[task.task.arn, container] = to
            self._logs.ship(to, source)

    def _position(self, task: LocalTask, container: str) -> Path:
        return self._directory / self._where.container_name(task, container)

    def _watch(self, since: float) -> None:
        while not self._closed.is_set():
            try:
                for event in self._engine.events(self._where.run, since):
                    since = event["timeNano"] / 1e9
                    self._happened(event)
            except Exception as error:
                # The engine was restarted, or a connection to it was lost: what happened since is in its events.
                _LOG.warning("the engine's events are asked for again: %s", error)
            self._closed.wait(_AGAIN_SECONDS)

    def _happened(self, event: Mapping[str, Any]) -> None:
        labels = event["Actor"]["Attributes"]
        task, container = labels.get("com.amazonaws.ecs.task-arn"), labels.get("com.amazonaws.ecs.container-name")
        if task is None or container is None:
            return
        action = str(event["Action"])
        if action == "die":
            seen = self._engine.inspect(event["Actor"]["ID"])
            state = {"ExitCode": int(labels.get("exitCode", 0)), "OOMKilled": False}
            self._over(task, container, seen or {"State": state})
        elif health := _HEALTH.get(action.removeprefix("health_status: ")):
            self._notify(HealthChanged(task, container, health))

    def _over(self, task: str, container: str, seen: Mapping[str, Any]) -> None:
        if to := self._streams.pop((task, container), None):
            self._logs.finish(to)
        state = seen["State"]
        self._notify(Exited(task, container, int(state["ExitCode"]), _OUT_OF_MEMORY if state["OOMKilled"] else ""))
