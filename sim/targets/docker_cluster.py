"""A cluster in one network of the Docker engine: LocalStack, the gateway, the edge and the tasks are containers."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from services.pipeline.version import version
from sim.cloud.containers import GATEWAY
from sim.cloud.gateway.control_client import GatewayControl
from sim.faults.plan import AwsService
from sim.host.process import Process
from sim.images.base_image import settings as image_settings
from sim.images.build import build, by_id, cloud_images
from sim.targets.cluster import ClusterTarget
from sim.targets.cluster_containers import ClusterContainers
from sim.targets.cluster_tasks import ContainerTasks
from sim.targets.publication import push
from sim.targets.target import PORTS, Capability, Progress, Service, TaskRuntime, Tuning, port

if TYPE_CHECKING:
    from types_boto3_ecr import ECRClient


class DockerCluster(ClusterTarget):
    """Tasks are containers."""

    runtime: ClassVar[TaskRuntime] = TaskRuntime.DOCKER
    capabilities: ClassVar[frozenset[Capability]] = frozenset(Capability)

    def __init__(self, tuning: Tuning, progress: Progress, *, roots: Path | None = None) -> None:
        super().__init__(tuning, progress, roots=roots)
        self._containers = ClusterContainers(self._cleanup, progress)

    def _stop(self) -> None:
        super()._stop()
        self._containers.stop()

    def _open_cloud(self) -> str:
        self._containers.begin()
        self._progress("building the images")
        self._images = by_id(build(image_settings(os.environ), self._progress))
        return self._containers.open(cloud_images(self._images), PORTS, self._tuning.time_scale)

    def _await_cloud(self) -> None:
        self._containers.start(self.cluster, self._given_to)

    def _endpoint(self, service: Service, aws: AwsService) -> str:
        return f"http://{GATEWAY}:{self._containers.cloud.port(port(service, aws))}"

    def _publish(self, ecr: ECRClient, service: Service) -> None:
        push(ecr, service, version(service), self._images.services[service])

    @property
    def tasks(self) -> ContainerTasks:
        return self._containers.tasks

    @property
    def cloud_processes(self) -> list[Process]:
        return self._containers.followed

    @property
    def gateway_control(self) -> GatewayControl:
        return self._containers.cloud.gateway_control

    def logs(self) -> Mapping[str, str]:
        # Those that print them may be a moment behind.
        return {
            **super().logs(),
            **{name: each.logs() for name, each in self._containers.cloud.containers.items()},
        }

    def limit_memory(self, service: Service, mebibytes: int) -> None:
        for task in self.service(service).tasks():
            self.tasks.limit_memory(task["taskArn"], mebibytes)
