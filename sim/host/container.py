"""Containers, made by testcontainers, each with a label by which whatever is left of a run can be found.

The one module that speaks to the engine by docker-py, which testcontainers brings along: to look at a container by a
command line would take longer than what is waited for.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from docker.errors import DockerException, NotFound
from docker.models.containers import Container as Handle
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer
from testcontainers.core.docker_client import DockerClient

from sim.errors import SimError
from sim.host.engine import engine
from sim.host.published_ports import SETTING, PublishedPorts, published_ports

LABEL = "email-pipeline.run"
_SIGKILLED = 137

# The kit's own watchdog removes what is left, also where ryuk's image cannot be had.
testcontainers_config.ryuk_disabled = True


class NoEngine(SimError):
    """No Docker engine answers."""


class ContainerFailed(SimError):
    """A container ended, or became unhealthy, when it should not have."""


def _client() -> DockerClient:
    """A client of the engine that the environment, or else Docker's present context, names. Raises NoEngine."""
    try:
        client = DockerClient()
        client.client.ping()
    except DockerException as error:
        raise NoEngine(f"no Docker engine answers ({error}); start one, or choose another target") from None
    return client


def ports_of_engine() -> PublishedPorts:
    """Where the engine's ports are. Raises NoEngine, or EngineElsewhere."""
    return published_ports(_client().host(), os.environ.get(SETTING))


def new_run() -> str:
    """A name for a run that no other run has."""
    return f"sim-{uuid.uuid4().hex[:12]}"


@dataclass(frozen=True)
class Network:
    """A bridge network of one run."""

    name: str

    @classmethod
    def create(cls, run: str, purpose: str) -> Network:
        """Makes it. Raises EngineFailed."""
        network = cls(f"{run}-{purpose}")
        with engine("Docker has room for some 30 networks: `docker network ls` shows them.") as docker:
            docker.network.create(network.name, labels={LABEL: run})
        return network

    def connect(self, container: Container) -> None:
        """Lets the container reach the others of the network."""
        if self.name not in container.networks():
            with engine("`docker network ls` shows the networks.") as docker:
                docker.network.connect(self.name, container.name)

    def disconnect(self, container: Container) -> None:
        """Cuts the container off from the others of the network; packets under way are lost."""
        with engine("`docker network ls` shows the networks.") as docker:
            docker.network.disconnect(self.name, container.name, force=True)


@dataclass(frozen=True)
class Spec:
    """A container to make of an image that the engine has.

    `aliases` are its names by network; the first network is the one that `ports` are published from. A `confined` one
    can do no more than production lets it; `command` is what its image's entry point is given.
    """

    name: str
    image: str
    environment: Mapping[str, str]
    aliases: Mapping[Network, tuple[str, ...]]
    ports: Mapping[int, int] = field(default_factory=dict)
    confined: bool = False
    command: tuple[str, ...] = ()


