"""Faults by name, and plans of them, which have a form in JSON.

The names are those of AWS Fault Injection Service and of Toxiproxy, where these have one:
https://docs.aws.amazon.com/fis/latest/userguide/fis-actions-reference.html, https://github.com/Shopify/toxiproxy#toxics.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from sim.errors import SimError

AwsService = Literal["s3", "sqs", "ssm"]

_STRICT = ConfigDict(extra="forbid")


class BadPlan(SimError):
    """A plan cannot be read, or asks for what cannot be. Says where, and why."""


class Fault(StrEnum):
    """What can go wrong."""

    THROTTLE = "throttle"
    """AWS refuses a call because there are too many. FIS: inject-api-throttle-error."""
    INTERNAL_ERROR = "internal-error"
    """AWS answers 500, and nothing was done. FIS: inject-api-internal-error."""
    UNAVAILABLE = "unavailable"
    """AWS answers 503, and nothing was done. FIS: inject-api-unavailable-error."""
    LATENCY = "latency"
    """A call takes `seconds` longer. Toxiproxy: latency."""
    BANDWIDTH = "bandwidth"
    """What a call sends and gets passes at `rate` kilobytes a second. Toxiproxy: bandwidth."""
    RESET_PEER = "reset-peer"
    """The connection is reset before the call was done. Toxiproxy: reset_peer."""
    ANSWER_LOST = "answer-lost"
    """The call is done, and the connection is reset in place of its answer."""
    PARTIAL_BATCH_FAILURE = "partial-batch-failure"
    """Entries of an SQS batch fail, within an answer that says 200."""
    DUPLICATE_DELIVERY = "duplicate-delivery"
    """SQS delivers a message again, though it is in flight or deleted."""
    DELAYED_DELIVERY = "delayed-delivery"
    """SQS shows a message `seconds` after it was sent."""
    REORDERING = "reordering"
    """SQS delivers in another order than was sent."""
    EMPTY_RECEIVE = "empty-receive"
    """A receive finds nothing, though there is something."""
    CLOCK_SKEW = "clock-skew"
    """The clock of an instance of `caller` jumps by `seconds`, which may be negative."""
    STOP_TASK = "stop-task"
    """A task of `caller` gets SIGTERM, and another takes its place. FIS: aws:ecs:stop-task."""
    KILL_TASK = "kill-task"
    """A task of `caller` gets SIGKILL, and another takes its place."""
    KILL_INSTANCE = "kill-instance"
    """A container instance ends with all tasks on it. FIS: aws:ec2:terminate-instances."""
    DRAIN_INSTANCE = "drain-instance"
    """A container instance takes no more tasks, and those on it move. FIS: aws:ecs:drain-container-instances."""
    LOSE_ZONE = "lose-zone"
    """A zone has no power for `seconds`. FIS: the scenario AZ Availability: Power Interruption."""
    DEPLOY = "deploy"
    """A version of `caller` rolls out."""
    SCALE = "scale"
    """The desired count of `caller` becomes `count`."""
    PARTITION = "partition"
    """`caller` cannot reach `service` for `seconds`. FIS: aws:network:disrupt-connectivity."""


SCHEDULED = frozenset(
    {
        Fault.CLOCK_SKEW,
        Fault.STOP_TASK,
        Fault.KILL_TASK,
        Fault.KILL_INSTANCE,
        Fault.DRAIN_INSTANCE,
        Fault.LOSE_ZONE,
        Fault.DEPLOY,
        Fault.SCALE,
        Fault.PARTITION,
    }
)
"""Those that come at a moment; all others hit calls."""
TIMED = frozenset({Fault.LATENCY, Fault.DELAYED_DELIVERY, Fault.CLOCK_SKEW, Fault.LOSE_ZONE, Fault.PARTITION})
"""Those that need `seconds`."""


@dataclass(frozen=True, config=_STRICT)
class Rule:
    """A fault, and what it can hit; what is left out is any.

    A fault of calls hits each call in its time with its probability. A scheduled one comes at `since` and, with
    `every`, again after each so many seconds, each time with its probability.
    """

    fault: Fault
    caller: str | None = None
    """`api` or `worker`."""
    service: AwsService | None = None
    operation: str | None = None
    """As AWS names it: `SendMessageBatch`."""
    probability: Annotated[float, Field(ge=0, le=1)] = 1.0
    since: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    """In seconds from the start of the plan."""
    until: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    every: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    seconds: Annotated[float, Field(allow_inf_nan=False)] | None = None
    rate: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    """In kilobytes a second."""
    count: Annotated[int, Field(ge=0)] | None = None
    """How many tasks."""

    @property
    def scheduled(self) -> bool:
        return self.fault in SCHEDULED

    def active(self, at: float) -> bool:
        """Whether `at` is in its time."""
        return self.since <= at and (self.until is None or at < self.until)

    def concerns(self, caller: str, service: str, operation: str) -> bool:
        """Whether it can hit such calls."""
        return self.caller in {None, caller} and self.service in {None, service} and self.operation in {None, operation}


@dataclass(frozen=True, config=_STRICT)
class FaultPlan:
    """Rules, the seed that decides when they hit, and when all faults stop, in seconds from the start."""

    rules: tuple[Rule, ...] = ()
    seed: int = 0
    seconds: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None

    @property
    def faults(self) -> frozenset[Fault]:
        """The faults of its rules."""
        return frozenset(rule.fault for rule in self.rules)

    def seeded(self, seed: int) -> Self:
        """The same with another seed."""
        return replace(self, seed=seed)

    def only(self, able: Collection[Fault], where: str) -> Self:
        """Returns self. Raises BadPlan if the plan has a fault that `where` cannot inject."""
        unable = sorted(self.faults - set(able))
        if unable:
            raise BadPlan(f"{where} cannot do {', '.join(unable)}; it can do: {', '.join(sorted(able))}")
        return self


_plan: TypeAdapter[FaultPlan] = TypeAdapter(FaultPlan)


def parse(text: str | bytes) -> FaultPlan:
    """The plan in a JSON object. Raises BadPlan."""
    try:
        plan = _plan.validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "the whole"
        raise BadPlan(f"not a plan of faults: {where}: {first['msg']}; docs/faults.md says what a plan has") from None
    for number, rule in enumerate(plan.rules):
        if wrong := _wrong(rule):
            raise BadPlan(f"not a plan of faults: rules.{number}: {rule.fault} {wrong}")
    return plan


def load(path: Path) -> FaultPlan:
    """The plan in a file. Raises BadPlan."""
    try:
        return parse(path.read_bytes())
    except OSError as error:
        raise BadPlan(f"{path}: {error.strerror}") from None
    except BadPlan as error:
        raise BadPlan(f"{path}: {error}") from None


def dump(plan: FaultPlan) -> str:
    """The plan as a JSON object, without what is left out."""
    return _plan.dump_json(plan, exclude_defaults=True, indent=2).decode()


def _wrong(rule: Rule) -> str:
    """What a rule lacks, or has without use; empty if nothing."""
    needs = {"seconds": rule.fault in TIMED, "rate": rule.fault is Fault.BANDWIDTH, "count": rule.fault is Fault.SCALE}
    for name, needed in needs.items():
        if (getattr(rule, name) is not None) != needed:
            return f"needs {name}" if needed else f"takes no {name}"
    if rule.seconds is not None and rule.seconds < 0 and rule.fault is not Fault.CLOCK_SKEW:
        return "cannot last less than 0 seconds"
    if rule.every is not None and not rule.scheduled:
        return "hits calls, and takes no every"
    if rule.scheduled and rule.operation is not None:
        return "hits no call, and takes no operation"
    if rule.until is not None and rule.until <= rule.since:
        return "must have its since before its until"
    return ""
