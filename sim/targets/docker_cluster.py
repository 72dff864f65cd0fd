"""A cluster in one network of the Docker engine: LocalStack, the gateway, the edge and the tasks are containers.

The agent is a process of this machine, since it speaks to the engine. What this machine reaches is published to it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final
from urllib.parse import urlsplit

from services.pipeline.version import version
from sim.agent.settings import Docker
from sim.cloud.containers import GATEWAY, LOCALSTACK, ContainerCloud
from sim.cloud.gateway.control_client import GatewayControl
from sim.cloud.localstack.settings import PORT
from sim.cluster.task_endpoint import LINK_LOCAL
from sim.faults.plan import AwsService
from sim.host.container import LABEL, Container, Network, Spec, new_run, ports_of_engine
from sim.host.container_process import ContainerProcess
from sim.host.process import Process, free_port
from sim.images.base_image import settings as image_settings
from sim.images.build import build, by_id, cloud_images
from sim.targets.cluster import ClusterTarget
from sim.targets.cluster_parts import agent
from sim.targets.cluster_tasks import ContainerTasks
from sim.targets.publication import push
from sim.targets.target import PORTS, Capability, Progress, Service, TaskRuntime, Tuning, port

if TYPE_CHECKING:
    from types_boto3_ecr import ECRClient

_EDGE: Final = "edge"
_CONTROL_PORT: Final = 4700
_LISTENERS: Final = range(4701, 4709)
"""The edge's ports that the engine publishes: one for each listener of a load balancer, as far as they go."""


class DockerCluster(ClusterTarget):
    """Tasks are containers."""

    runtime: ClassVar[TaskRuntime] = TaskRuntime.DOCKER
    capabilities: ClassVar[frozenset[Capability]] = frozenset(Capability)

    def __init__(self, tuning: Tuning, progress: Progress, *, roots: Path | None = None) -> None:
        super().__init__(tuning, progress, roots=roots)
        self._followed: list[Process] = []

    def _stop(self) -> None:
        super()._stop()
        for each in reversed(self._followed):
            each.kill()

    def _open_cloud(self) -> str:
        self._ports = ports_of_engine()
        self._progress("building the images")
        self._images = by_id(build(image_settings(os.environ), self._progress))
        self._run = new_run()
        self._cleanup.owns("label", f"{LABEL}={self._run}")
        self._progress("starting the containers")
        self._network = Network.create(self._run, "cluster")
        self._cloud = ContainerCloud(self._run, cloud_images(self._images), PORTS, self._ports, self._tuning.time_scale)
        registry = self._cloud.open(self._network, {})
        self._cleanup.owns("images", registry.address)
        self._followed = [
            ContainerProcess(name, container, self._cleanup) for name, container in self._cloud.containers.items()
        ]
        for each in self._followed:
            each.start()
        return self._cloud.endpoint

    def _await_cloud(self) -> None:
        self._cloud.await_ready(self._progress)
        edge = self._edge()
        control = self._ports.url(edge.published(_CONTROL_PORT))

        def here(address: str) -> str:
            return urlsplit(self._ports.url(edge.published(urlsplit(f"//{address}").port or 0))).netloc

        runtime = Docker(kind="docker", run=self._run, network=self._network.name, edge=edge.name)
        ours = agent(self._cleanup, self._cloud.endpoint, f"http://{LOCALSTACK}:{PORT}", runtime, self._given_to)
        self.cluster.start(ContainerProcess(_EDGE, edge, self._cleanup), control, here, ours)

    def _edge(self) -> Container:
        link_local = urlsplit(LINK_LOCAL).hostname or ""
        return Container.create(
            self._run,
            Spec(
                _EDGE,
                self._images.kit,
                {},
                {self._network: (_EDGE,)},
                ports={each: free_port() for each in (_CONTROL_PORT, *_LISTENERS)},
                confined=True,
                command=(
                    *("sim.cloud.edge", "--cloud", f"{LOCALSTACK}:{PORT}", "--host", _EDGE),
                    *("--control", str(_CONTROL_PORT), "--directory", "/tmp/edge"),  # noqa: S108 - in its container
                    *("--published", f"{_LISTENERS[0]}-{_LISTENERS[-1]}", "--link-local", link_local),
                ),
                link_local=link_local,
            ),
        )

    def _endpoint(self, service: Service, aws: AwsService) -> str:
        return f"http://{GATEWAY}:{self._cloud.port(port(service, aws))}"

    def _publish(self, ecr: ECRClient, service: Service) -> None:
        push(ecr, service, version(service), self._images.services[service])

    @property
    def tasks(self) -> ContainerTasks:
        return ContainerTasks(self._run)

    @property
    def cloud_processes(self) -> list[Process]:
        return self._followed

    @property
    def gateway_control(self) -> GatewayControl:
        return self._cloud.gateway_control

    def logs(self) -> Mapping[str, str]:
        # Those that print them may be a moment behind.
        return {**super().logs(), **{name: each.logs() for name, each in self._cloud.containers.items()}}

    def limit_memory(self, service: Service, mebibytes: int) -> None:
        for task in self.service(service).tasks():
            self.tasks.limit_memory(task["taskArn"], mebibytes)
