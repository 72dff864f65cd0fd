"""A cluster's parts in one network of the Docker engine: LocalStack, the gateway and the edge are containers.

The agent is a process of this machine, since it speaks to the engine. What this machine reaches is published to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final
from urllib.parse import urlsplit

from sim.agent.settings import Docker
from sim.cloud.cloud_images import CloudImages
from sim.cloud.containers import LOCALSTACK, ContainerCloud
from sim.cloud.localstack.settings import PORT
from sim.cluster.task_endpoint import LINK_LOCAL
from sim.host.cleanup import Cleanup
from sim.host.container import Container, Network, Spec, new_run, ports_of_engine
from sim.host.container_process import ContainerProcess
from sim.host.engine_api import LABEL
from sim.host.process import Process, free_port
from sim.targets.cluster_parts import GivenTo, agent
from sim.targets.cluster_processes import ClusterProcesses
from sim.targets.cluster_tasks import ContainerTasks

_EDGE: Final = "edge"
_EDGES_FOLDER: Final = "/var/lib/edge"
"""Of its image. It has the certificate and the ports of listeners, which are the same after a restart."""
_CONTROL_PORT: Final = 4700
_LISTENERS: Final = range(4701, 4709)
"""The edge's ports that the engine publishes: one for each listener of a load balancer, as far as they go."""


class ClusterContainers:
    """The parts of one run. `followed` prints what LocalStack, the gateway and the registry's storage log."""

    def __init__(self, cleanup: Cleanup, progress: Callable[[str], None]) -> None:
        self._cleanup = cleanup
        self._progress = progress
        self.followed: list[Process] = []

    def begin(self) -> None:
        """Names the run, whose leftovers the cleanup removes. Raises NoEngine or EngineFailed."""
        self._ports = ports_of_engine()
        self.run = new_run()
        self._cleanup.owns("label", f"{LABEL}={self.run}")

    def open(self, images: CloudImages, ports: Iterable[str], time_scale: float) -> str:
        """Begins the start of LocalStack and of the gateway; LocalStack's URL. `ports` are the gateway's."""
        self._kit = images.kit
        self._progress("starting the containers")
        self._network = Network.create(self.run, "cluster")
        self.cloud = ContainerCloud(self.run, images, ports, self._ports, time_scale)
        registry = self.cloud.open(self._network, {})
        self._cleanup.owns("images", registry.address)
        self.followed = [
            ContainerProcess(name, container, self._cleanup) for name, container in self.cloud.containers.items()
        ]
        for each in self.followed:
            each.start()
        return self.cloud.endpoint

    def start(
        self, parts: ClusterProcesses, given_to: GivenTo | None = None, images: Mapping[str, str] | None = None
    ) -> None:
        """Begins the start of the edge and the agent, once the cloud is ready. Raises SimError if that does not come.

        `images` are local images by the repository that each stands for.
        """
        self.cloud.await_ready(self._progress)
        edge = self._edge()
        control = self._ports.url(edge.published(_CONTROL_PORT))

        def here(address: str) -> str:
            return urlsplit(self._ports.url(edge.published(urlsplit(f"//{address}").port or 0))).netloc

        runtime = Docker(
            kind="docker", run=self.run, network=self._network.name, edge=edge.name, images=dict(images or {})
        )
        ours = agent(self._cleanup, self.cloud.endpoint, f"http://{LOCALSTACK}:{PORT}", runtime, given_to or {})
        parts.start(ContainerProcess(_EDGE, edge, self._cleanup), control, here, ours)

    def stop(self) -> None:
        """Ends what prints the logs. The cleanup removes the containers."""
        for each in reversed(self.followed):
            each.kill()

    @property
    def tasks(self) -> ContainerTasks:
        """The tasks, as containers."""
        return ContainerTasks(self.run)

    def _edge(self) -> Container:
        link_local = urlsplit(LINK_LOCAL).hostname or ""
        return Container.create(
            self.run,
            Spec(
                _EDGE,
                self._kit,
                {},
                {self._network: (_EDGE,)},
                ports={each: free_port() for each in (_CONTROL_PORT, *_LISTENERS)},
                confined=True,
                command=(
                    *("sim.cloud.edge", "--cloud", f"{LOCALSTACK}:{PORT}", "--host", _EDGE),
                    *("--control", str(_CONTROL_PORT), "--directory", _EDGES_FOLDER),
                    *("--published", f"{_LISTENERS[0]}-{_LISTENERS[-1]}", "--link-local", link_local),
                ),
                link_local=link_local,
                kept=_EDGES_FOLDER,
            ),
        )
