"""Containers, created by testcontainers. Each has a label, by which the containers of a run can be found and removed.

Inspecting a container by the command line would take longer than the changes that the kit waits for.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from docker.errors import NotFound
from docker.models.containers import Container as Handle
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer
from testcontainers.core.docker_client import DockerClient

from sim.errors import SimError
from sim.host.engine import engine
from sim.host.engine_api import LABEL, NoEngine, engine_client, pause
from sim.host.published_ports import SETTING, PublishedPorts, container_of, published_ports

_SIGKILLED = 137
_HEALTHY = "healthy"
_MOUNTS = Path("/proc/self/mountinfo")

# The kit's watchdog removes leftovers, also where ryuk's image cannot be pulled.
testcontainers_config.ryuk_disabled = True


class ContainerFailed(SimError):
    """A container ended, or became unhealthy, when it should not have."""


def engine_answers() -> bool:
    """True if there is a Docker engine, and it answers."""
    try:
        engine_client()
    except NoEngine:
        return False
    return True


def ports_of_engine() -> PublishedPorts:
    """The addresses at which the engine publishes ports. Raises NoEngine or EngineElsewhere."""
    return published_ports(_host(engine_client()), os.environ.get(SETTING))


def _host(client: DockerClient) -> str:
    """The host at which the ports of the engine's machine are reached.

    testcontainers knows it from the engine's address. In a container that has the engine's socket this is localhost,
    but the ports are at the gateway. An engine that does not know the container that this is runs in it.
    """
    host = client.host()
    own = container_of(_MOUNTS.read_text()) if _MOUNTS.exists() else None
    if own is None or host != "localhost" or testcontainers_config.tc_host_override:
        return host
    try:
        attributes = client.client.containers.get(own).attrs
    except NotFound:
        return host
    gateways = (network["Gateway"] for network in attributes["NetworkSettings"]["Networks"].values())
    return next(filter(None, gateways), host)


def new_run() -> str:
    """A unique name for a run."""
    return f"sim-{uuid.uuid4().hex[:12]}"


@dataclass(frozen=True)
class Network:
    """A bridge network of one run."""

    name: str

    @classmethod
    def create(cls, run: str, purpose: str) -> Network:
        """Creates the network. Raises EngineFailed."""
        network = cls(f"{run}-{purpose}")
        with engine("Docker has room for some 30 networks: `docker network ls` shows them.") as docker:
            docker.network.create(network.name, labels={LABEL: run})
        return network

    def connect(self, container: Container) -> None:
        """Connects the container to the network."""
        if self.name not in container.networks():
            with engine("`docker network ls` shows the networks.") as docker:
                docker.network.connect(self.name, container.name)

    def disconnect(self, container: Container) -> None:
        """Disconnects the container from the network. Packets in transit are lost."""
        with engine("`docker network ls` shows the networks.") as docker:
            docker.network.disconnect(self.name, container.name, force=True)


@dataclass(frozen=True)
class Spec:
    """A container to create from an image that the engine has.

    `aliases` are its names by network. The first network publishes `ports`. A `confined` container has a read-only root
    and no capabilities, as in production. `command` are the arguments of its image's entry point. `link_local` is one
    more address in the first network. `kept` is a folder that outlives its restarts, in a volume of the run. It belongs
    to the owner of that folder in the image.
    """

    name: str
    image: str
    environment: Mapping[str, str]
    aliases: Mapping[Network, tuple[str, ...]]
    ports: Mapping[int, int] = field(default_factory=dict)
    confined: bool = False
    command: tuple[str, ...] = ()
    link_local: str = ""
    kept: str = ""


class Container:
    """A container that can be stopped and started again."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle

    @classmethod
    def create(cls, run: str, spec: Spec) -> Container:
        """Creates and starts a container. `ports_of_engine` decides its address. Raises NoEngine or EngineElsewhere."""
        address = ports_of_engine().address
        made = DockerContainer(spec.image).with_envs(**spec.environment).with_name(f"{run}-{spec.name}")
        # The image exists already, so TESTCONTAINERS_HUB_IMAGE_NAME_PREFIX must not apply.
        made.image = spec.image
        # testcontainers' annotation allows only ports, but the engine accepts an address with each port.
        addresses: dict[str, Any] = {f"{inner}/tcp": (address, outer) for inner, outer in spec.ports.items()}
        made.ports = addresses
        endpoint = made.get_docker_client().client.api.create_endpoint_config
        networks = {network.name: endpoint(aliases=list(aliases)) for network, aliases in spec.aliases.items()}
        first = next(iter(spec.aliases))
        if spec.link_local:
            networks[first.name] = endpoint(aliases=list(spec.aliases[first]), link_local_ips=[spec.link_local])
        confined: dict[str, Any] = {}
        if spec.command:
            made.with_command(list(spec.command))
        if spec.confined:
            confined = {"read_only": True, "cap_drop": ["ALL"], "security_opt": ["no-new-privileges"]}
            made.with_tmpfs_mount("/tmp", "size=1m")  # noqa: S108 - for the worker's heartbeat
        if spec.kept:
            volume = made.get_docker_client().client.volumes.create(f"{run}-{spec.name}", labels={LABEL: run})
            made.with_volume_mapping(str(volume.name), spec.kept, "rw")
        made.with_kwargs(
            network=first.name,
            networking_config=networks,
            labels={LABEL: run},
            # As process 1, a service would ignore a SIGTERM that arrives before it has set its handler.
            init=True,
            # These containers only talk to each other, so they must not use the proxies in Docker's configuration.
            use_config_proxy=False,
            **confined,
        )
        made.start()
        return cls(made.get_wrapped_container())

    @classmethod
    def find(cls, run: str, name: str) -> Container | None:
        """The running container of a run by this name; None if there is none."""
        container = cls.named(f"{run}-{name}")
        return container if container is not None and container.state == "running" else None

    @classmethod
    def named(cls, name: str) -> Container | None:
        """The container that has this name in the engine, whatever its state; None if there is none."""
        try:
            return cls(engine_client().client.containers.get(name))
        except NotFound:
            return None

    @classmethod
    def labelled(cls, run: str, label: str, *, running: bool = True) -> list[Container]:
        """The containers of a run that have another label, NAME=VALUE, too; the oldest first. Raises NoEngine."""
        filters = {"label": [f"{LABEL}={run}", label]}
        found = engine_client().client.containers.list(all=not running, filters=filters, ignore_removed=True)
        return [cls(each) for each in sorted(found, key=lambda each: str(each.attrs["Created"]))]

    @property
    def name(self) -> str:
        """The container's name in the engine."""
        return str(self._handle.name)

    @property
    def state(self) -> str:
        """`running`, `paused`, `exited`, ..."""
        return str(self._inspected()["State"]["Status"])

    @property
    def health(self) -> str:
        """`starting`, `healthy`, `unhealthy`; healthy without a health check."""
        return _health(self._inspected()["State"])

    @property
    def works(self) -> bool:
        """True if it runs, is not paused, and passes its health check, if it has one."""
        state = self._inspected()["State"]
        return bool(state["Running"]) and not state["Paused"] and _health(state) == _HEALTHY

    def inspect(self) -> dict[str, Any]:
        """The engine's full description of the container."""
        return self._inspected()

    def networks(self) -> Iterable[str]:
        """The names of the networks that it is connected to."""
        return list(self._inspected()["NetworkSettings"]["Networks"])

    def published(self, port: int) -> int:
        """The port on the engine's machine to which the container's port is published."""
        return int(self._inspected()["NetworkSettings"]["Ports"][f"{port}/tcp"][0]["HostPort"])

    def check(self) -> None:
        """Raises ContainerFailed, with the end of its log, if it has ended."""
        state = self._inspected()["State"]
        if state["Status"] not in {"running", "paused"}:
            raise ContainerFailed(f"{self.name} ended with {state['ExitCode']}; its log:\n{self.tail()}")

    def start(self) -> None:
        """Starts the stopped container again."""
        self._handle.start()

    def terminate(self, seconds: int) -> int:
        """Sends SIGTERM and returns the exit code. Raises ContainerFailed if the engine kills it after `seconds`."""
        self._handle.stop(timeout=seconds)
        code = int(self._inspected()["State"]["ExitCode"])
        if code == _SIGKILLED:
            raise ContainerFailed(f"{self.name} did not end within {seconds} s of SIGTERM:\n{self.tail()}")
        return code

    def kill(self) -> None:
        """Sends SIGKILL and waits for the end."""
        self._handle.kill()
        self._handle.wait()

    def pause(self) -> None:
        """Stops all processes of the container where they are, unless it is paused. Raises TimedOut."""
        pause(self._handle.client.api, self._handle.id)

    def resume(self) -> None:
        """Resumes the container if it is paused."""
        if self.state == "paused":
            self._handle.unpause()

    def limit_memory(self, mebibytes: int) -> None:
        """Limits memory and swap to the current use plus `mebibytes`. The engine kills a container that needs more."""
        self._limit(int(self._handle.stats(stream=False)["memory_stats"]["usage"]) + mebibytes * 1024 * 1024)

    def unlimit_memory(self) -> None:
        """Raises the limit to the machine's memory, since the engine cannot remove a limit."""
        if self._inspected()["HostConfig"]["Memory"]:
            self._limit(engine_client().client.info()["MemTotal"])

    def _limit(self, size: int) -> None:
        self._handle.update(mem_limit=size, memswap_limit=size)

    def logs(self) -> str:
        """The complete log, over all its starts. Nothing is left of it once the container was removed."""
        try:
            return str(self._handle.logs(), errors="replace")
        except NotFound:
            return ""

    def tail(self, lines: int = 30) -> str:
        """The last lines of the log."""
        return str(self._handle.logs(tail=lines), errors="replace")

    def _inspected(self) -> dict[str, Any]:
        self._handle.reload()
        return dict(self._handle.attrs)


def _health(state: Mapping[str, Any]) -> str:
    return str(state.get("Health", {"Status": _HEALTHY})["Status"])