class Container:
    """One container, that can be stopped and started again."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle

    @classmethod
    def create(cls, run: str, spec: Spec) -> Container:
        """Makes and starts it, its ports published as `ports_of_engine` says. Raises NoEngine, or EngineElsewhere."""
        address = ports_of_engine().address
        made = DockerContainer(spec.image).with_envs(**spec.environment).with_name(f"{run}-{spec.name}")
        # TESTCONTAINERS_HUB_IMAGE_NAME_PREFIX is for what is pulled.
        made.image = spec.image
        # testcontainers' annotation knows ports alone; the engine takes an address with them.
        addresses: dict[str, Any] = {f"{inner}/tcp": (address, outer) for inner, outer in spec.ports.items()}
        made.ports = addresses
        endpoint = made.get_docker_client().client.api.create_endpoint_config
        networks = {network.name: endpoint(aliases=list(aliases)) for network, aliases in spec.aliases.items()}
        confined: dict[str, Any] = {}
        if spec.command:
            made.with_command(list(spec.command))
        if spec.confined:
            confined = {"read_only": True, "cap_drop": ["ALL"], "security_opt": ["no-new-privileges"]}
            made.with_tmpfs_mount("/tmp", "size=1m")  # noqa: S108 - for the worker's heartbeat
        made.with_kwargs(
            network=next(iter(spec.aliases)).name,
            networking_config=networks,
            labels={LABEL: run},
            # As process 1, a service would ignore a SIGTERM that comes before it has said what to do then.
            init=True,
            # The proxies of Docker's configuration lead out of here, and these containers speak to each other alone.
            use_config_proxy=False,
            **confined,
        )
        made.start()
        return cls(made.get_wrapped_container())

    @classmethod
    def find(cls, run: str, name: str) -> Container | None:
        """The running container of this name, if there is one."""
        try:
            container = cls(_client().client.containers.get(f"{run}-{name}"))
        except NotFound:
            return None
        return container if container.state == "running" else None

    @property
    def name(self) -> str:
        """As the engine knows it."""
        return str(self._handle.name)

    @property
    def state(self) -> str:
        """`running`, `paused`, `exited`, ..."""
        return str(self._inspected()["State"]["Status"])

    @property
    def health(self) -> str:
        """`starting`, `healthy`, `unhealthy`."""
        return str(self._inspected()["State"]["Health"]["Status"])

    def inspect(self) -> dict[str, Any]:
        """All that the engine knows of it."""
        return self._inspected()

    def networks(self) -> Iterable[str]:
        """The names of the networks that it is in."""
        return list(self._inspected()["NetworkSettings"]["Networks"])

    def published(self, port: int) -> int:
        """The port of the engine's machine to which a port is published."""
        return int(self._inspected()["NetworkSettings"]["Ports"][f"{port}/tcp"][0]["HostPort"])

    def check(self) -> None:
        """Raises ContainerFailed, with the end of its log, if it has ended."""
        state = self._inspected()["State"]
        if state["Status"] not in {"running", "paused"}:
            raise ContainerFailed(f"{self.name} ended with {state['ExitCode']}; its log:\n{self.tail()}")

    def start(self) -> None:
        """Starts it anew."""
        self._handle.start()

    def terminate(self, seconds: int) -> int:
        """SIGTERM; the exit code. Raises ContainerFailed if it had to be killed after `seconds`."""
        self._handle.stop(timeout=seconds)
        code = int(self._inspected()["State"]["ExitCode"])
        if code == _SIGKILLED:
            raise ContainerFailed(f"{self.name} did not end within {seconds} s of SIGTERM:\n{self.tail()}")
        return code

    def kill(self) -> None:
        """SIGKILL."""
        self._handle.kill()
        self._handle.wait()

    def pause(self) -> None:
        """Freezes it."""
        self._handle.pause()

    def resume(self) -> None:
        """Lets it go on, if it is frozen."""
        if self.state == "paused":
            self._handle.unpause()

    def limit_memory(self, mebibytes: int) -> None:
        """So much more memory than it has now, swap included; to want more ends it."""
        self._limit(int(self._handle.stats(stream=False)["memory_stats"]["usage"]) + mebibytes * 1024 * 1024)

    def unlimit_memory(self) -> None:
        """As much memory as the machine has: the engine knows no way to take a limit away."""
        if self._inspected()["HostConfig"]["Memory"]:
            self._limit(_client().client.info()["MemTotal"])

    def _limit(self, size: int) -> None:
        self._handle.update(mem_limit=size, memswap_limit=size)

    def logs(self) -> str:
        """Everything that it has logged, over all its starts."""
        return str(self._handle.logs(), errors="replace")

    def tail(self) -> str:
        """The last lines of its log."""
        return str(self._handle.logs(tail=30), errors="replace")

    def _inspected(self) -> dict[str, Any]:
        self._handle.reload()
        return dict(self._handle.attrs)
