"""What users, EC2 and ECS ask of an Auto Scaling group. Each is a function from a group to a group; Refused says no."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from sim.cluster.autoscaling import lifecycle_hooks, scaling_activities
from sim.cluster.autoscaling.group_state import Group, GroupInstance, GroupSettings
from sim.cluster.autoscaling.group_turn import GroupAction, GroupTurn, backed_off
from sim.cluster.autoscaling.lifecycle_hooks import LifecycleAction, Result
from sim.cluster.autoscaling.scaling_activities import at, changed, described
from sim.cluster.autoscaling.scaling_group import in_grace
from sim.cluster.autoscaling.termination_policies import checked
from sim.cluster.citations import ASG_API, ASG_GUIDE, cites
from sim.cluster.refused import Refused

if TYPE_CHECKING:
    from random import Random

_USER_CHECK: Final = "a user health-check"
_Change = Callable[[LifecycleAction], LifecycleAction]


def created(settings: GroupSettings, now: float, desired: int | None = None) -> Group:
    """A new group; without a desired capacity it has its minimum size."""
    _check(settings)
    count = settings.min_size if desired is None else desired
    _within(settings, count)
    causes = (at(now, scaling_activities.created(0, count)),) if count else ()
    return Group(settings, count, causes=causes)


def updated(group: Group, settings: GroupSettings, now: float, desired: int | None = None) -> Group:
    """The group with other settings and, where it is given, another desired capacity."""
    _check(settings)
    if desired is not None:
        _within(settings, desired)
    count = bounded(settings, group.desired if desired is None else desired)
    sentence = scaling_activities.constrained(settings.min_size, settings.max_size, group.desired, count)
    return _wanting(replace(group, settings=settings), count, now, sentence)


@cites(ASG_API + "UpdateAutoScalingGroup.html")
def bounded(settings: GroupSettings, count: int) -> int:
    """A new minimum or maximum size moves a desired capacity that is outside of them."""
    return min(max(count, settings.min_size), settings.max_size)


@cites(ASG_API + "SetDesiredCapacity.html")
def desired_set(group: Group, count: int, now: float, *, honor_cooldown: bool = False) -> Group:
    """A user's desired capacity is between the minimum and the maximum size, or it is refused."""
    _within(group.settings, count)
    if honor_cooldown:
        check_cooldown(group, now)
    return _wanting(group, count, now, scaling_activities.user_set(group.desired, count))


def check_cooldown(group: Group, now: float) -> None:
    """Raises Refused if a request that waits for the cool-down comes too early."""
    if not cooled_down(group, now):
        message = f"The group {group.settings.name} is scaling, or in its cool-down. Try again later."
        raise Refused("ScalingActivityInProgress", message)


@cites(ASG_GUIDE + "ec2-auto-scaling-scaling-cooldowns.html")
def cooled_down(group: Group, now: float) -> bool:
    """The cool-down begins when the last launch or termination is over; it is the scaling policy's, or the default."""
    own = group.pace.cooldown_seconds
    cooldown = group.settings.cooldown_seconds if own is None else own
    return all(each.ended_at is not None and now - each.ended_at >= cooldown for each in group.activities)


@cites(ASG_API + "PutScalingPolicy.html")
def scaled(group: Group, count: int, alarm: str, policy: str, now: float) -> Group:
    """A scaling policy goes to the minimum or the maximum size at most, and is not refused."""
    count = bounded(group.settings, count)
    return _wanting(group, count, now, scaling_activities.alarmed(alarm, policy, group.desired, count))


def executed(group: Group, count: int, policy: str, now: float) -> Group:
    """ExecutePolicy: a user has a policy act, with the same limits."""
    count = bounded(group.settings, count)
    return _wanting(group, count, now, scaling_activities.executed(policy, group.desired, count))


def scheduled(group: Group, settings: GroupSettings, desired: int | None, action: str, now: float) -> Group:
    """The group with the limits and the desired capacity of a scheduled action. Raises Refused if they do not fit."""
    _check(settings)
    if desired is not None:
        _within(settings, desired)
    count = bounded(settings, group.desired if desired is None else desired)
    sentence = scaling_activities.scheduled(settings.min_size, settings.max_size, group.desired, count)
    changed = _wanting(replace(group, settings=settings), count, now, sentence)
    if count == group.desired:
        return changed
    sentence = scaling_activities.performed(action, group.desired, count)
    return replace(changed, causes=(*changed.causes, at(now, sentence)))


def launched(group: Group, launch: str, instance: str, now: float) -> Group:
    """EC2 runs an instance for the launch. A launch that the group does not know any more changes nothing."""
    asked = group.launches.get(launch)
    if asked is None:
        return group
    made = GroupInstance(
        instance,
        asked.zone,
        asked.template,
        now,
        launch,
        asked.purpose,
        protected=asked.protected,
        beyond=asked.beyond,
    )
    group = replace(_without_launch(group, launch), instances={**group.instances, instance: made})
    return replace(group, activities=described(group.activities, launch, f"Launching a new EC2 instance: {instance}"))


def launch_failed(group: Group, launch: str, reason: str, now: float) -> Group:
    """EC2 cannot run an instance for the launch; the group tries again after a while."""
    if launch not in group.launches:
        return group
    text = f"Launching a new EC2 instance.  Status Reason: {reason}"
    activities = changed(described(group.activities, launch, text), launch, "Failed", reason, now)
    return backed_off(replace(_without_launch(group, launch), activities=activities), now)


