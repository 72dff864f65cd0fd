"""A cluster of any project: what its Terraform declares, made real, with its images as containers of the engine.

It knows nothing of what the project's services do. Its tasks call the local cloud itself, without a gateway between.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Final

from sim.cloud import desired
from sim.cloud.aws_client import REGION
from sim.cloud.ecs import EcsService, services_of
from sim.cluster.desired import Desired
from sim.errors import SimError
from sim.host.cleanup import Cleanup
from sim.host.loopback import request
from sim.host.process import Process
from sim.host.waiting import TimedOut, until
from sim.images import stand_in
from sim.images.base_image import settings as image_settings
from sim.images.build import build_cloud, cloud_by_id
from sim.targets.cluster_acts import Acts
from sim.targets.cluster_containers import ClusterContainers
from sim.targets.cluster_processes import ClusterProcesses
from sim.targets.cluster_tasks import ContainerTasks
from sim.targets.project_options import ProjectOptions
from sim.targets.target import Progress
from sim.targets.up_and_down import UpAndDown
from sim.terraform.local_roots import Done
from sim.terraform.project_roots import ProjectRoots

_STEADY_SECONDS: Final = 300
_ASK_SECONDS: Final = 10
_EVENTS: Final = 5


class NotSteady(SimError):
    """The services of the project do not become stable."""


class ProjectCluster(UpAndDown):
    """A context manager: up and stable inside, gone without a trace after."""

    name: ClassVar[str] = "project"

    def __init__(self, options: ProjectOptions, progress: Progress, directory: Path | None = None) -> None:
        """`directory` is the folder in which Terraform works, if not one that ends with the run."""
        self._options = options
        self._progress = progress
        self._directory = directory
        self._cleanup = Cleanup()
        self._containers = ClusterContainers(self._cleanup, progress)
        self._parts = ClusterProcesses()

    def up(self) -> None:
        """Applies the project, and returns when its services are stable.

        Raises SimError, CommandFailed, or NotSteady with what ECS says.
        """
        self._cleanup.begin()
        self._containers.begin()
        run = self._containers.run
        self._cleanup.owns("images", run)
        # Before anything starts, so that a bad Dockerfile or a bad root costs no time.
        _ = self.roots_of("").project
        images = {name: stand_in.made(name, image, run, self._progress) for name, image in self._options.images.items()}
        self._progress("building the images of the local cloud")
        cloud = cloud_by_id(build_cloud(image_settings(os.environ), self._progress))
        self.endpoint = self._containers.open(cloud, (), self._options.time_scale)
        self._containers.start(self._parts, images=images)
        self.apply()

    def down(self) -> None:
        """Ends it, and removes whatever it made."""
        try:
            self._parts.stop()
            self._containers.stop()
        finally:
            self._cleanup.close()

    def apply(self, variables: Mapping[str, str] | None = None) -> list[Done]:
        """Applies the roots, with some variables changed, and returns when all services are stable.

        Raises SimError or CommandFailed.
        """
        done = self.roots_of(self.endpoint, variables).apply()
        self.await_steady()
        return done

    def destroy(self) -> list[Done]:
        """Destroys what `apply` made. Raises SimError or CommandFailed."""
        return self.roots_of(self.endpoint).destroy()

    def await_steady(self, seconds: float = _STEADY_SECONDS) -> None:
        """Waits until every service has one deployment, which is completed, and as many tasks as it wants.

        A load balancer then finds them healthy, while the waiter `services-stable` only counts them. Raises NotSteady.
        """
        self._progress("waiting for the services to be stable")
        try:
            until(lambda: not self._unsteady(), "the services to be stable", seconds=seconds, seen=self._unsteady)
        except TimedOut as error:
            raise NotSteady(
                f"{error}\nAn image that cannot be pulled is named with `--image REPOSITORY=FOLDER|IMAGE`"
            ) from None

    def roots_of(self, endpoint: str, variables: Mapping[str, str] | None = None) -> ProjectRoots:
        """The project's roots for a local cloud, with some variables changed."""
        directory = self._directory or self._cleanup.directory / "terraform"
        settings = self._options.terraform.changed(variables or {})
        return ProjectRoots(directory, endpoint, settings, self._progress)

    @property
    def services(self) -> dict[str, EcsService]:
        """Its ECS services by name."""
        return services_of(self.endpoint, self.region)

    @property
    def edge(self) -> str:
        """The URL at which the edge is asked."""
        return self._parts.control

    @property
    def region(self) -> str:
        """The region that the project's instances are in; the local cloud's own if it has none."""
        return next((each.place.region for each in desired_state(self.endpoint).instances), REGION)

    @property
    def urls(self) -> dict[str, str]:
        """The URL on this machine of each listener of its load balancers, by `NAME:PORT` in this order.

        Raises TimedOut if one does not listen.
        """
        state = desired_state(self.endpoint)
        classic = [(of.name, each.port, of.dns_name, each.protocol) for of in state.balancers for each in of.listeners]
        albs = [(of.name, each.port, of.dns_name, each.protocol) for of in state.applications for each in of.listeners]
        return {
            f"{name}:{port}": f"{protocol.lower()}://{self._parts.await_listener(dns_name, port)}"
            for name, port, dns_name, protocol in sorted([*classic, *albs])
        }

    @property
    def url(self) -> str:
        """The URL of the first listener of its first load balancer; "" if it has none."""
        return next(iter(self.urls.values()), "")

    @property
    def acts(self) -> Acts:
        """What can be done to the cluster by hand."""
        return Acts(self.endpoint, self.tasks, self.services)

    @property
    def tasks(self) -> ContainerTasks:
        """Its tasks as containers of this machine."""
        return self._containers.tasks

    @property
    def options(self) -> ProjectOptions:
        """How it is set."""
        return self._options

    @property
    def versions(self) -> Path:
        """A folder of the run."""
        return self._cleanup.directory / "versions"

    @property
    def processes(self) -> list[Process]:
        """LocalStack, the gateway, the edge and the agent."""
        return [*self._containers.followed, *self._parts.processes]

    def keep(self) -> bool:
        """Starts an edge or an agent that has ended again; true if one had. To be called often, once all is up.

        Raises ProcessFailed if LocalStack or the gateway has ended: the state of the cluster was in it.
        """
        for process in self._containers.followed:
            process.check()
        return self._parts.start_again(time.monotonic())

    def logs(self) -> dict[str, str]:
        """What each part has logged so far."""
        return {each.name: each.log.read_text(errors="replace") for each in self.processes}

    def _unsteady(self) -> dict[str, Any]:
        seen = {name: (service.described(), service.deploys()) for name, service in self.services.items()}
        return {
            name: {
                "running": f"{described['runningCount']} of {described['desiredCount']}",
                "deployments": len(described["deployments"]),
                "completed": not deploys,
                "events": [event["message"] for event in described["events"][:_EVENTS]],
            }
            for name, (described, deploys) in seen.items()
            if deploys or not _is_stable(described)
        }


def _is_stable(service: Mapping[str, Any]) -> bool:
    """True if the waiter `services-stable` is content with it."""
    return (
        service["runningCount"] == service["desiredCount"]
        and not service["pendingCount"]
        and len(service["deployments"]) == 1
    )


def desired_state(endpoint: str) -> Desired:
    """What the control plane of a local cloud wants. Raises NoAnswer."""
    return desired.parsed(request("GET", endpoint + desired.path(None), seconds=_ASK_SECONDS).data)
