"""The scaling policies of an Auto Scaling group: `step(group, policies, calls, now) -> group`.

# Theory of operation

A policy acts when an alarm calls it, or a user executes it. What it wants is decided by the rules of
`scaling_policies`, with the group in the place of a service. Two things are other for a group:

- *Warm-up*. Target tracking and step scaling have no cool-down. They count the instances that are through their
  warm-up. While others warm up, only a larger step launches more, and no policy scales in.
- *Cool-down*. Simple scaling makes one fixed adjustment, whatever the metric's value is. It waits until the last launch
  or termination of the group is over for as long as the cool-down.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-scale-based-on-demand.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import Final

from sim.cluster.autoscaling import scaling_policies
from sim.cluster.autoscaling.group_requests import check_cooldown, cooled_down, executed, scaled
from sim.cluster.autoscaling.group_state import Group, GroupInstance, GroupSettings, Pace, warming
from sim.cluster.autoscaling.scaling_policies import Policy, Reading, ScalableTarget, Scaled, StepScaling
from sim.cluster.citations import ASG_API, ASG_GUIDE, LeftOut, cites
from sim.cluster.refused import Refused

_STEPS: Final = ASG_GUIDE + "as-scaling-simple-step.html"

LEFT_OUT: Final = (
    LeftOut(
        "Predictive scaling, and target tracking on the predefined metrics of the network.",
        ASG_API + "PredefinedMetricSpecification.html",
        "PutScalingPolicy refuses them by name: nobody publishes these metrics here",
    ),
    LeftOut(
        "The metrics of instances that warm up are not left out of the group's averages.",
        _STEPS,
        "CloudWatch averages whatever the instances of a group have published",
    ),
)


@dataclass(frozen=True, slots=True)
class GroupPolicy:
    """A policy of a group. Simple scaling is a `rule` of one step without bounds.

    The warm-up and the cool-down, in seconds, are None where the policy has none of its own.
    """

    rule: Policy
    simple: bool = False
    warmup_seconds: float | None = None
    cooldown_seconds: float | None = None
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class PolicyCall:
    """An alarm that calls a policy, with what the policy hears; without an alarm a user executes it."""

    reading: Reading
    alarm: str = ""


def step(group: Group, policies: Sequence[GroupPolicy], calls: Mapping[str, PolicyCall], now: float) -> Group:
    """The group after the calls of its policies, by their names. The time is in seconds since 1970."""
    if not listens(group.settings):
        return group
    return _act(group, [each for each in policies if each.enabled and may_act(each, group, now)], calls, now)


def execute(group: Group, policy: GroupPolicy, reading: Reading, now: float, *, honor_cooldown: bool = False) -> Group:
    """ExecutePolicy on a group. Raises Refused."""
    if message := cannot_execute(policy, reading):
        raise Refused("ValidationError", message)
    if honor_cooldown:
        check_cooldown(group, now)
    return _act(group, [policy], {policy.rule.name: PolicyCall(reading)}, now)


@cites(ASG_API + "ExecutePolicy.html")
def cannot_execute(policy: GroupPolicy, reading: Reading) -> str:
    """A step policy is executed with a metric value that one of its steps covers."""
    if not isinstance(policy.rule, StepScaling):
        return f"The policy {policy.rule.name} is one of target tracking. Its alarms alone call it."
    if scaling_policies.fitting(policy.rule.steps, reading) is None:
        return f"The metric value {reading.value} is within no step adjustment of the policy {policy.rule.name}."
    return ""


@cites(ASG_GUIDE + "as-suspend-resume-processes.html")
def listens(settings: GroupSettings) -> bool:
    """While the process AlarmNotification is suspended no alarm has a policy act."""
    return "AlarmNotification" not in settings.suspended


@cites(ASG_GUIDE + "ec2-auto-scaling-scaling-cooldowns.html")
def may_act(policy: GroupPolicy, group: Group, now: float) -> bool:
    """Simple scaling waits for the cool-down; target tracking and step scaling do not."""
    return not policy.simple or cooled_down(group, now)


@cites(_STEPS)
def current(group: Group, now: float) -> int:
    """The current capacity, from which policies count, has no instance that is still to come or warms up."""
    settled = [each for each in group.instances.values() if not each.leaving and not each.beyond]
    return min(group.desired, sum(not _warms_up(group, each, now) for each in settled))


@cites(_STEPS)
def growing(group: Group, now: float) -> bool:
    """Until the instances of a scale-out are through their warm-up no policy scales in."""
    return bool(group.launches) or any(
        not each.leaving and _warms_up(group, each, now) for each in group.instances.values()
    )


def _warms_up(group: Group, instance: GroupInstance, now: float) -> bool:
    own = instance.launched_at >= group.pace.grew_at
    return warming(instance, group.pace.warmup_seconds if own else group.settings.warmup_seconds or 0.0, now)


@cites(ASG_API + "PutScalingPolicy.html")
def warmup_of(policy: GroupPolicy, settings: GroupSettings) -> float:
    """A policy's own warm-up overrides the default instance warm-up; without either it is the default cool-down."""
    if policy.warmup_seconds is not None:
        return policy.warmup_seconds
    return settings.cooldown_seconds if settings.warmup_seconds is None else settings.warmup_seconds


def _act(group: Group, policies: Sequence[GroupPolicy], calls: Mapping[str, PolicyCall], now: float) -> Group:
    steady = [each for each in policies if not each.simple]
    simple = [each for each in policies if each.simple]
    wanted = [
        *_wanted(group, steady, calls, now, counted=current(group, now)),
        *_wanted(group, simple, calls, now, counted=group.desired),
    ]
    if not wanted:
        return group
    change = largest(wanted)
    [policy] = [each for each in policies if each.rule.name == change.policy]
    group = replace(group, pace=_pace(group, policy, now, grows=change.after > change.before))
    if alarm := calls[change.policy].alarm:
        return scaled(group, change.after, alarm, change.policy, now)
    return executed(group, change.after, change.policy, now)


@cites(ASG_GUIDE + "as-scale-based-on-demand.html")
def largest(wanted: Sequence[Scaled]) -> Scaled:
    """Of several policies that want to scale at the same time the one that leads to the largest capacity does."""
    return max(wanted, key=lambda each: each.after)


def _wanted(
    group: Group, policies: Sequence[GroupPolicy], calls: Mapping[str, PolicyCall], now: float, *, counted: int
) -> list[Scaled]:
    """What the policies would do, counting from that capacity to scale out."""
    settings, rules = group.settings, tuple(each.rule for each in policies)
    target = ScalableTarget(settings.min_size, settings.max_size, group.desired, rules, out_until=inf, out_from=counted)
    readings = {each.rule.name: _heard(each, calls[each.rule.name]) for each in policies if each.rule.name in calls}
    return scaling_policies.step(target, readings, now, deploying=growing(group, now))[1]


def _heard(policy: GroupPolicy, call: PolicyCall) -> Reading:
    return replace(call.reading, value=call.reading.value or 0.0) if policy.simple else call.reading


def _pace(group: Group, policy: GroupPolicy, now: float, *, grows: bool) -> Pace:
    """What the next policy waits for. Instances of an earlier scale-out go on to warm up."""
    if policy.simple or not grows:
        return replace(group.pace, cooldown_seconds=policy.cooldown_seconds)
    earlier = group.pace.grew_at
    warm_up = any(each.launched_at >= earlier and _warms_up(group, each, now) for each in group.instances.values())
    return Pace(earlier if warm_up else now, warmup_of(policy, group.settings))
