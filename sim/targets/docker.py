"""The target `docker`: LocalStack and the images that ship, as containers.

Each AWS service that the services call is the gateway under another name in a network of its own, so a service can also
be partitioned from one of them by taking it out of that network.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from functools import cached_property, partial
from typing import ClassVar

from release.roots import NEEDS
from sim.cloud.gateway.control_client import GatewayControl
from sim.cloud.localstack.settings import PORT, container_environment, is_ready
from sim.cloud.resources import DataPlane, local_resources
from sim.faults.plan import AwsService
from sim.host.cleanup import Cleanup
from sim.host.container import LABEL, Container, Network, Spec, new_run, ports_of_engine
from sim.host.engine import remove_labelled
from sim.host.process import free_port
from sim.host.waiting import until
from sim.images.base_image import settings
from sim.images.build import Images, build, id_of
from sim.targets.settings import access, api_ready, service_environment, terraform_variables
from sim.targets.target import (
    CALLS,
    GATEWAY,
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

_AWS: tuple[AwsService, ...] = ("s3", "sqs", "ssm")
_API_PORT = 8080
_CONTROL_PORT = 4600
_GATEWAY_PORTS = {name: _CONTROL_PORT + number for number, name in enumerate(PORTS, 1)}
_EVERYWHERE = "0.0.0.0"  # noqa: S104 - in its container, of which one port is published to loopback
_READY_SECONDS = 60
_STOP_SECONDS = 30


class DockerTarget(Target):
    """All parts in containers. With `reuse` they stay, and a later run with the same images takes them over."""

    name: ClassVar[str] = "docker"
    capabilities: ClassVar[frozenset[Capability]] = frozenset(Capability)

    def __init__(
        self, tuning: Tuning, progress: Progress, *, reuse: bool = False, provision: Provision = Provision.KIT
    ) -> None:
        self._provision = provision
        self._tuning = tuning
        self._progress = progress
        self._reuse = reuse
        self._cleanup = Cleanup()
        self._run = new_run()
        self._containers: dict[str, Container] = {}

    def up(self) -> None:
        self._ports = ports_of_engine()
        self._progress("building the images")
        images = _by_id(build(settings(os.environ), self._progress))
        if self._reuse:
            self._run = _reusable_run(images, self._tuning)
            if self._take_over():
                return
            remove_labelled(f"{LABEL}={self._run}")
        else:
            self._cleanup.owns("label", f"{LABEL}={self._run}")
        self._start_all(images)

    def down(self) -> None:
        if not self._reuse:
            remove_labelled(f"{LABEL}={self._run}")
        self._cleanup.close()

    @property
    def url(self) -> str:
        return self._ports.url(self._containers["api"].published(_API_PORT))

    @property
    def data_plane(self) -> DataPlane:
        return self._data_plane

    @cached_property
    def environment(self) -> Environment:
        """Terraform's, which makes the resources where it is asked to."""
        directory = self._cleanup.directory / "terraform"
        return Environment(directory, self.data_plane.endpoint, terraform_variables(self._tuning), self._progress)

    def container(self, service: Service) -> Container:
        """The container of a service."""
        return self._containers[service]

    def token(self) -> str:
        return self.data_plane.token()

    def logs(self) -> Mapping[str, str]:
        return {name: container.logs() for name, container in self._containers.items()}

    def runs(self, service: Service) -> bool:
        return self.container(service).state in {"running", "paused"}

    def start(self, service: Service) -> None:
        self.container(service).unlimit_memory()
        self.container(service).start()
        self._await_ready(service)

    def terminate(self, service: Service) -> int:
        return self.container(service).terminate(_STOP_SECONDS)

    def kill(self, service: Service) -> None:
        self.container(service).kill()

    def pause(self, service: Service) -> None:
        self.container(service).pause()

    def resume(self, service: Service) -> None:
        self.container(service).resume()

    def cut(self, service: Service, aws: AwsService) -> None:
        self.gateway_control.cut(port(service, aws))

    def mend(self, service: Service, aws: AwsService) -> None:
        self.gateway_control.mend(port(service, aws))

    def disconnect(self, service: Service, aws: AwsService) -> None:
        """A partition in silence: packets between the service and the AWS service are lost, nothing is reset."""
        self._network(aws).disconnect(self.container(service))

    def reconnect(self, service: Service, aws: AwsService) -> None:
        """Ends `disconnect`."""
        self._network(aws).connect(self.container(service))

    @property
    def gateway_control(self) -> GatewayControl:
        return self._gateway_control

    def limit_memory(self, service: Service, mebibytes: int) -> None:
        self.container(service).limit_memory(mebibytes)

    def restore(self) -> None:
        self.gateway_control.clear_faults()
        for service in SERVICES:
            self.resume(service)
            for aws in CALLS[service]:
                self.mend(service, aws)
                self.reconnect(service, aws)
            if not self.runs(service):
                self.start(service)

    def _network(self, purpose: str) -> Network:
        return Network(f"{self._run}-{purpose}")

    def _start_all(self, images: Images) -> None:
        self._progress("starting the containers")
        # By its name the first: what is published to the host goes through it, whatever is cut.
        edge = Network.create(self._run, "edge")
        aws = {each: Network.create(self._run, each) for each in _AWS}
        localstack = Spec(
            "localstack",
            images.control_plane,
            container_environment(),
            {edge: ("localstack",)},
            ports={PORT: free_port()},
        )
        self._containers["localstack"] = Container.create(self._run, localstack)
        gateway = Spec(
            GATEWAY,
            images.kit,
            {},
            {edge: (), **{network: (each,) for each, network in aws.items()}},
            ports={_CONTROL_PORT: free_port()},
            confined=True,
            command=(
                "sim.cloud.gateway",
                *("--host", _EVERYWHERE, "--upstream", f"localstack:{PORT}", "--control", str(_CONTROL_PORT)),
                *(f"{name}={number}" for name, number in _GATEWAY_PORTS.items()),
            ),
        )
        self._containers[GATEWAY] = Container.create(self._run, gateway)
        self._connect()
        until(self._gateway_ready, "the gateway to be ready", seconds=_READY_SECONDS)
        self._progress("waiting for LocalStack")
        until(lambda: is_ready(self.data_plane.endpoint), "LocalStack to be ready", seconds=_READY_SECONDS)
        settings = self._apply() if self._provision is Provision.TERRAFORM else self._create()
        for service in SERVICES:
            spec = Spec(
                service,
                images.services[service],
                settings[service],
                {edge: (), **{aws[each]: () for each in CALLS[service]}},
                ports={_API_PORT: free_port()} if service == "api" else {},
                confined=True,
            )
            self._containers[service] = Container.create(self._run, spec)
        for service in SERVICES:
            self._await_ready(service)

    def _apply(self) -> dict[Service, dict[str, str]]:
        self.environment.apply(tuple(NEEDS))
        made = applied(self.environment, self.data_plane.endpoint)
        self._data_plane = DataPlane(self.data_plane.endpoint, made.resources)
        return {
            service: {**made.settings[service], **access(service, partial(_endpoint, service))} for service in SERVICES
        }

    def _create(self) -> dict[Service, dict[str, str]]:
        self.data_plane.create(
            visibility_timeout=self._tuning.visibility_timeout, max_receive_count=self._tuning.max_receive_count
        )
        return {
            service: service_environment(service, self.data_plane.resources, self._tuning, partial(_endpoint, service))
            for service in SERVICES
        }

    def _take_over(self) -> bool:
        """Whether a run before this one has left everything running."""
        found = {name: Container.find(self._run, name) for name in ("localstack", GATEWAY, *SERVICES)}
        running = {name: container for name, container in found.items() if container is not None}
        if len(running) < len(found):
            return False
        self._containers = running
        self._connect()
        self.restore()
        self._progress(f"took over the containers of {self._run}")
        return True

    def _connect(self) -> None:
        endpoint = self._ports.url(self._containers["localstack"].published(PORT))
        self._data_plane = DataPlane(endpoint, local_resources(endpoint))
        self._gateway_control = GatewayControl(self._ports.url(self._containers[GATEWAY].published(_CONTROL_PORT)))

    def _gateway_ready(self) -> bool:
        self._containers[GATEWAY].check()
        return self.gateway_control.is_ready()

    def _await_ready(self, service: Service) -> None:
        container = self.container(service)
        self._progress(f"waiting for the {service}")

        def ready() -> bool:
            container.check()
            return api_ready(self.url) if service == "api" else container.health == "healthy"

        until(ready, f"the {service} to be ready", seconds=_READY_SECONDS, seen=container.tail)


def _endpoint(service: Service, aws: AwsService) -> str:
    return f"http://{aws}:{_GATEWAY_PORTS[port(service, aws)]}"


def _by_id(images: Images) -> Images:
    """The same images, whatever becomes of their names while containers of them are started."""
    services = {name: id_of(image) for name, image in images.services.items()}
    return Images(images.bases, id_of(images.control_plane), id_of(images.kit), services)


def _reusable_run(images: Images, tuning: Tuning) -> str:
    """The name of the run for these images, by id, and this tuning."""
    wanted = (images.control_plane, images.kit, sorted(images.services.items()), tuning)
    return f"sim-reuse-{hashlib.sha256(repr(wanted).encode()).hexdigest()[:12]}"
