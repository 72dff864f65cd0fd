"""The target `cluster`: production's Terraform, and what it declares made real.

Tasks run on container instances, behind a Classic ELB that carries the traffic. The driver in LocalStack decides, the
agent runs the tasks, the edge is the load balancer. Whatever acts on a service here acts on all its tasks.
"""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final
from urllib.parse import urlsplit

from release.deploy import Verdict
from sim.cloud.aws_client import local_session
from sim.cloud.ecs import EcsService
from sim.cloud.resources import Provisioned
from sim.host.process import Process
from sim.host.waiting import until
from sim.targets.cluster_acts import Acts
from sim.targets.cluster_parts import GivenTo
from sim.targets.cluster_processes import ClusterProcesses
from sim.targets.cluster_tasks import Tasks
from sim.targets.deployment import LocalDeployment
from sim.targets.local import LocalTarget
from sim.targets.publication import PUBLISH
from sim.targets.settings import api_ready, endpoints
from sim.targets.target import SERVICES, Progress, Provision, Service, TaskRuntime, Tuning

if TYPE_CHECKING:
    from types_boto3_ecr import ECRClient

_READY_SECONDS: Final = 120
_STOP_SECONDS: Final = 120
"""Deregistration, drain and stop timeout."""


class ClusterTarget(LocalTarget):
    """A cluster on this machine; where its parts and its tasks run is for the ones below to say."""

    name: ClassVar[str] = "cluster"
    runtime: ClassVar[TaskRuntime]
    """What its tasks are."""

    def __init__(self, tuning: Tuning, progress: Progress, *, roots: Path | None = None) -> None:
        super().__init__(tuning, progress, Provision.TERRAFORM, roots)
        self.cluster = ClusterProcesses()
        self._counts: dict[Service, int] = {}
        """The desired count of each service, as it was applied."""

    def _stop(self) -> None:
        self.cluster.stop()

    @abstractmethod
    def _publish(self, ecr: ECRClient, service: Service) -> None:
        """Makes the checkout the present version of a service in ECR."""

    @property
    @abstractmethod
    def tasks(self) -> Tasks:
        """The tasks as what they are on this machine."""

    @property
    @abstractmethod
    def cloud_processes(self) -> Sequence[Process]:
        """LocalStack and the gateway: the state of the cluster is in them."""

    @property
    def after(self) -> Mapping[str, Callable[[], None]]:
        return {"account": self._publish_all}

    @property
    def variables(self) -> dict[str, str]:
        # One machine has all instances, and nobody wants to wait for the time-out of a version that is never healthy.
        return {**super().variables, "processes": "1", "circuit_breaker": "true"}

    def _launch_service(self, service: Service, settings: dict[str, str]) -> None:
        """Does nothing: ECS starts the tasks once Terraform has created the service."""

    def _publish_all(self) -> None:
        ecr: Any = local_session().client("ecr", endpoint_url=self._data_plane.endpoint)
        for service in SERVICES:
            self._progress(f"publishing the checkout as the {service}'s version")
            self._publish(ecr, service)

    @property
    def _given_to(self) -> GivenTo:
        """Where each service reaches the AWS services that it calls."""
        return {each: endpoints(each, partial(self._endpoint, each)) for each in SERVICES}

    def _apply(self) -> Provisioned:
        provisioned = super()._apply()
        outputs = {service: self.local_roots.root(f"services/{service}").outputs() for service in SERVICES}
        self._services = {
            str(service): EcsService(self._data_plane.endpoint, each["cluster_name"], each["service_name"])
            for service, each in outputs.items()
        }
        self._counts = {service: int(self.service(service).described()["desiredCount"]) for service in SERVICES}
        self._url = self.await_url()
        return provisioned

    def await_url(self) -> str:
        """The API's URL, once its load balancer listens. The API's root must be applied. Raises TimedOut."""
        address = urlsplit(str(self.local_roots.root("services/api").outputs()["url"]))
        return f"http://{self.cluster.await_listener(address.hostname or '', address.port or 80)}"

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
            self._data_plane.endpoint,
            self.url,
            self.token,
            self.local_roots,
            self.versions,
            self._progress,
            PUBLISH[self.runtime],
        )

    @property
    def time_scale(self) -> float:
        """How many times as fast AWS's clock runs."""
        return self._tuning.time_scale

    @property
    def acts(self) -> Acts:
        """What can be done to the cluster by hand."""
        return Acts(self._data_plane.endpoint, self.tasks, self._services)

    @property
    def processes(self) -> list[Process]:
        """LocalStack, the gateway, the edge and the agent."""
        return [*self.cloud_processes, *self.cluster.processes]

    def keep(self) -> bool:
        """Starts an edge or an agent that has ended again; true if one had. To be called often, once all is up.

        Raises ProcessFailed if LocalStack or the gateway has ended: the state of the cluster was in it.
        """
        for process in self.cloud_processes:
            process.check()
        return self.cluster.start_again(time.monotonic())

    def logs(self) -> Mapping[str, str]:
        parts = {process.name: process.log.read_text(errors="replace") for process in self.processes}
        return {**parts, **{service: self.tasks.log(service) for service in SERVICES}}

    def runs(self, service: Service) -> bool:
        return any(each["lastStatus"] == "RUNNING" for each in self.service(service).tasks())

    def start(self, service: Service) -> None:
        self._scale_back(service)
        self._await_ready(service)

    def restore(self) -> None:
        self.acts.restore()
        for service in SERVICES:
            self._scale_back(service)
        super().restore()

    def terminate(self, service: Service) -> int:
        tasks = self._withdraw(service)
        ended = self.service(service).await_ended(tasks, _STOP_SECONDS)
        return max(int(container["exitCode"]) for task in ended for container in task["containers"])

    def kill(self, service: Service) -> None:
        tasks = self._withdraw(service)
        for task in tasks:
            self.tasks.kill(task["taskArn"])
        self.service(service).await_ended(tasks, _STOP_SECONDS)

    def pause(self, service: Service) -> None:
        for task in self.service(service).tasks():
            self.tasks.pause(task["taskArn"])

    def resume(self, service: Service) -> None:
        for task in self.service(service).tasks():
            self.tasks.resume(task["taskArn"])

    def _withdraw(self, service: Service) -> list[dict[str, Any]]:
        """Sets the desired count to 0, so that ECS starts no other task. Returns the tasks that there were."""
        of = self.service(service)
        tasks = of.tasks()
        of.scale(0)
        return tasks

    def _scale_back(self, service: Service) -> None:
        if self.service(service).described()["desiredCount"] != self._counts[service]:
            self.service(service).scale(self._counts[service])

    def _await_ready(self, service: Service) -> None:
        self._progress(f"waiting for the tasks of the {service}")
        self.service(service).await_healthy(_READY_SECONDS)
        if service == "api":
            until(lambda: api_ready(self.url), "the load balancer to have a task in service", seconds=_READY_SECONDS)
