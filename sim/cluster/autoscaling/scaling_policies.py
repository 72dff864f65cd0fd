"""Application Auto Scaling of one service: `step(target, readings, now) -> (target, activities)`.

# Theory of operation

A scalable target has a capacity between a minimum and a maximum, and policies. Policies see alarms, not metrics: a
target tracking policy makes two of its own (`tracking_alarms`), 3 periods of a minute above its target and 15 below 90
percent of it; a step policy is called by the alarm that names it. A step asks each policy what it wants:

1. *Out*. Of all that want more the largest wins. While the cool-down of the last scale-out lasts, what that one added
   counts towards the next, so only a larger step gets through.
2. *In*. Only if every target tracking policy that may scale in agrees, outside of the cool-down, and no deployment goes
   on; a step policy with a negative adjustment scales in by itself.

Without data nothing happens. Target tracking multiplies, so from zero it goes nowhere: a step policy takes the first.

https://docs.aws.amazon.com/autoscaling/application/userguide/what-is-application-auto-scaling.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import ceil, inf
from typing import Final, Literal

from sim.cluster.citations import SCALING_API, SCALING_GUIDE, LeftOut, cites, inferred
from sim.cluster.cloudwatch.alarms import Alarm
from sim.cluster.cloudwatch.metric_math import Math
from sim.cluster.refused import Refused

Adjustment = Literal["ChangeInCapacity", "ExactCapacity", "PercentChangeInCapacity"]
_TRACKING: Final = SCALING_GUIDE + "target-tracking-scaling-policy-overview.html"
_STEPS: Final = SCALING_GUIDE + "step-scaling-policy-overview.html"
_HIGH_PERIODS: Final = 3
_LOW_PERIODS: Final = 15
_LOW_SHARE: Final = 0.9

LEFT_OUT: Final = (
    LeftOut(
        "Scheduled and predictive scaling of a service.",
        SCALING_GUIDE + "application-auto-scaling-scheduled-scaling.html",
        "nothing that was seen uses them",
    ),
    LeftOut(
        "The low alarm's own threshold, which AWS may choose otherwise than 90 percent of the target.",
        _TRACKING,
        "how AWS chooses is not public",
    ),
)


@dataclass(frozen=True, slots=True)
class TargetTracking:
    """A target tracking policy; cool-downs in seconds, for ECS 300 unless given."""

    name: str
    math: Math
    target: float
    out_cooldown: float = 300.0
    in_cooldown: float = 300.0
    scales_in: bool = True


@dataclass(frozen=True, slots=True)
class StepAdjustment:
    """By how much, where the metric is that far from the threshold; None is infinity."""

    adjustment: int
    lower: float | None = None
    upper: float | None = None


@dataclass(frozen=True, slots=True)
class StepScaling:
    """A step scaling policy. `magnitude` is the least change of a percentage."""

    name: str
    steps: tuple[StepAdjustment, ...]
    kind: Adjustment = "ChangeInCapacity"
    cooldown: float = 300.0
    magnitude: int = 1


Policy = TargetTracking | StepScaling


@dataclass(frozen=True, slots=True)
class Reading:
    """What a policy hears: which of its alarms is in ALARM, the latest value, and the threshold that it crossed.

    A step policy's alarm is `high`, whichever way its threshold is crossed; `below` says that it is crossed downwards.
    """

    high: bool = False
    low: bool = False
    value: float | None = None
    threshold: float = 0.0
    below: bool = False


@dataclass(frozen=True, slots=True)
class ScalableTarget:
    """A service's count of tasks under its policies. Times are seconds of the caller's clock."""

    minimum: int
    maximum: int
    capacity: int
    policies: tuple[Policy, ...] = ()
    out_until: float = -inf
    """Until when the cool-down of the last scale-out lasts."""
    out_from: int = 0
    """The capacity that it began from."""
    in_until: float = -inf


@dataclass(frozen=True, slots=True)
class Scaled:
    """A change of the desired count, and the policy that led to it."""

    policy: str
    before: int
    after: int


def checked(policy: StepScaling) -> StepScaling:
    """The policy, if its steps fit. Raises Refused."""
    if message := wrong_steps(policy.steps):
        raise Refused("ValidationException", message)
    return policy


@cites(SCALING_API + "StepAdjustment.html")
def wrong_steps(steps: Sequence[StepAdjustment]) -> str:
    """The intervals of step adjustments have no gap and no overlap, and each has a bound."""
    if not steps:
        return "At least one step adjustment is required."
    if any(each.lower is None and each.upper is None for each in steps) and len(steps) > 1:
        return "The upper and lower bound of a step adjustment can't both be left out."
    ordered = sorted(steps, key=lambda each: -inf if each.lower is None else each.lower)
    for first, second in pairwise(ordered):
        if first.upper is None or first.upper != second.lower:
            return "The intervals of the step adjustments can't overlap or have a gap."
    return ""


@cites(_TRACKING)
def tracking_alarms(policy: TargetTracking, resource: str) -> tuple[Alarm, Alarm]:
    """A target tracking policy makes two alarms: 3 minutes above its target, 15 minutes below 90 percent of it."""
    name = f"TargetTracking-{resource}"
    high = Alarm(f"{name}-AlarmHigh-{policy.name}", policy.math, policy.target, "GreaterThanThreshold", _HIGH_PERIODS)
    low = Alarm(
        f"{name}-AlarmLow-{policy.name}",
        policy.math,
        round(policy.target * _LOW_SHARE, 6),
        "LessThanThreshold",
        _LOW_PERIODS,
    )
    return high, low


def step(
    target: ScalableTarget, readings: Mapping[str, Reading], now: float, *, deploying: bool = False
) -> tuple[ScalableTarget, list[Scaled]]:
    """The target after its policies, and what they did. `deploying` says that a deployment of the service goes on."""
    return _out(target, readings, now) or _in(target, readings, now, deploying=deploying) or (target, [])


def _out(
    target: ScalableTarget, readings: Mapping[str, Reading], now: float
) -> tuple[ScalableTarget, list[Scaled]] | None:
    base = counted_from(target, now)
    asked = [(wanted(each, readings.get(each.name, Reading()), base), each) for each in target.policies]
    more = [(bounded(target, count), policy) for count, policy in asked if count is not None]
    count, policy = max(more, key=lambda each: each[0], default=(0, None))
    if policy is None or count <= target.capacity:
        return None
    cooldown = policy.out_cooldown if isinstance(policy, TargetTracking) else policy.cooldown
    changed = replace(target, capacity=count, out_until=now + cooldown, out_from=base, in_until=-inf)
    return changed, [Scaled(policy.name, target.capacity, count)]


@cites(SCALING_GUIDE + "application-auto-scaling-target-tracking.html")
def counted_from(target: ScalableTarget, now: float) -> int:
    """In the cool-down of a scale-out what it added counts towards the next: only a larger one gets through."""
    return target.out_from if now < target.out_until else target.capacity


def _in(
    target: ScalableTarget, readings: Mapping[str, Reading], now: float, *, deploying: bool
) -> tuple[ScalableTarget, list[Scaled]] | None:
    if not may_scale_in(target, now, deploying=deploying):
        return None
    found = [_tracked_in(target, readings), *_stepped_in(target, readings)]
    less = [each for each in found if each is not None and each[0] < target.capacity]
    if not less:
        return None
    count, policy = max(less, key=lambda each: each[0])
    cooldown = policy.in_cooldown if isinstance(policy, TargetTracking) else policy.cooldown
    return replace(target, capacity=count, in_until=now + cooldown), [Scaled(policy.name, target.capacity, count)]


@cites(SCALING_GUIDE + "services-that-can-integrate-ecs.html")
def may_scale_in(target: ScalableTarget, now: float, *, deploying: bool) -> bool:
    """A scale-in waits for the cool-down of the one before, and for the end of a deployment."""
    return not deploying and now >= target.in_until


@cites(_TRACKING)
def agreed(policies: Iterable[TargetTracking], readings: Mapping[str, Reading]) -> bool:
    """Target tracking scales in only if all its policies that may do so are ready to."""
    return all(readings.get(each.name, Reading()).low for each in policies)


def _tracked_in(target: ScalableTarget, readings: Mapping[str, Reading]) -> tuple[int, Policy] | None:
    tracking = [each for each in target.policies if isinstance(each, TargetTracking) and each.scales_in]
    if not tracking or not agreed(tracking, readings):
        return None
    counts = [(tracked(each, readings[each.name].value, target.capacity), each) for each in tracking]
    count, policy = max(
        ((found, each) for found, each in counts if found is not None), default=(None, None), key=_count
    )
    return None if count is None or policy is None else (bounded(target, count), policy)


def _count(found: tuple[int | None, Policy | None]) -> int:
    return found[0] or 0


def _stepped_in(target: ScalableTarget, readings: Mapping[str, Reading]) -> list[tuple[int, Policy]]:
    steps = [each for each in target.policies if isinstance(each, StepScaling)]
    counts = [(wanted(each, readings.get(each.name, Reading()), target.capacity), each) for each in steps]
    return [(bounded(target, count), policy) for count, policy in counts if count is not None]


def wanted(policy: Policy, reading: Reading, capacity: int) -> int | None:
    """The capacity that the policy wants while its high alarm lasts; None if it wants nothing."""
    if not reading.high or reading.value is None:
        return None
    if isinstance(policy, TargetTracking):
        return tracked(policy, reading.value, capacity)
    found = fitting(policy.steps, reading)
    return None if found is None else adjusted(policy, found.adjustment, capacity)


@inferred("AWS says that capacity follows the metric in proportion; real accounts show the quotient, rounded up")
def tracked(policy: TargetTracking, value: float | None, capacity: int) -> int | None:
    """Target tracking goes to ceil(capacity x metric / target), and nowhere without data."""
    return None if value is None else ceil(round(capacity * value / policy.target, 6))


@cites(_TRACKING)
def bounded(target: ScalableTarget, count: int) -> int:
    """No policy goes below the minimum or above the maximum capacity."""
    return min(max(count, target.minimum), target.maximum)


@cites(SCALING_API + "StepAdjustment.html")
def fitting(steps: Iterable[StepAdjustment], reading: Reading) -> StepAdjustment | None:
    """A step covers its lower bound and not its upper one; below the threshold it is the other way round."""
    distance = (reading.value or 0.0) - reading.threshold
    for each in steps:
        lower = -inf if each.lower is None else each.lower
        upper = inf if each.upper is None else each.upper
        if (lower < distance <= upper) if reading.below else (lower <= distance < upper):
            return each
    return None


@cites(_STEPS)
def adjusted(policy: StepScaling, adjustment: int, capacity: int) -> int:
    """An adjustment is added, or is the capacity, or a percentage, which rounds towards zero and is one at least."""
    if policy.kind == "ExactCapacity":
        return adjustment
    if policy.kind == "ChangeInCapacity":
        return capacity + adjustment
    change = int(capacity * adjustment / 100)
    least = max(policy.magnitude, 1)
    return capacity + (max(change, least) if adjustment > 0 else min(change, -least))
