"""The target `process`: LocalStack, the API and the worker as child processes. Needs nothing but Python."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import services
from release.roots import NEEDS
from services.worker.health import fresh, heartbeat_file
from sim.cloud.aws_client import NO_FILES
from sim.cloud.gateway.control_client import GatewayControl
from sim.cloud.local import LocalCloud
from sim.cloud.resources import DataPlane
from sim.faults.plan import AwsService
from sim.host.cleanup import Cleanup
from sim.host.process import Process, free_port
from sim.host.waiting import until
from sim.targets.settings import (
    HEARTBEAT_SECONDS,
    PROCESSES,
    access,
    api_ready,
    service_environment,
    terraform_variables,
)
from sim.targets.target import (
    CALLS,
    PORTS,
    SERVICES,
    Capability,
    Progress,
    Provision,
    Service,
    Target,
    Tuning,
    port,
)
from sim.terraform.applied import applied
from sim.terraform.local_roots import Environment

_READY_SECONDS = 30
_STOP_SECONDS = 30
_SOURCE = Path(services.__file__).parents[1]


class ProcessTarget(Target):
    """All parts on this machine, on free loopback ports."""

    name: ClassVar[str] = "process"
    capabilities: ClassVar[frozenset[Capability]] = frozenset(Capability) - {Capability.LIMIT_MEMORY}

    def __init__(
        self, tuning: Tuning, progress: Progress, *, provision: Provision = Provision.KIT, roots: Path | None = None
    ) -> None:
        """`roots` is the folder in which Terraform works, if not one that ends with the run."""
        self._provision = provision
        self._roots = roots
        self._tuning = tuning
        self._progress = progress
        self._cleanup = Cleanup()
        self._cloud = LocalCloud(self._cleanup, PORTS, progress)
        self._port = free_port()
        self._processes: dict[Service, Process] = {}

    def up(self) -> None:
        self._cloud.open()
        if self._provision is Provision.TERRAFORM:
            self._apply()
        else:
            self._create()
        for service in self._processes:
            self._await_ready(service)

    def _apply(self) -> None:
        self._cloud.await_ready()
        self.environment.apply(tuple(NEEDS))
        made = applied(self.environment, self._cloud.endpoint)
        self._cloud.data_plane = DataPlane(self._cloud.endpoint, made.resources)
        self._processes = {
            service: self._process(service, {**made.settings[service], **access(service, self._endpoint(service))})
            for service in SERVICES
        }
        for process in self._processes.values():
            process.start()

    def _create(self) -> None:
        self._processes = {
            service: self._process(
                service,
                service_environment(service, self.data_plane.resources, self._tuning, self._endpoint(service)),
            )
            for service in SERVICES
        }
        # The API asks nothing of AWS before it is asked itself, so it can load while LocalStack does.
        self._processes["api"].start()
        self._cloud.prepare(
            visibility_timeout=self._tuning.visibility_timeout, max_receive_count=self._tuning.max_receive_count
        )
        self._processes["worker"].start()

    def _endpoint(self, service: Service) -> Callable[[AwsService], str]:
        return lambda aws: self._cloud.endpoint_of(port(service, aws))

    def down(self) -> None:
        for process in self._processes.values():
            process.kill()
        self._cloud.stop()
        self._cleanup.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def data_plane(self) -> DataPlane:
        return self._cloud.data_plane

    @property
    def processes(self) -> list[Process]:
        """LocalStack, the gateway, the API and the worker."""
        return [self._cloud.process, self._cloud.gateway, *self._processes.values()]

    @cached_property
    def environment(self) -> Environment:
        """Terraform's, which makes the resources where it is asked to."""
        directory = self._roots or self._cleanup.directory / "terraform"
        return Environment(directory, self._cloud.endpoint, terraform_variables(self._tuning), self._progress)

    @property
    def heartbeat(self) -> Path:
        """The worker's sign of life; each of its processes puts a number behind it."""
        return self._cleanup.directory / "worker.heartbeat"

    def token(self) -> str:
        return self.data_plane.token()

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

    def cut(self, service: Service, aws: AwsService) -> None:
        self._cloud.gateway_control.cut(port(service, aws))

    def mend(self, service: Service, aws: AwsService) -> None:
        self._cloud.gateway_control.mend(port(service, aws))

    @property
    def gateway_control(self) -> GatewayControl:
        return self._cloud.gateway_control

    def restore(self) -> None:
        self.gateway_control.clear_faults()
        for service, calls in CALLS.items():
            for aws in calls:
                self.mend(service, aws)
        for service in self._processes:
            self.resume(service)
            if not self.runs(service):
                self.start(service)

    def _process(self, service: Service, settings: Mapping[str, str]) -> Process:
        here = {"HOST": "127.0.0.1", "PORT": str(self._port), "HEARTBEAT_FILE": str(self.heartbeat)}
        environment = {
            **NO_FILES,
            "PATH": os.environ.get("PATH", os.defpath),
            "PYTHONPATH": str(_SOURCE),
            "PYTHONUNBUFFERED": "1",
            **settings,
            **here,
        }
        return Process(service, [sys.executable, "-m", f"services.{service}"], environment, self._cleanup)

    def _await_ready(self, service: Service) -> None:
        process = self._processes[service]
        self._progress(f"waiting for the {service}")

        def ready() -> bool:
            process.check()
            return api_ready(self.url) if service == "api" else fresh(str(self.heartbeat), PROCESSES, HEARTBEAT_SECONDS)

        until(ready, f"the {service} to be ready", seconds=_READY_SECONDS, seen=process.tail)
