"""What happens when a target starts here, be it of processes or of containers.

LocalStack and the gateway in front of it; then queue, bucket and token, which the kit makes or production's Terraform;
then the services, set by what was made.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from release.roots import NEEDS
from sim.cloud.resources import DataPlane, Provisioned, local_resources
from sim.faults.plan import AwsService
from sim.host.cleanup import Cleanup
from sim.targets.settings import access, provisioned_by_kit, terraform_variables
from sim.targets.target import CALLS, SERVICES, Progress, Provision, Service, Target, Tuning, port
from sim.terraform.applied import applied
from sim.terraform.local_roots import LocalRoots

if TYPE_CHECKING:
    from sim.host.container import Container


class LocalTarget(Target):
    """A target that is started here; where its parts run is for the ones below to say."""

    def __init__(self, tuning: Tuning, progress: Progress, provision: Provision, roots: Path | None = None) -> None:
        """`roots` is the folder in which Terraform works, if not one that ends with the run."""
        self._tuning = tuning
        self._progress = progress
        self._provision = provision
        self._roots = roots
        self._cleanup = Cleanup()

    def up(self) -> None:
        self._cleanup.begin()
        self._start()

    def down(self) -> None:
        try:
            self._stop()
        finally:
            self._cleanup.close()

    def _stop(self) -> None:
        """Ends what has to end in an order. The cleanup ends everything else."""

    def _start(self) -> None:
        endpoint = self._open_cloud()
        self._data_plane = DataPlane(endpoint, local_resources(endpoint))
        if self._provision is Provision.TERRAFORM:
            self._await_cloud()
            provisioned = self._apply()
            self._launch("api", provisioned)
        else:
            provisioned = provisioned_by_kit(self._data_plane.resources, self._tuning)
            # The API asks nothing of AWS before it is asked itself, so it can load while LocalStack does.
            self._launch("api", provisioned)
            self._await_cloud()
            self._data_plane.create(
                visibility_timeout=self._tuning.visibility_timeout, max_receive_count=self._tuning.max_receive_count
            )
        self._launch("worker", provisioned)
        for service in SERVICES:
            self._await_ready(service)

    def _apply(self) -> Provisioned:
        self.local_roots.apply(tuple(NEEDS), after=self.after)
        made = applied(self.local_roots, self._data_plane.endpoint)
        self._data_plane = DataPlane(self._data_plane.endpoint, made.resources)
        return made

    def _launch(self, service: Service, provisioned: Provisioned) -> None:
        reached = access(service, lambda aws: self._endpoint(service, aws))
        self._launch_service(service, {**provisioned.settings[service], **reached})

    @abstractmethod
    def _open_cloud(self) -> str:
        """Begins the start of LocalStack and of the gateway in front of it; LocalStack's URL."""

    @abstractmethod
    def _await_cloud(self) -> None:
        """Waits until LocalStack and the gateway are ready. Raises SimError."""

    @abstractmethod
    def _endpoint(self, service: Service, aws: AwsService) -> str:
        """The URL at which a service reaches an AWS service: one of the gateway's ports."""

    @abstractmethod
    def _launch_service(self, service: Service, settings: dict[str, str]) -> None:
        """Begins the first start of a service."""

    @abstractmethod
    def _await_ready(self, service: Service) -> None:
        """Waits until a service is ready. Raises SimError."""

    @property
    def endpoint(self) -> str:
        """LocalStack's URL."""
        return self._data_plane.endpoint

    @property
    def data_plane(self) -> DataPlane:
        return self._data_plane

    @property
    def containers(self) -> Mapping[str, Container]:
        """The parts that are containers and no tasks of a cluster, by name."""
        return {}

    def keep(self) -> bool:
        """Keeps up what can be; true if something was started again. To be called often, once all is up.

        Raises SimError if the target cannot go on.
        """
        return False

    @property
    def versions(self) -> Path:
        """A folder for copies of the checkout, which are versions where there is no Docker."""
        return self._cleanup.directory / "versions"

    @cached_property
    def local_roots(self) -> LocalRoots:
        """The roots of Terraform, which create the resources if Terraform provisions the target."""
        directory = self._roots or self._cleanup.directory / "terraform"
        return LocalRoots(directory, self._data_plane.endpoint, self.variables, self._progress)

    @property
    def after(self) -> Mapping[str, Callable[[], None]]:
        """What follows the apply of a root, by the root's name, before the roots that need it are applied."""
        return {}

    @property
    def variables(self) -> dict[str, str]:
        """The variables of Terraform's roots."""
        return terraform_variables(self._tuning)

    def token(self) -> str:
        return self._data_plane.token()

    def cut(self, service: Service, aws: AwsService) -> None:
        self.gateway_control.cut(port(service, aws))

    def mend(self, service: Service, aws: AwsService) -> None:
        self.gateway_control.mend(port(service, aws))

    def restore(self) -> None:
        self.gateway_control.clear_faults()
        for service in SERVICES:
            for aws in CALLS[service]:
                self.mend(service, aws)
            self.resume(service)
            if not self.runs(service):
                self.start(service)
