"""What was observed of a stack at one moment: what AWS answers, and counts that only grow. Values.

`described` values have the shape that boto3 returns them in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sim.cluster.aws_clock import THIS_MACHINES, AwsClock
from sim.faults.plan import FaultPlan
from sim.watch.picture import Moment

Described = Mapping[str, Any]
API = "API"
"""Stands for a load balancer where there is none."""


@dataclass(frozen=True)
class SeenPart:
    """A process or container of the stack. It runs, and its own check is good."""

    runs: bool
    good: bool
    detail: str


@dataclass(frozen=True)
class PartTask:
    """What a part of the stack is a task of, where there is no cluster."""

    service: str
    version: str


@dataclass(frozen=True)
class SeenApplication:
    """An ALB as DescribeLoadBalancers has it, and the rules of its listeners by port, as DescribeRules has them."""

    described: Described
    rules: Mapping[int, Sequence[Described]]


@dataclass(frozen=True)
class SeenGroup:
    """A target group as DescribeTargetGroups has it, and its targets, as DescribeTargetHealth has them."""

    described: Described
    targets: Sequence[Described]


@dataclass(frozen=True)
class SeenCluster:
    """What ECS, Elastic Load Balancing and CloudWatch say."""

    services: Mapping[str, Described]
    """By the name that the kit has for each, such as `api`."""
    tasks: Sequence[Described]
    """Of all services: those that run, and those that stopped lately."""
    definitions: Mapping[str, Described]
    """By ARN."""
    instances: Sequence[Described]
    """Container instances."""
    health: Mapping[str, Sequence[Described]]
    """The states of the instances of each Classic ELB, by its name."""
    alarms: Sequence[Described]
    applications: Sequence[SeenApplication] = ()
    groups: Sequence[SeenGroup] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    """The tags of images in ECR by digest, of those that definitions name by it."""
    clock: AwsClock = THIS_MACHINES


@dataclass(frozen=True)
class SeenPipeline:
    """Where the e-mails are. The queues are attributes as GetQueueAttributes returns them."""

    queue: Mapping[str, str]
    dead_letters: Mapping[str, str]
    bucket: str
    objects: int
    counted: float
    """When there were so many objects, in Unix seconds."""


@dataclass(frozen=True)
class Observation:
    """Everything at `at`, in Unix seconds. The counts begin anywhere and grow; one that shrinks has begun again."""

    at: float
    target: str
    acts: tuple[str, ...]
    """What can be done to the stack, by the names in `sim.watch.wanted`."""
    answered: Mapping[str, Mapping[str, int]]
    """Requests by status: of each Classic ELB by its name, of each ALB and target group by its ARN, and of `API` where
    there is no load balancer."""
    parts: Mapping[str, SeenPart]
    urls: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Where each of these can be asked from this machine, by the listener's port."""
    calls: Mapping[tuple[str, str, str], int] = field(default_factory=dict)
    """AWS calls of the services by caller, operation and outcome."""
    plan: FaultPlan = field(default_factory=FaultPlan)
    cut: Sequence[str] = ()
    """The names of the gateway's ports that are closed, such as `worker-s3`."""
    pipeline: SeenPipeline | None = None
    """None for another project."""
    cluster: SeenCluster | None = None
    tasks: Mapping[str, PartTask] = field(default_factory=dict)
    """The parts that are tasks of a service, by name, where there is no cluster to say it."""
    noted: Sequence[Moment] = ()
    """What was done by the page lately."""
    trouble: str = ""
    """What does not answer."""
    ended: str = ""
    """Why there is no stack any more."""
