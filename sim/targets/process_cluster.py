"""A cluster without Docker: LocalStack, the gateway, the edge and the tasks are processes of this machine."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from services.pipeline.version import version
from sim.agent.programs import Program
from sim.cloud.aws_client import NO_FILES
from sim.cloud.gateway.control_client import GatewayControl
from sim.cloud.local import LocalCloud
from sim.faults.plan import AwsService
from sim.host.process import Process
from sim.images.source import copied
from sim.targets.cluster import ClusterTarget
from sim.targets.cluster_parts import agent_directory, start_processes
from sim.targets.cluster_tasks import ProcessTasks
from sim.targets.publication import publish_source
from sim.targets.target import PORTS, SERVICES, Capability, Progress, Service, TaskRuntime, Tuning, port

if TYPE_CHECKING:
    from types_boto3_ecr import ECRClient


class ProcessCluster(ClusterTarget):
    """Tasks are processes."""

    runtime: ClassVar[TaskRuntime] = TaskRuntime.PROCESS
    capabilities: ClassVar[frozenset[Capability]] = frozenset(Capability) - {Capability.LIMIT_MEMORY}

    def __init__(self, tuning: Tuning, progress: Progress, *, roots: Path | None = None) -> None:
        super().__init__(tuning, progress, roots=roots)
        self._cloud = LocalCloud(self._cleanup, PORTS, progress, time_scale=tuning.time_scale)

    def _stop(self) -> None:
        super()._stop()
        self._cloud.stop()

    def _open_cloud(self) -> str:
        self._cloud.open()
        return self._cloud.endpoint

    def _await_cloud(self) -> None:
        self._cloud.await_ready()
        programs: dict[str, Program] = {service: _program(service) for service in SERVICES}
        start_processes(self.cluster, self._cleanup, self._cloud.endpoint, programs, self._given_to)

    def _endpoint(self, service: Service, aws: AwsService) -> str:
        return self._cloud.endpoint_of(port(service, aws))

    def _publish(self, ecr: ECRClient, service: Service) -> None:
        publish_source(ecr, copied(service, version(service), self.versions))

    @property
    def tasks(self) -> ProcessTasks:
        return ProcessTasks(agent_directory(self._cleanup))

    @property
    def cloud_processes(self) -> list[Process]:
        return self._cloud.processes

    @property
    def gateway_control(self) -> GatewayControl:
        return self._cloud.gateway_control


def _program(service: Service) -> Program:
    """What runs in place of a service's image: its module, out of the copy of a checkout."""
    own = {"HOST": "127.0.0.1", "PORT": "{port:8080}"} if service == "api" else {}
    return Program(
        (sys.executable, "-m", f"services.{service}"),
        Path("{source}"),
        {
            **NO_FILES,
            **own,
            "HEARTBEAT_FILE": "{directory}/heartbeat",
            "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath))),
            "PYTHONPATH": "{source}",
            "PYTHONUNBUFFERED": "1",
        },
    )