@cites(ASG_API + "TerminateInstanceInAutoScalingGroup.html")
def terminated(
    group: Group, instance: str, now: float, chance: Random, *, decrement: bool
) -> tuple[Group, list[GroupAction]]:
    """TerminateInstanceInAutoScalingGroup ends an instance though it is protected, and may have it not replaced."""
    found = _instance(group, instance)
    if found.leaving:
        return group, []
    after = group.desired - decrement
    if after < group.settings.min_size:
        raise Refused(
            "ValidationError",
            f"Currently, desired capacity equals to min size ({group.settings.min_size}). "
            "Terminating an instance with ShouldDecrementDesiredCapacity is not allowed.",
        )
    turn = GroupTurn(replace(group, desired=after), now, chance)
    if found.arriving:
        turn.ended(found.activity, "Cancelled")
    turn.terminate(found, [turn.says(scaling_activities.user_terminated(instance, group.desired, after))])
    return turn.group, turn.actions


@cites(ASG_API + "SetInstanceProtection.html")
def protected(group: Group, instances: Iterable[str], *, protect: bool) -> Group:
    """SetInstanceProtection protects instances from scale-in, or no longer."""
    for identity in instances:
        group = group.with_instance(replace(_instance(group, identity), protected=protect))
    return group


@cites(ASG_API + "SetInstanceHealth.html")
def health_set(group: Group, instance: str, now: float, *, healthy: bool, respect_grace: bool = True) -> Group:
    """SetInstanceHealth is ignored in the grace period, unless the caller says otherwise."""
    found = _instance(group, instance)
    if not healthy and respect_grace and in_grace(group, found, now):
        return group
    return group.with_instance(replace(found, unhealthy="" if healthy else _USER_CHECK))


def action_completed(group: Group, instance: str, hook: str, result: Result, token: str = "") -> Group:
    """CompleteLifecycleAction, by the hook's name; a token, where there is one, must be the action's."""
    return _with_action(group, instance, hook, token, lambda each: lifecycle_hooks.completed(each, result))


def heartbeat_recorded(group: Group, instance: str, hook: str, now: float, token: str = "") -> Group:
    """RecordLifecycleActionHeartbeat, by the hook's name or the token."""
    return _with_action(group, instance, hook, token, lambda each: lifecycle_hooks.heartbeat(each, now))


@cites(ASG_API + "DeleteAutoScalingGroup.html")
def deleted(group: Group, now: float, chance: Random, *, force: bool) -> tuple[Group, list[GroupAction]]:
    """A group with instances is deleted only by force, which ends them all and waits for no hook."""
    if (group.instances or group.launches) and not force:
        raise Refused(
            "ResourceInUse",
            "You cannot delete an AutoScalingGroup while there are instances or pending Spot instance request(s) "
            "still in the group.",
        )
    settings = replace(group.settings, min_size=0, hooks=())
    turn = GroupTurn(replace(group, settings=settings, desired=0, launches={}, deleting=True), now, chance)
    for instance in turn.instances():
        if not instance.leaving:
            turn.terminate(instance, [turn.says(scaling_activities.user_terminated(instance.id, 0, 0))])
        elif instance.state != "Terminating:Proceed":
            turn.proceed(instance)
    return turn.group, turn.actions


def _check(settings: GroupSettings) -> None:
    checked(settings.termination_policies)
    if not settings.zones:
        raise Refused("ValidationError", "At least one Availability Zone or VPC Subnet is required.")
    if not 0 <= settings.min_size <= settings.max_size:
        raise Refused(
            "ValidationError",
            f"Min bound, {settings.min_size}, must be between 0 and the max bound, {settings.max_size}",
        )


def _within(settings: GroupSettings, count: int) -> None:
    text = f"New SetDesiredCapacity value {count} is"
    if count > settings.max_size:
        raise Refused("ValidationError", f"{text} above max value {settings.max_size} for the AutoScalingGroup.")
    if count < settings.min_size:
        raise Refused("ValidationError", f"{text} below min value {settings.min_size} for the AutoScalingGroup.")


def _wanting(group: Group, count: int, now: float, sentence: str) -> Group:
    if count == group.desired:
        return group
    return replace(group, desired=count, causes=(*group.causes, at(now, sentence)), blocked=False)


def _instance(group: Group, instance: str) -> GroupInstance:
    found = group.instances.get(instance)
    if found is None:
        raise Refused(
            "ValidationError", f"Instance Id not found - No managed instance found for instance ID: {instance}"
        )
    return found


def _without_launch(group: Group, launch: str) -> Group:
    return replace(group, launches={key: each for key, each in group.launches.items() if key != launch})


def _with_action(group: Group, instance: str, hook: str, token: str, change: _Change) -> Group:
    found = _instance(group, instance)
    if not any(_means(each, hook, token) for each in found.actions):
        raise Refused(
            "ValidationError",
            f"No active Lifecycle Action found with instance ID {instance}" + (f" and token {token}" if token else ""),
        )
    actions = tuple(change(each) if _means(each, hook, token) else each for each in found.actions)
    return group.with_instance(replace(found, actions=actions))


def _means(action: LifecycleAction, hook: str, token: str) -> bool:
    return action.hook.name == hook and action.result is None and token in {"", action.token}
