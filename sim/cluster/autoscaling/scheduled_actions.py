"""Scheduled actions of an Auto Scaling group: `step(group, actions, now, chance) -> (group, actions)`.

An action sets the limits and the desired capacity of its group at a time, once or again and again. One that has no more
time to come is gone.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-scheduled-scaling.html
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from sim.cluster.autoscaling.cron import Cron, next_time
from sim.cluster.autoscaling.group_requests import scheduled
from sim.cluster.autoscaling.group_state import Group, GroupSettings
from sim.cluster.autoscaling.group_turn import GroupTurn
from sim.cluster.autoscaling.scaling_activities import Activity
from sim.cluster.citations import ASG_API, ASG_GUIDE, cites, inferred
from sim.cluster.refused import Refused

if TYPE_CHECKING:
    from random import Random

_GUIDE: Final = ASG_GUIDE + "ec2-auto-scaling-scheduled-scaling.html"
_MOST: Final = 125


@dataclass(frozen=True, slots=True)
class ScheduledAction:
    """An action. Times are seconds since 1970; `at` is when it is next. Sizes that are None stay as they are."""

    name: str
    at: float
    min_size: int | None = None
    max_size: int | None = None
    desired: int | None = None
    recurrence: Cron | None = None
    zone: str = "UTC"
    start: float | None = None
    end: float | None = None


def planned(action: ScheduledAction, now: float) -> ScheduledAction:
    """A new action with its first time. `at` is not looked at. Raises Refused."""
    if message := wrong(action, now):
        raise Refused("ValidationError", message)
    first = first_time(action, now)
    if first is None:
        raise Refused("ValidationError", f"The scheduled action {action.name} has no time before its end.")
    return replace(action, at=first)


@cites(ASG_API + "PutScheduledUpdateGroupAction.html")
def wrong(action: ScheduledAction, now: float) -> str:
    """An action is not of the past, has a start or a recurrence, and names at least one of the three sizes."""
    sizes = (action.min_size, action.max_size, action.desired)
    if all(each is None for each in sizes):
        return "At least one of MinSize, MaxSize or DesiredCapacity must be specified."
    if action.start is not None and action.start <= now:
        return "Given start time is in the past"
    if action.end is not None and action.end <= now:
        return "Given end time is in the past"
    if action.recurrence is None and action.start is None:
        return "Either a recurrence or a start time must be specified."
    ordered = [each for each in (action.min_size, action.desired, action.max_size) if each is not None]
    if ordered != sorted(ordered):
        return f"The sizes of the scheduled action {action.name} do not fit each other."
    return ""


@cites(_GUIDE)
def first_time(action: ScheduledAction, now: float) -> float | None:
    """An action with a start is performed then, and after that by its recurrence."""
    return action.start if action.start is not None else later(action, now)


@cites(ASG_API + "PutScheduledUpdateGroupAction.html")
def later(action: ScheduledAction, now: float) -> float | None:
    """A recurrence ends with the action's end."""
    found = next_time(action.recurrence, action.zone, now) if action.recurrence else None
    return None if found is None or (action.end is not None and found > action.end) else found


@cites(_GUIDE)
def fitting(actions: Sequence[ScheduledAction], action: ScheduledAction) -> tuple[ScheduledAction, ...]:
    """A group has 125 scheduled actions at most, each at a time of its own. Raises Refused."""
    others = [each for each in actions if each.name != action.name]
    if len(others) >= _MOST:
        raise Refused("LimitExceeded", f"A group has {_MOST} scheduled actions at most.")
    if any(each.at == action.at for each in others):
        raise Refused("AlreadyExists", "A scheduled action with this scheduled start time already exists.")
    return (*others, action)


def step(
    group: Group, actions: tuple[ScheduledAction, ...], now: float, chance: Random
) -> tuple[Group, tuple[ScheduledAction, ...]]:
    """The group after the actions whose time has come, and the actions that are still to come."""
    left = list[ScheduledAction]()
    for each in actions:
        if each.at > now:
            left.append(each)
            continue
        if performs(group.settings):
            group = _perform(group, each, now, chance)
        if (again := later(each, now)) is not None:
            left.append(replace(each, at=again))
    return group, tuple(left)


@cites(ASG_GUIDE + "as-suspend-resume-processes.html")
def performs(settings: GroupSettings) -> bool:
    """While the process ScheduledActions is suspended no action is performed, and none is made up for later."""
    return "ScheduledActions" not in settings.suspended


def _perform(group: Group, action: ScheduledAction, now: float, chance: Random) -> Group:
    settings = replace(
        group.settings,
        min_size=group.settings.min_size if action.min_size is None else action.min_size,
        max_size=group.settings.max_size if action.max_size is None else action.max_size,
    )
    try:
        return scheduled(group, settings, action.desired, action.name, now)
    except Refused as refused:
        return failed(group, action, refused.message, now, chance)


@inferred("AWS says that the limits must contain the capacity; an activity that failed is where it would tell")
def failed(group: Group, action: ScheduledAction, why: str, now: float, chance: Random) -> Group:
    """An action that does not fit the group's limits changes nothing, and an activity says so."""
    turn = GroupTurn(group, now, chance)
    cause = turn.says(f"the scheduled action {action.name} executed")
    text = f"Executing scheduled action {action.name}"
    turn.note(Activity(turn.new_id(), text, cause, now, "Failed", why, ended_at=now))
    return turn.group
