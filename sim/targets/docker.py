"""The target `docker`: LocalStack and the images that ship, as containers.

Each AWS service that the services call is the gateway under another name in a network of its own, so a service can also
be partitioned from one of them by taking it out of that network.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

from sim.cloud.containers import ContainerCloud
from sim.cloud.gateway.control_client import GatewayControl
from sim.cloud.resources import DataPlane, local_resources
from sim.faults.plan import AwsService
from sim.host.container import Container, Network, Spec, new_run, ports_of_engine
from sim.host.container_process import ContainerProcess
from sim.host.engine import remove_labelled
from sim.host.engine_api import LABEL
from sim.host.process import free_port
from sim.host.waiting import until
from sim.images.base_image import settings as image_settings
from sim.images.build import Images, build, by_id, cloud_images
from sim.targets.local import LocalTarget
from sim.targets.settings import api_ready
from sim.targets.target import (
    CALLS,
    PORTS,
    SERVICES,
    Capability,
    Progress,
    Provision,
    Service,
    Tuning,
    port,
)

_AWS: tuple[AwsService, ...] = ("s3", "sqs", "ssm")
_API_PORT = 8080
_READY_SECONDS = 120
_STOP_SECONDS = 30


class DockerTarget(LocalTarget):
    """All parts in containers. With `reuse` they stay, and a later run with the same images takes them over."""

    name: ClassVar[str] = "docker"
    capabilities: ClassVar[frozenset[Capability]] = frozenset(Capability) - {Capability.DEPLOY}

    def __init__(
        self,
        tuning: Tuning,
        progress: Progress,
        *,
        reuse: bool = False,
        provision: Provision = Provision.KIT,
        roots: Path | None = None,
    ) -> None:
        super().__init__(tuning, progress, provision, roots)
        self._reuse = reuse
        self._services: dict[Service, Container] = {}
        self._followed: dict[str, ContainerProcess] = {}

    def up(self) -> None:
        self._cleanup.begin()
        self._ports = ports_of_engine()
        self._progress("building the images")
        self._images = by_id(build(image_settings(os.environ), self._progress))
        self._run = _reusable_run(self._images, self._tuning) if self._reuse else new_run()
        self._cloud = ContainerCloud(self._run, cloud_images(self._images), PORTS, self._ports)
        if self._reuse:
            if self._take_over():
                return
            remove_labelled(f"{LABEL}={self._run}")
        else:
            self._cleanup.owns("label", f"{LABEL}={self._run}")
        self._progress("starting the containers")
        self._start()

    @contextmanager
    def followed(self) -> Iterator[None]:
        """Writes what every container logs to a file, as that of a process is, inside of the block."""
        self._follow()
        try:
            yield
        finally:
            self._unfollow()

    def _follow(self) -> None:
        self._followed = {name: ContainerProcess(name, each, self._cleanup) for name, each in self.containers.items()}
        for each in self._followed.values():
            each.follow()

    def _unfollow(self) -> None:
        for each in self._followed.values():
            each.unfollow()
        self._followed = {}

    def keep(self) -> bool:
        """Follows a service that was started again. Raises ContainerFailed if LocalStack or the gateway has ended."""
        for name in self._cloud.containers:
            self._followed[name].check()
        left = [each for each in self._followed.values() if each.is_left]
        for each in left:
            each.follow()
        return bool(left)

    def _stop(self) -> None:
        self._unfollow()

    def _open_cloud(self) -> str:
        # By its name the first: what is published to the host goes through it, whatever is cut.
        edge = Network.create(self._run, "edge")
        aws: dict[Network, tuple[str, ...]] = {Network.create(self._run, each): (each,) for each in _AWS}
        self._cloud.open(edge, aws)
        return self._cloud.endpoint

    def _await_cloud(self) -> None:
        self._cloud.await_ready(self._progress)

    def _endpoint(self, service: Service, aws: AwsService) -> str:
        return f"http://{aws}:{self._cloud.port(port(service, aws))}"

    def _launch_service(self, service: Service, settings: dict[str, str]) -> None:
        spec = Spec(
            service,
            self._images.services[service],
            settings,
            {self._network("edge"): (), **{self._network(each): () for each in CALLS[service]}},
            ports={_API_PORT: free_port()} if service == "api" else {},
            confined=True,
        )
        self._services[service] = Container.create(self._run, spec)

    @property
    def url(self) -> str:
        return self._ports.url(self.container("api").published(_API_PORT))

    def container(self, service: Service) -> Container:
        """The container of a service."""
        return self._services[service]

    @property
    def containers(self) -> Mapping[str, Container]:
        return {**self._cloud.containers, **{str(name): each for name, each in self._services.items()}}

    @property
    def processes(self) -> list[ContainerProcess]:
        """What follows each container; none if it is not followed."""
        return list(self._followed.values())

    def logs(self) -> Mapping[str, str]:
        return {name: each.logs() for name, each in self.containers.items()}

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

    def disconnect(self, service: Service, aws: AwsService) -> None:
        """A partition in silence: packets between the service and the AWS service are lost, nothing is reset."""
        self._network(aws).disconnect(self.container(service))

    def reconnect(self, service: Service, aws: AwsService) -> None:
        """Ends a partition that `disconnect` began."""
        self._network(aws).connect(self.container(service))

    @property
    def gateway_control(self) -> GatewayControl:
        return self._cloud.gateway_control

    def limit_memory(self, service: Service, mebibytes: int) -> None:
        self.container(service).limit_memory(mebibytes)

    def restore(self) -> None:
        for service in SERVICES:
            for aws in CALLS[service]:
                self.reconnect(service, aws)
        super().restore()

    def _network(self, purpose: str) -> Network:
        return Network(f"{self._run}-{purpose}")

    def _take_over(self) -> bool:
        """Whether a run before this one has left everything running."""
        found = {name: Container.find(self._run, name) for name in SERVICES}
        self._services = {name: container for name, container in found.items() if container is not None}
        if not self._cloud.take_over() or len(self._services) < len(found):
            return False
        endpoint = self._cloud.endpoint
        self._data_plane = DataPlane(endpoint, local_resources(endpoint))
        self.restore()
        self._progress(f"took over the containers of {self._run}")
        return True

    def _await_ready(self, service: Service) -> None:
        container = self.container(service)
        self._progress(f"waiting for the {service}")

        def ready() -> bool:
            container.check()
            return api_ready(self.url) if service == "api" else container.health == "healthy"

        until(ready, f"the {service} to be ready", seconds=_READY_SECONDS, seen=container.tail)


class FollowedDocker(DockerTarget):
    """Follows its containers from the start, for those who read the files of their logs."""

    def up(self) -> None:
        super().up()
        self._follow()


def _reusable_run(images: Images, tuning: Tuning) -> str:
    """The name of the run for these images, by id, and this tuning."""
    wanted = (images.control_plane, images.kit, sorted(images.services.items()), tuning)
    return f"sim-reuse-{hashlib.sha256(repr(wanted).encode()).hexdigest()[:12]}"
