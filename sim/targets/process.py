"""The target `process`: LocalStack, the API and the worker as child processes. Needs nothing but Python."""

from __future__ import annotations

import os
import signal
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import ClassVar

import services
from services.worker.health import fresh
from sim.cloud.local import LocalCloud
from sim.cloud.resources import DataPlane
from sim.runtime.process import Process, Scope, free_port
from sim.targets.target import AwsService, Capability, Service, Target, Tell, Tuning
from sim.waiting import until

_READY_SECONDS = 30
_STOP_SECONDS = 30
HEARTBEAT_SECONDS = 60
_SOURCE = Path(services.__file__).parents[1]


class ProcessTarget(Target):
    """All parts on this machine, on free loopback ports."""

    name: ClassVar[str] = "process"
    capabilities: ClassVar[frozenset[Capability]] = frozenset(Capability)

    def __init__(self, tuning: Tuning, tell: Tell) -> None:
        self._tuning = tuning
        self._tell = tell
        self._scope = Scope()
        self._cloud = LocalCloud(self._scope, tell)
        self._port = free_port()
        self._cut: set[AwsService] = set()
        self._processes: dict[Service, Process] = {}

    def up(self) -> None:
        self._cloud.open()
        self._processes = {"api": self._api(), "worker": self._worker()}
        # The API asks nothing of AWS before it is asked itself, so it can load while LocalStack does.
        self._processes["api"].start()
        self._cloud.prepare(
            visibility_timeout=self._tuning.visibility_timeout, max_receive_count=self._tuning.max_receive_count
        )
        self._processes["worker"].start()
        for service in self._processes:
            self._await_ready(service)

    def down(self) -> None:
        for process in self._processes.values():
            process.kill()
        self._cloud.stop()
        self._scope.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def data_plane(self) -> DataPlane:
        return self._cloud.data_plane

    @property
    def processes(self) -> list[Process]:
        """LocalStack, the API and the worker."""
        return [self._cloud.process, *self._processes.values()]

    @property
    def heartbeat(self) -> Path:
        """The worker's sign of life."""
        return self._scope.directory / "worker.heartbeat"

    def token(self) -> str:
        return self.data_plane.token()

    def logs(self) -> Mapping[str, str]:
        return {process.name: process.log.read_text(errors="replace") for process in self.processes}

    def start(self, service: Service) -> None:
        self.heartbeat.unlink(missing_ok=True)
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

    def cut(self, aws: AwsService) -> None:
        self._cut.add(aws)
        self._cloud.relays.cut(aws)

    def mend(self, aws: AwsService) -> None:
        self._cut.discard(aws)
        self._cloud.relays.open(aws)

    def restore(self) -> None:
        for aws in list(self._cut):
            self.mend(aws)
        for service, process in self._processes.items():
            self.resume(service)
            if process.pid is None:
                self.start(service)

    def _api(self) -> Process:
        names = self._cloud.data_plane.resources
        settings = {"TOKEN_PARAMETER": names.token_parameter, "HOST": "127.0.0.1", "PORT": str(self._port)}
        return self._service("api", settings)

    def _worker(self) -> Process:
        names = self._cloud.data_plane.resources
        settings = {
            "BUCKET": names.bucket,
            "PREFIX": names.prefix,
            "RECEIVE_WAIT_SECONDS": str(self._tuning.receive_wait),
            "VISIBILITY_TIMEOUT_SECONDS": str(self._tuning.visibility_timeout),
            "HEARTBEAT_FILE": str(self.heartbeat),
            "HEARTBEAT_SECONDS": str(HEARTBEAT_SECONDS),
        }
        return self._service("worker", settings)

    def _service(self, service: Service, settings: Mapping[str, str]) -> Process:
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "PYTHONPATH": str(_SOURCE),
            "PYTHONUNBUFFERED": "1",
            "QUEUE_URL": self._cloud.data_plane.resources.queue_url,
            **self._cloud.service_environment(),
            **settings,
            **(self._tuning.service_environment or {}),
        }
        return Process(service, [sys.executable, "-m", f"services.{service}"], environment, self._scope)

    def _await_ready(self, service: Service) -> None:
        process = self._processes[service]
        self._tell(f"waiting for the {service}")

        def ready() -> bool:
            process.check()
            return self._api_ready() if service == "api" else fresh(str(self.heartbeat), HEARTBEAT_SECONDS)

        until(ready, f"the {service} to be ready", seconds=_READY_SECONDS, seen=process.tail)

    def _api_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/ready", timeout=2) as answer:  # noqa: S310 - a URL of ours
                return bool(answer.status == HTTPStatus.OK)
        except (urllib.error.URLError, OSError):
            return False
