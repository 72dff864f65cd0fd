"""What an Auto Scaling group is: its settings, its instances, and the launches that EC2 has not answered yet.

https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_AutoScalingGroup.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import inf
from typing import Final, Literal

from sim.cluster.autoscaling.lifecycle_hooks import Hook, LifecycleAction
from sim.cluster.autoscaling.scaling_activities import Activity
from sim.cluster.citations import ASG_GUIDE, LeftOut, cites

LifecycleState = Literal[
    "Pending",
    "Pending:Wait",
    "Pending:Proceed",
    "InService",
    "Terminating",
    "Terminating:Wait",
    "Terminating:Proceed",
]
HealthCheckType = Literal["EC2", "ELB"]
Process = Literal[
    "Launch", "Terminate", "HealthCheck", "ReplaceUnhealthy", "AZRebalance", "AlarmNotification", "ScheduledActions"
]
Purpose = Literal["capacity", "replacement", "balance", "refresh"]
"""What an instance was launched for: to meet the desired capacity, in place of an unhealthy one, to balance the zones,
or for an instance refresh."""

LEFT_OUT: Final = (
    LeftOut(
        "Standby, and detaching and attaching instances.",
        ASG_GUIDE + "as-enter-exit-standby.html",
        "they are for a person who repairs an instance by hand",
    ),
    LeftOut(
        "Warm pools, mixed instances, Spot instances, capacity rebalancing and a maximum instance lifetime.",
        ASG_GUIDE + "auto-scaling-groups.html",
        "every instance is made of one launch template, On-Demand",
    ),
    LeftOut(
        "An instance maintenance policy.",
        ASG_GUIDE + "ec2-auto-scaling-instance-maintenance-policy.html",
        "without one AWS ends an unhealthy instance while it launches another, which is what the core does",
    ),
    LeftOut(
        "The termination policies AllocationStrategy, OldestLaunchConfiguration and those of a Lambda function.",
        ASG_GUIDE + "ec2-auto-scaling-termination-policies.html",
        "they are refused by name",
    ),
)


@dataclass(frozen=True, slots=True)
class LaunchTemplate:
    """One version of a launch template."""

    id: str
    version: int


@dataclass(frozen=True, slots=True)
class GroupSettings:
    """What its user set; times in seconds. `zones` are those of its subnets."""

    name: str
    min_size: int
    max_size: int
    zones: tuple[str, ...]
    template: LaunchTemplate
    health_check_types: frozenset[HealthCheckType] = frozenset({"EC2"})
    grace_seconds: float = 0.0
    warmup_seconds: float | None = None
    """The default instance warm-up, None where there is none."""
    protect_new: bool = False
    termination_policies: tuple[str, ...] = ("Default",)
    hooks: tuple[Hook, ...] = ()
    suspended: frozenset[Process] = frozenset()
    cooldown_seconds: float = 300.0
    """The default cool-down."""


@dataclass(frozen=True, slots=True)
class GroupInstance:
    """An EC2 instance of the group; times are seconds of the caller's clock.

    `beyond` says that it may be there in addition to the desired capacity: until another one ends for it.
    """

    id: str
    zone: str
    template: LaunchTemplate
    launched_at: float
    activity: str
    purpose: Purpose = "capacity"
    state: LifecycleState = "Pending"
    unhealthy: str = ""
    """The check that failed, as a cause names it; "" while it is healthy."""
    protected: bool = False
    beyond: bool = False
    in_service_at: float | None = None
    actions: tuple[LifecycleAction, ...] = ()

    @property
    def leaving(self) -> bool:
        """True if it is Terminating, in whichever of the three states."""
        return self.state.startswith("Terminating")

    @property
    def arriving(self) -> bool:
        """True if it is Pending, in whichever of the three states."""
        return self.state.startswith("Pending")

    @property
    def in_service(self) -> bool:
        """True if it is InService."""
        return self.state == "InService"


@dataclass(frozen=True, slots=True)
class Launch:
    """An instance that EC2 was asked for. Its id is that of its activity; EC2 has not named the instance yet."""

    id: str
    zone: str
    template: LaunchTemplate
    purpose: Purpose
    beyond: bool
    protected: bool


@dataclass(frozen=True, slots=True)
class Pace:
    """What the last scaling policy has the next one wait for; times in seconds.

    Instances that were launched from `grew_at` on warm up for `warmup_seconds`. The cool-down is None where it is the
    group's default.
    """

    grew_at: float = inf
    warmup_seconds: float = 0.0
    cooldown_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """An Auto Scaling group. `causes` are sentences about the desired capacity that the next activities begin with."""

    settings: GroupSettings
    desired: int
    instances: Mapping[str, GroupInstance] = field(default_factory=dict)
    launches: Mapping[str, Launch] = field(default_factory=dict)
    activities: tuple[Activity, ...] = ()
    causes: tuple[str, ...] = ()
    deleting: bool = False
    blocked: bool = False
    """Whether scale-in finds protected instances alone."""
    failures: int = 0
    """How many launches failed, one after the other."""
    retry_at: float = 0.0
    refreshing: LaunchTemplate | None = None
    """The template of an instance refresh that goes on, where it is not the group's own."""
    pace: Pace = Pace()

    @property
    def template(self) -> LaunchTemplate:
        """What the next instance is made of."""
        return self.refreshing or self.settings.template

    @property
    def capacity(self) -> int:
        """How many instances there are or will be, without those that are leaving and those beyond the desired ones."""
        here = sum(not each.leaving and not each.beyond for each in self.instances.values())
        return here + sum(not each.beyond for each in self.launches.values())

    def with_instance(self, instance: GroupInstance) -> Group:
        """The group with another state of an instance, or a new one."""
        return replace(self, instances={**self.instances, instance.id: instance})


@cites(ASG_GUIDE + "ec2-auto-scaling-default-instance-warmup.html")
def warming(instance: GroupInstance, warmup_seconds: float, now: float) -> bool:
    """An instance warms up from when it is InService; until the warm-up is over it does not count as capacity."""
    return instance.in_service_at is None or now - instance.in_service_at < warmup_seconds
