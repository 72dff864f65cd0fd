"""What agents and load balancers are to make real: the whole desired state, small enough to be handed over each time.

The control plane hands it out whenever it has changed. Whoever receives it compares it with what runs, and does the
rest: so a start, a restart and a missed change are the same case. What came of it goes back by AWS's own operations
(`RegisterContainerInstance`, `SubmitTaskStateChange`), and by routes of the control plane where AWS has none in public.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from sim.cluster.aws_clock import THIS_MACHINES, AwsClock
from sim.cluster.balancer.classic import Settings
from sim.cluster.balancer.desync import Mode
from sim.cluster.balancer.listener_rules import ListenerAction, ListenerRule
from sim.cluster.balancer.target_group import GroupSettings
from sim.cluster.tasks import DesiredStatus

ListenerProtocol = Literal["HTTP", "HTTPS", "TCP", "SSL"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a resource is: its account and its region."""

    account: str
    region: str


@dataclass(frozen=True, slots=True)
class DesiredInstance:
    """An EC2 instance that is running. Its agent finds the ECS cluster in the user data.

    `container_instance` is the ARN that it has after its agent registered it, "" before. A `lost` one is cut off: its
    agent and its tasks are silent. `group` is the Auto Scaling group that launched it, "" where none did.
    """

    id: str
    place: Place
    zone: str
    address: str
    instance_type: str
    image_id: str
    user_data: str
    container_instance: str = ""
    lost: bool = False
    group: str = ""


@dataclass(frozen=True, slots=True)
class DesiredTask:
    """A task on a container instance, until it is STOPPED.

    `definition` is a task definition as DescribeTaskDefinition returns it, `overrides` those of RunTask.
    `created_at` is in seconds since 1970.
    """

    arn: str
    place: Place
    cluster: str
    """The ARN of its cluster."""
    container_instance: str
    definition: Mapping[str, Any]
    overrides: Mapping[str, Any]
    group: str
    started_by: str
    created_at: float
    desired_status: DesiredStatus

    def role(self, name: Literal["taskRoleArn", "executionRoleArn"]) -> str:
        """The ARN of one of its roles, "" without one. RunTask's counts more than the definition's."""
        return str(self.overrides.get(name) or self.definition.get(name) or "")


@dataclass(frozen=True, slots=True)
class DesiredListener:
    """A listener of a Classic ELB. `certificate` is the ARN of a certificate, "" without TLS."""

    protocol: ListenerProtocol
    port: int
    instance_protocol: ListenerProtocol
    instance_port: int
    certificate: str = ""


@dataclass(frozen=True, slots=True)
class CheckTarget:
    """What a health check asks: a path over HTTP or HTTPS, or "" for a connection over TCP or SSL.

    Port 0 is the one that each target of a target group takes its requests at.
    """

    protocol: ListenerProtocol
    port: int
    path: str = ""


@dataclass(frozen=True, slots=True)
class AccessLog:
    """Where a Classic ELB writes its access log, and every how many minutes: 5 or 60."""

    bucket: str
    prefix: str
    minutes: int


@dataclass(frozen=True, slots=True)
class DesiredTarget:
    """What is registered: an EC2 instance with a Classic ELB, a port of it with a target group.

    A target group may have one instance several times, with a port each.
    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-register-targets.html

    `registration` is another number each time that it is registered. So a target that left and came back between two
    looks at the state is a new one, with a health of its own. `in_service` is what was last reported of this
    registration. A balancer that is started again begins with it, since AWS's do not forget.
    """

    instance: str
    registration: int
    in_service: bool = False
    port: int = 0
    """0 for a Classic ELB, whose listeners have the ports."""

    @property
    def id(self) -> str:
        """As in RegisteredTarget."""
        return f"{self.instance}:{self.port}" if self.port else self.instance


@dataclass(frozen=True, slots=True)
class DesiredBalancer:
    """A Classic ELB."""

    name: str
    place: Place
    dns_name: str
    settings: Settings
    check: CheckTarget
    listeners: tuple[DesiredListener, ...]
    targets: tuple[DesiredTarget, ...]
    access_log: AccessLog | None = None


@dataclass(frozen=True, slots=True)
class DesiredTargetGroup:
    """A target group that a listener of an ALB uses. `protocol` is that of the requests to its targets."""

    arn: str
    settings: GroupSettings
    protocol: Literal["HTTP", "HTTPS"]
    check: CheckTarget
    targets: tuple[DesiredTarget, ...]


@dataclass(frozen=True, slots=True)
class DesiredApplicationListener:
    """A listener of an ALB. `certificate` is the ARN of its default certificate, "" without TLS."""

    protocol: Literal["HTTP", "HTTPS"]
    port: int
    rules: tuple[ListenerRule, ...]
    default: ListenerAction
    certificate: str = ""


@dataclass(frozen=True, slots=True)
class DesiredApplicationBalancer:
    """An ALB, with the target groups that its listeners use. `idle_timeout` is in seconds."""

    name: str
    arn: str
    place: Place
    dns_name: str
    zones: tuple[str, ...]
    listeners: tuple[DesiredApplicationListener, ...]
    groups: tuple[DesiredTargetGroup, ...]
    idle_timeout: float = 60.0
    desync: Mode = "defensive"


@dataclass(frozen=True, slots=True)
class HostPort:
    """Where a host port of an EC2 instance really is, as the instance's agent reported it."""

    instance: str
    protocol: Literal["tcp", "udp"]
    port: int
    address: str
    """HOST:PORT."""


@dataclass(frozen=True, slots=True)
class Desired:
    """The whole desired state. `revision` grows with every change."""

    revision: int
    instances: tuple[DesiredInstance, ...] = ()
    tasks: tuple[DesiredTask, ...] = ()
    balancers: tuple[DesiredBalancer, ...] = ()
    host_ports: tuple[HostPort, ...] = ()
    clock: AwsClock = THIS_MACHINES
    applications: tuple[DesiredApplicationBalancer, ...] = ()
    """The ALBs."""


def to_json(desired: Desired) -> str:
    """The state as JSON, member by member."""
    return json.dumps(asdict(desired))
