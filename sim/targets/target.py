"""What a target is."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Literal

from release.deploy import Verdict
from sim.client.api import Client
from sim.cloud.gateway.control_client import GatewayControl
from sim.cloud.gateway.trail import TrailEntry, read
from sim.cloud.resources import DataPlane
from sim.errors import SimError
from sim.faults.plan import AwsService
from sim.host.waiting import until
from sim.targets.cluster_acts import Acts
from sim.targets.up_and_down import UpAndDown

Service = Literal["api", "worker"]
SERVICES: tuple[Service, ...] = ("api", "worker")
CALLS: Mapping[Service, tuple[AwsService, ...]] = {"api": ("sqs", "ssm"), "worker": ("sqs", "s3")}
"""Which AWS services each service calls."""
Progress = Callable[[str], None]
"""Called with a few words on what is being waited for."""


def port(service: Service, aws: AwsService) -> str:
    """The name of the gateway's port through which a service calls an AWS service."""
    return f"{service}-{aws}"


PORTS = tuple(port(service, aws) for service, calls in CALLS.items() for aws in calls)
"""The names of the gateway's ports: one for each service and AWS service that it calls."""
GATEWAY = "gateway"
"""The gateway's name among the parts of a target; its log is the trail."""
_LOOKS_AT_EMPTY = 5
"""They take a fifth of a second or more, which is longer than a message is in no count."""


class Provision(StrEnum):
    """Who makes queue, bucket and token of a local target: the kit in a second, or production's Terraform in minutes.

    What Terraform makes has task definitions, too, and they set the services.
    """

    KIT = "kit"
    TERRAFORM = "terraform"


class TaskRuntime(StrEnum):
    """What the tasks of a cluster are: containers of the Docker engine, or processes of this machine."""

    DOCKER = "docker"
    PROCESS = "process"


class Capability(StrEnum):
    """What a test may ask of a target beyond publishing."""

    OBJECTS = "read the stored objects"
    QUEUE = "send to the queue past the API, and read its depth"
    DEAD_LETTERS = "read the dead-letter queue"
    ROTATE_TOKEN = "rotate the token"  # noqa: S105 - what can be done, not a token
    STOP_SERVICE = "terminate, kill and start a service"
    PAUSE_SERVICE = "pause a service"
    CUT_AWS = "cut a service off from an AWS service"
    INJECT_FAULTS = "make calls of AWS fail"
    LIMIT_MEMORY = "limit the memory of a service"
    DEPLOY = "deploy a version, and lose or drain an instance"
    LOAD = "take hundreds of e-mails, or megabytes, for a test"


class NotApplicable(SimError):
    """The target cannot do what was asked of it."""


@dataclass(frozen=True)
class Tuning:
    """How a local stack is set, times in seconds. The defaults are production's."""

    visibility_timeout: int = 60
    max_receive_count: int = 5
    receive_wait: int = 20
    service_environment: Mapping[str, str] | None = None
    """Further settings for both services."""
    time_scale: float = 1.0
    """How many times as fast AWS's clock runs: a cluster's control plane then waits shorter by this factor."""


FAST = Tuning(
    visibility_timeout=3, max_receive_count=3, receive_wait=5, service_environment={"TOKEN_CACHE_SECONDS": "2"}
)
"""For tests: what production waits a minute for comes in seconds."""


class Target(UpAndDown):
    """One pipeline. A context manager: up and ready inside, gone without a trace after."""

    name: ClassVar[str]
    capabilities: ClassVar[frozenset[Capability]]
    sender = "John Doe <john@example.com>"
    """From whom the tests' e-mails are."""

    @property
    @abstractmethod
    def url(self) -> str:
        """Of the API, without a path."""

    @property
    @abstractmethod
    def data_plane(self) -> DataPlane:
        """What is behind the API."""

    @abstractmethod
    def token(self) -> str:
        """The token that the API wants."""

    def client(self) -> Client:
        """A client with the present token."""
        return Client(self.url, self.token())

    @abstractmethod
    def logs(self) -> Mapping[str, str]:
        """What each part has logged so far."""

    @abstractmethod
    def restore(self) -> None:
        """Undoes what a test may have left: everything up, running, connected."""

    @abstractmethod
    def runs(self, service: Service) -> bool:
        """True if the service has not ended."""

    def start(self, service: Service) -> None:
        """Starts a service that was terminated or killed; returns when it is ready."""
        raise self._not_applicable(Capability.STOP_SERVICE, service)

    def terminate(self, service: Service) -> int:
        """Sends SIGTERM. Returns the exit code. Raises SimError if the service does not end within its stop timeout."""
        raise self._not_applicable(Capability.STOP_SERVICE, service)

    def kill(self, service: Service) -> None:
        """Sends SIGKILL, so that the service cannot finish anything."""
        raise self._not_applicable(Capability.STOP_SERVICE, service)

    def pause(self, service: Service) -> None:
        """Pauses a service in the middle of its work, with its connections open."""
        raise self._not_applicable(Capability.PAUSE_SERVICE, service)

    def resume(self, service: Service) -> None:
        """Lets a paused service go on."""
        raise self._not_applicable(Capability.PAUSE_SERVICE, service)

    def cut(self, service: Service, aws: AwsService) -> None:
        """Partitions a service from an AWS service: none of its calls arrives."""
        raise self._not_applicable(Capability.CUT_AWS, f"{service} from {aws}")

    def mend(self, service: Service, aws: AwsService) -> None:
        """Ends a partition that `cut` began."""
        raise self._not_applicable(Capability.CUT_AWS, f"{service} from {aws}")

    def limit_memory(self, service: Service, mebibytes: int) -> None:
        """Lets a service have so much more memory than it has now, until it is started anew; the kernel ends it by
        SIGKILL when it wants more."""
        raise self._not_applicable(Capability.LIMIT_MEMORY, f"{service} to {mebibytes} MiB")

    def deploy(self, service: Service, version: str | None = None) -> Verdict:
        """Deploys a version that was registered, or a new one made of the checkout, as `release deploy` does."""
        raise self._not_applicable(Capability.DEPLOY, f"{service} {version or ''}")

    @property
    def acts(self) -> Acts:
        """What can be done to the cluster by hand."""
        raise self._not_applicable(Capability.DEPLOY, "there is no cluster")

    @property
    def gateway_control(self) -> GatewayControl:
        """The gateway that all AWS calls of the services pass."""
        raise self._not_applicable(Capability.INJECT_FAULTS, "there is no gateway")

    def trail(self) -> list[TrailEntry]:
        """All AWS calls of the services that ended."""
        return list(read(self.logs()[GATEWAY].splitlines()))

    def drain(self, seconds: float) -> None:
        """Returns when the queue is empty: everything accepted is stored or dead. Raises TimedOut.

        LocalStack counts a message nowhere while a ReceiveMessage takes it from those that are visible to those in
        flight. So the queue has to be empty at several looks in a row.
        """
        in_a_row = 0

        def drained() -> bool:
            nonlocal in_a_row
            in_a_row = in_a_row + 1 if self.data_plane.depth().empty else 0
            return in_a_row == _LOOKS_AT_EMPTY

        until(drained, "an empty queue", seconds=seconds, seen=self.data_plane.depth)

    def _not_applicable(self, capability: Capability, what: str) -> NotApplicable:
        return NotApplicable(f"the target {self.name!r} cannot {capability} ({what}); choose another with --target")
