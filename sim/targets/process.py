"""The target `process`: LocalStack, the API and the worker as child processes. Needs nothing but Python."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import services
from services.worker.health import fresh, heartbeat_file
from sim.cloud.aws_client import NO_FILES
from sim.cloud.gateway.control_client import GatewayControl
from sim.cloud.local import LocalCloud
from sim.faults.plan import AwsService
from sim.host.process import Process, free_port
from sim.host.waiting import until
from sim.images.base_image import BaseImages
from sim.images.base_image import settings as image_settings
from sim.targets.local import LocalTarget
from sim.targets.settings import HEARTBEAT_SECONDS, PROCESSES, api_ready
from sim.targets.target import PORTS, Capability, Progress, Provision, Service, Tuning, port

_READY_SECONDS = 30
_STOP_SECONDS = 30
_SOURCE = Path(services.__file__).parents[1]


class ProcessTarget(LocalTarget):
    """All parts on this machine, on free loopback ports."""

    name: ClassVar[str] = "process"
    capabilities: ClassVar[frozenset[Capability]] = frozenset(Capability) - {Capability.LIMIT_MEMORY, Capability.DEPLOY}

    def __init__(
        self, tuning: Tuning, progress: Progress, *, provision: Provision = Provision.KIT, roots: Path | None = None
    ) -> None:
        super().__init__(tuning, progress, provision, roots)
        registry = BaseImages.of(image_settings(os.environ)).registry
        self._cloud = LocalCloud(self._cleanup, PORTS, progress, registry)
        self._processes: dict[Service, Process] = {}

    def _stop(self) -> None:
        for process in self._processes.values():
            process.kill()
        self._cloud.stop()

    def _open_cloud(self) -> str:
        self._cloud.open()
        return self._cloud.endpoint

    def _await_cloud(self) -> None:
        self._cloud.await_ready()

    def _endpoint(self, service: Service, aws: AwsService) -> str:
        return self._cloud.endpoint_of(port(service, aws))

    def _launch_service(self, service: Service, settings: dict[str, str]) -> None:
        if service == "api":
            self._port = free_port()
            settings = {**settings, "HOST": "127.0.0.1", "PORT": str(self._port)}
        else:
            settings = {**settings, "HEARTBEAT_FILE": str(self.heartbeat)}
        python = {
            **NO_FILES,
            "PATH": os.environ.get("PATH", os.defpath),
            "PYTHONPATH": str(_SOURCE),
            "PYTHONUNBUFFERED": "1",
        }
        command = [sys.executable, "-m", f"services.{service}"]
        self._processes[service] = Process(service, command, {**python, **settings}, self._cleanup)
        self._processes[service].start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def processes(self) -> list[Process]:
        """LocalStack, the gateway, the API and the worker."""
        return [*self._cloud.processes, *self._processes.values()]

    @property
    def heartbeat(self) -> Path:
        """The worker's sign of life; each of its processes puts a number behind it."""
        return self._cleanup.directory / "worker.heartbeat"

    def logs(self) -> Mapping[str, str]:
        return {process.name: process.log.read_text(errors="replace") for process in self.processes}

    def runs(self, service: Service) -> bool:
        return self._processes[service].pid is not None

    def start(self, service: Service) -> None:
        if service == "worker":
            for number in range(PROCESSES):
                Path(heartbeat_file(str(self.heartbeat), number)).unlink(missing_ok=True)
        self._processes[service].start()
        self._await_ready(service)

    def terminate(self, service: Service) -> int:
        self._processes[service].terminate()
        return self._processes[service].wait(_STOP_SECONDS)

    def kill(self, service: Service) -> None:
        self._processes[service].kill()

    def pause(self, service: Service) -> None:
        self._processes[service].signal(signal.SIGSTOP)

    def resume(self, service: Service) -> None:
        self._processes[service].signal(signal.SIGCONT)

    @property
    def gateway_control(self) -> GatewayControl:
        return self._cloud.gateway_control

    def _await_ready(self, service: Service) -> None:
        process = self._processes[service]
        self._progress(f"waiting for the {service}")

        def ready() -> bool:
            process.check()
            return api_ready(self.url) if service == "api" else fresh(str(self.heartbeat), PROCESSES, HEARTBEAT_SECONDS)

        until(ready, f"the {service} to be ready", seconds=_READY_SECONDS, seen=process.tail)
