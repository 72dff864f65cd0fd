"""The local cloud as containers: LocalStack, the gateway in front of it, and the storage of ECR's registry."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from secrets import token_hex
from typing import Final

from sim.aws.ecr_authorization import RegistryAccess
from sim.cloud.cloud_images import CloudImages
from sim.cloud.gateway.control_client import GatewayControl
from sim.cloud.localstack.settings import PORT, container_environment, is_ready
from sim.cloud.registry.container import NAME as STORAGE
from sim.cloud.registry.container import PORT as STORAGE_PORT
from sim.cloud.registry.container import storage_spec
from sim.host.container import Container, Network, Spec
from sim.host.process import free_port
from sim.host.published_ports import PublishedPorts
from sim.host.waiting import until

LOCALSTACK: Final = "localstack"
GATEWAY: Final = "gateway"
EVERYWHERE: Final = "0.0.0.0"  # noqa: S104 - in its container, of which some ports are published to loopback
_CONTROL_PORT: Final = 4600
_REGISTRY_PORT: Final = 4599
_READY_SECONDS: Final = 120


class ContainerCloud:
    """The containers by name, once they run. `published` says where their ports are reached.

    `ports` are the names of the gateway's ports. AWS's clock runs `time_scale` times as fast as this machine's. Whoever
    owns the run removes the containers by its label.
    """

    def __init__(
        self,
        run: str,
        images: CloudImages,
        ports: Iterable[str],
        published: PublishedPorts,
        time_scale: float = 1.0,
    ) -> None:
        self.containers: dict[str, Container] = {}
        self._run = run
        self._images = images
        self._numbers = {name: _CONTROL_PORT + number for number, name in enumerate(ports, 1)}
        self._published = published
        self._time_scale = time_scale

    def open(self, network: Network, others: Mapping[Network, tuple[str, ...]]) -> RegistryAccess:
        """Begins the start of all in one network, which publishes ports. Returns where Docker reaches ECR's registry.

        `others` are further networks of the gateway, with its names there.
        """
        # Both ports of the registry are for the engine.
        host, storage, address = self._published.engine_host, free_port(), free_port()
        registry = RegistryAccess(f"{host}:{address}", token_hex())
        localstack = Spec(
            LOCALSTACK,
            self._images.control_plane,
            container_environment(registry, self._time_scale),
            {network: (LOCALSTACK,)},
            ports={PORT: free_port()},
        )
        gateway = Spec(
            GATEWAY,
            self._images.kit,
            registry.environment(),
            {network: (GATEWAY,), **others},
            ports={_CONTROL_PORT: free_port(), _REGISTRY_PORT: address},
            confined=True,
            command=(
                *("sim.cloud.gateway", "--host", EVERYWHERE),
                *("--upstream", f"{LOCALSTACK}:{PORT}", "--control", str(_CONTROL_PORT)),
                *("--registry", str(_REGISTRY_PORT), "--storage", f"{STORAGE}:{STORAGE_PORT}"),
                *("--storage-url", f"http://{host}:{storage}"),
                *(f"{name}={number}" for name, number in self._numbers.items()),
            ),
        )
        for spec in (localstack, gateway, storage_spec(self._images.registry, {network: (STORAGE,)}, storage)):
            self.containers[spec.name] = Container.create(self._run, spec)
        return registry

    def take_over(self) -> bool:
        """Takes the containers that a run before this one has left; false if one of them does not run."""
        found = {name: Container.find(self._run, name) for name in (LOCALSTACK, GATEWAY, STORAGE)}
        self.containers = {name: container for name, container in found.items() if container is not None}
        return len(self.containers) == len(found)

    def await_ready(self, progress: Callable[[str], None]) -> None:
        """Waits until the gateway and LocalStack are ready. Raises ContainerFailed or TimedOut."""
        until(self._gateway_ready, "the gateway to be ready", seconds=_READY_SECONDS, seen=self._gateway_seen)
        progress("waiting for LocalStack")
        until(lambda: is_ready(self.endpoint), "LocalStack to be ready", seconds=_READY_SECONDS)

    @property
    def endpoint(self) -> str:
        """LocalStack's URL for this machine."""
        return self._url(LOCALSTACK, PORT)

    @property
    def gateway_control(self) -> GatewayControl:
        """What the gateway is controlled by."""
        return GatewayControl(self._url(GATEWAY, _CONTROL_PORT))

    def port(self, name: str) -> int:
        """The number of one of the gateway's ports."""
        return self._numbers[name]

    def _url(self, part: str, port: int) -> str:
        return self._published.url(self.containers[part].published(port))

    def _gateway_ready(self) -> bool:
        self.containers[GATEWAY].check()
        return self.gateway_control.is_ready()

    def _gateway_seen(self) -> str:
        url, log = self._url(GATEWAY, _CONTROL_PORT), self.containers[GATEWAY].tail()
        return f"no answer from {url}, and in its log: {log}. TESTCONTAINERS_HOST_OVERRIDE names another host"
