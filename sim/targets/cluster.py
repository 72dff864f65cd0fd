"""The target `cluster`: production's Terraform, and what it declares made real.

Tasks run on container instances, behind a Classic ELB that carries the traffic. The driver in LocalStack decides, the
agent runs the tasks as processes, the edge is the load balancer. Whatever acts on a service here acts on all its tasks.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Final
from urllib.parse import urlsplit

from release.deploy import Verdict
from services.pipeline.version import version
from sim.agent.process_runtime import log_of, signal_task
from sim.agent.programs import Program
from sim.aws.arn import last_part
from sim.cloud.aws_client import NO_FILES, local_session
from sim.cloud.ecs import EcsService
from sim.cloud.gateway.control_client import GatewayControl
from sim.cloud.local import LocalCloud
from sim.cloud.registry.register import register
from sim.cloud.resources import Provisioned
from sim.faults.plan import AwsService
from sim.host.process import Process
from sim.host.waiting import until
from sim.images.source import copied
from sim.targets.cluster_acts import Acts
from sim.targets.cluster_processes import ClusterProcesses
from sim.targets.deployment import LocalDeployment, repository
from sim.targets.local import LocalTarget
from sim.targets.settings import access, api_ready
from sim.targets.target import PORTS, SERVICES, Capability, Progress, Provision, Service, Tuning, port

_READY_SECONDS: Final = 120
_STOP_SECONDS: Final = 120
"""Deregistration, drain and stop timeout."""


class ClusterTarget(LocalTarget):
    """Everything on this machine, tasks as processes."""

    name: ClassVar[str] = "cluster"
    capabilities: ClassVar[frozenset[Capability]] = frozenset(Capability) - {Capability.LIMIT_MEMORY}

    def __init__(self, tuning: Tuning, progress: Progress, *, roots: Path | None = None) -> None:
        super().__init__(tuning, progress, Provision.TERRAFORM, roots)
        self._cloud = LocalCloud(self._cleanup, PORTS, progress)
        self.cluster = ClusterProcesses(self._cleanup)
        self._counts: dict[Service, int] = {}
        """The desired count of each service that was terminated or killed."""

    def down(self) -> None:
        self.cluster.stop()
        self._cloud.stop()
        super().down()

    def _open_cloud(self) -> str:
        self._cloud.open()
        return self._cloud.endpoint

    def _await_cloud(self) -> None:
        self._cloud.await_ready()
        self.cluster.start(self._cloud.endpoint, {service: self._program(service) for service in SERVICES})

    @property
    def after(self) -> Mapping[str, Callable[[], None]]:
        return {"account": self._register}

    @property
    def variables(self) -> dict[str, str]:
        # One machine has all instances, and nobody wants to wait for the time-out of a version that is never healthy.
        return {**super().variables, "processes": "1", "circuit_breaker": "true"}

    def _endpoint(self, service: Service, aws: AwsService) -> str:
        return self._cloud.endpoint_of(port(service, aws))

    def _launch_service(self, service: Service, settings: dict[str, str]) -> None:
        """Does nothing: ECS starts the tasks once Terraform has created the service."""

    def _program(self, service: Service) -> Program:
        """What runs in place of a service's image: its module, out of the copy of a checkout."""
        own = {"HOST": "127.0.0.1", "PORT": "{port:8080}"} if service == "api" else {}
        return Program(
            (sys.executable, "-m", f"services.{service}"),
            Path("{source}"),
            {
                **NO_FILES,
                **own,
                **access(service, lambda aws: self._endpoint(service, aws)),
                "HEARTBEAT_FILE": "{directory}/heartbeat",
                "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath))),
                "PYTHONPATH": "{source}",
                "PYTHONUNBUFFERED": "1",
            },
        )

    def _register(self) -> None:
        """Registers the checkout as the present version of each service."""
        ecr: Any = local_session().client("ecr", endpoint_url=self._cloud.endpoint)
        for service in SERVICES:
            register(ecr, repository(service), copied(service, version(service), self.versions))

    def _apply(self) -> Provisioned:
        provisioned = super()._apply()
        outputs = {service: self.local_roots.root(f"services/{service}").outputs() for service in SERVICES}
        self._services = {
            str(service): EcsService(self._cloud.endpoint, each["cluster_name"], each["service_name"])
            for service, each in outputs.items()
        }
        address = urlsplit(str(outputs["api"]["url"]))
        self._url = f"http://{self.cluster.await_listener(address.hostname or '', address.port or 80)}"
        return provisioned

    @property
    def url(self) -> str:
        return self._url

    def service(self, service: Service) -> EcsService:
        """A service of the cluster."""
        return self._services[service]

    def deploy(self, service: Service, version: str | None = None) -> Verdict:
        return self.deployment.deploy(service, version)

    @property
    def deployment(self) -> LocalDeployment:
        """What deploys versions here."""
        return LocalDeployment(
            self._cloud.endpoint, self.url, self.token, self.local_roots, self.versions, self._progress
        )

    @property
    def acts(self) -> Acts:
        """What can be done to the cluster by hand."""
        return Acts(self._cloud.endpoint, self.cluster.directory, self._services)

    @property
    def processes(self) -> list[Process]:
        """LocalStack, the gateway, the edge and the agent."""
        return [*self._cloud.processes, *self.cluster.processes]

    def keep(self) -> bool:
        """Starts an edge or an agent that has ended again; true if one had. To be called often, once all is up.

        Raises ProcessFailed if LocalStack or the gateway has ended: the state of the cluster was in it.
        """
        for process in self._cloud.processes:
            process.check()
        return self.cluster.start_again(time.monotonic())

    def logs(self) -> Mapping[str, str]:
        parts = {process.name: process.log.read_text(errors="replace") for process in self.processes}
        return {**parts, **{service: log_of(self.cluster.directory, service) for service in SERVICES}}

    def runs(self, service: Service) -> bool:
        return any(each["lastStatus"] == "RUNNING" for each in self.service(service).tasks())

    def start(self, service: Service) -> None:
        if service in self._counts:
            self.service(service).scale(self._counts.pop(service))
        self._await_ready(service)

    def terminate(self, service: Service) -> int:
        tasks = self._withdraw(service)
        ended = self.service(service).await_ended(tasks, _STOP_SECONDS)
        return max(int(container["exitCode"]) for task in ended for container in task["containers"])

    def kill(self, service: Service) -> None:
        tasks = self._withdraw(service)
        for task in tasks:
            self._signal(task, signal.SIGKILL)
        self.service(service).await_ended(tasks, _STOP_SECONDS)

    def pause(self, service: Service) -> None:
        for task in self.service(service).tasks():
            self._signal(task, signal.SIGSTOP)

    def resume(self, service: Service) -> None:
        for task in self.service(service).tasks():
            self._signal(task, signal.SIGCONT)

    @property
    def gateway_control(self) -> GatewayControl:
        return self._cloud.gateway_control

    def _withdraw(self, service: Service) -> list[dict[str, Any]]:
        """Sets the desired count to 0, so that ECS starts no other task. Returns the tasks that there were."""
        of = self.service(service)
        tasks = of.tasks()
        self._counts.setdefault(service, of.described()["desiredCount"])
        of.scale(0)
        return tasks

    def _signal(self, task: Mapping[str, Any], number: signal.Signals) -> None:
        signal_task(self.cluster.directory, last_part(task["taskArn"]), number)

    def _await_ready(self, service: Service) -> None:
        self._progress(f"waiting for the tasks of the {service}")
        self.service(service).await_healthy(_READY_SECONDS)
        if service == "api":
            until(lambda: api_ready(self.url), "the load balancer to have a task in service", seconds=_READY_SECONDS)
