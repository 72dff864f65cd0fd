"""The picture of a stack at one moment, as the page shows it. Pure values.

Everything that there can be many of is a mapping by name, so that two pictures can be compared member by member.
Only a whole part of it can be None, and is not in the
document then, since null in a patch means that it is gone. Times are Unix seconds of this machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any


class Health(StrEnum):
    """How a task, an instance or a part is."""

    GOOD = "good"
    STARTING = "starting"
    BAD = "bad"
    STOPPING = "stopping"
    ENDED = "ended"


class Kind(StrEnum):
    """What a moment of the time line is about."""

    DEPLOYMENT = "deployment"
    EVENT = "event"
    FAULT = "fault"
    ALARM = "alarm"
    ACT = "act"


@dataclass(frozen=True, slots=True)
class Entry:
    """Where requests come in: a load balancer, or the API itself where there is none.

    `urls` are where it can be asked, by the listener's port. `rates` are requests a second by the class of their
    status, such as `2xx`; `none` had no answer. `in_service` and `registered` count targets.
    """

    name: str
    kind: str
    urls: Mapping[str, str]
    rates: Mapping[str, float]
    in_service: int
    registered: int
    own: tuple[str, ...] = ()
    """What an ALB answers by itself, by a redirect or a fixed response."""


@dataclass(frozen=True, slots=True)
class GroupNow:
    """A target group of ALBs. `rates` are as of an Entry."""

    led_to: tuple[str, ...]
    """What leads to it: load balancer, port, and the conditions of the rule."""
    rates: Mapping[str, float]
    healthy: int
    registered: int
    """Without those that drain."""
    states: Mapping[str, int]
    """How many targets are in each state, in AWS's words."""


@dataclass(frozen=True, slots=True)
class ServiceNow:
    """A service. `versions` has how many tasks are of each version, `rollout` what a deployment does."""

    desired: int
    running: int
    pending: int
    healthy: int
    version: str
    versions: Mapping[str, int]
    rollout: str
    calls: Mapping[str, float]
    """Calls of AWS a second, by operation."""
    failing: float
    """How many of them a second fail."""
    behind: tuple[str, ...] = ()
    """The Classic ELBs and target groups that it is registered with."""


@dataclass(frozen=True, slots=True)
class Registration:
    """How a load balancer sees a target, in its API's words: `InService`, `unhealthy`, and why it is not in service."""

    state: str
    reason: str


@dataclass(frozen=True, slots=True)
class InstanceNow:
    """A container instance. `state` is a word or two, `balancers` are the Classic ELBs that it is registered with."""

    zone: str
    health: Health
    state: str
    balancers: Mapping[str, Registration]
    type: str
    lost: bool
    draining: bool


@dataclass(frozen=True, slots=True)
class TaskNow:
    """A task. `state` is a word or two about it."""

    service: str
    instance: str
    version: str
    health: Health
    state: str
    containers: Mapping[str, str] = field(default_factory=dict)
    """The status of each, by name; empty where a task is one container alone."""
    targets: Mapping[str, Registration] = field(default_factory=dict)
    """How target groups see it, by `NAME:PORT`, the port of its instance."""


@dataclass(frozen=True, slots=True)
class QueueNow:
    """A queue. It has not been empty since `busy_since`; 0 if it is empty."""

    name: str
    visible: int
    in_flight: int
    busy_since: float


@dataclass(frozen=True, slots=True)
class BucketNow:
    """The bucket, and how many e-mails a second are stored. `as_of` is when they were counted; 0 if that is now."""

    name: str
    objects: int
    rate: float
    as_of: float = 0.0


@dataclass(frozen=True, slots=True)
class AlarmNow:
    """An alarm: OK, ALARM or INSUFFICIENT_DATA. One that `scales` a service is no trouble, whatever its state."""

    state: str
    reason: str
    scales: bool


@dataclass(frozen=True, slots=True)
class FaultNow:
    """A fault that acts now. `end` are the fields of the act that ends it."""

    title: str
    detail: str
    end: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened."""

    at: float
    kind: Kind
    text: str
    bad: bool = False


@dataclass(frozen=True, slots=True)
class PartNow:
    """A process or container of the stack itself."""

    health: Health
    detail: str


@dataclass(frozen=True, slots=True)
class Picture:
    """The whole. `trouble` says what could not be seen, `ended` why there is no stack any more."""

    target: str
    cluster: str
    """The name of the ECS cluster, "" without one."""
    acts: tuple[str, ...]
    """What can be done to it, by the names in `sim.watch.wanted`."""
    entries: Mapping[str, Entry]
    """By the name of the load balancer; of an ALB by `app/NAME`, since a Classic ELB may have the same name."""
    groups: Mapping[str, GroupNow] = field(default_factory=dict)
    queue: QueueNow | None = None
    """It, the dead letters and the bucket are None for a project that is not the pipeline."""
    dead_letters: QueueNow | None = None
    bucket: BucketNow | None = None
    services: Mapping[str, ServiceNow] = field(default_factory=dict)
    instances: Mapping[str, InstanceNow] = field(default_factory=dict)
    tasks: Mapping[str, TaskNow] = field(default_factory=dict)
    versions: Mapping[str, int] = field(default_factory=dict)
    """Every version that was seen, with a number that stays the same: its colour and shape."""
    alarms: Mapping[str, AlarmNow] = field(default_factory=dict)
    faults: Mapping[str, FaultNow] = field(default_factory=dict)
    moments: Mapping[str, Moment] = field(default_factory=dict)
    parts: Mapping[str, PartNow] = field(default_factory=dict)
    trouble: str = ""
    ended: str = ""

    def document(self) -> dict[str, Any]:
        """As a JSON object."""
        return {name: value for name, value in asdict(self).items() if value is not None}
