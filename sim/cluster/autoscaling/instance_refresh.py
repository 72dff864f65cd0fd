"""An instance refresh of an Auto Scaling group: `step(refresh, group, now, chance) -> (refresh, group, actions)`.

# Theory of operation

A refresh replaces the instances that the group had when it began, within two bounds of the desired capacity: so many
are healthy and warm at least (`fewest`), and so many are there or on their way at most (`most`). A step does this:

1. What is above the minimum may go: old instances end, fullest zone first. For each ended one either a new instance is
   there already, beyond the desired capacity until now, or one is launched at the same time.
2. What is below the maximum may come: new instances are launched ahead, `beyond` the desired capacity.
3. Where the bounds leave no move, one instance is replaced all the same: with a maximum it is launched first, without
   one the old instance ends while the new one is launched.

The refresh is over when none of the old instances is left and every new one is warm. It fails after an hour in which it
could not go on, and then, or when a user says so, may roll back: the same again, with the previous launch template and
the instances that do not match it.

Run it after the group's own step. The group launches what the capacity lacks meanwhile, from the same template.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

from sim.cluster.autoscaling import scaling_activities
from sim.cluster.autoscaling.group_state import Group, GroupInstance, LaunchTemplate, warming
from sim.cluster.autoscaling.group_turn import GroupAction, GroupTurn
from sim.cluster.autoscaling.refresh_preferences import Preferences, fewest, most, warmup
from sim.cluster.autoscaling.termination_policies import zone_counts
from sim.cluster.citations import ASG_API, ASG_GUIDE, cites, inferred
from sim.cluster.refused import Refused

if TYPE_CHECKING:
    from random import Random

Status = Literal[
    "Pending",
    "InProgress",
    "Successful",
    "Failed",
    "Cancelling",
    "Cancelled",
    "RollbackInProgress",
    "RollbackFailed",
    "RollbackSuccessful",
    "Baking",
]
ACTIVE: Final = frozenset({"Pending", "InProgress", "Cancelling", "RollbackInProgress", "Baking"})
_PATIENCE_SECONDS: Final = 3600.0
_STUCK: Final = "The instance refresh could not go on for an hour."


@dataclass(frozen=True, slots=True)
class Rollback:
    """Why and when a refresh was turned round, and how far it was."""

    reason: str
    started_at: float
    percentage: int
    to_update: int


@dataclass(frozen=True, slots=True)
class Refresh:
    """One refresh. `template` is the desired configuration, None for the group's own; `old` are those to replace."""

    id: str
    preferences: Preferences
    previous: LaunchTemplate
    template: LaunchTemplate | None
    started_at: float
    old: frozenset[str]
    total: int
    status: Status = "Pending"
    reason: str = ""
    ended_at: float | None = None
    updated: int = 0
    progress_at: float = 0.0
    """When it last got on, or did not have to wait."""
    bakes_until: float | None = None
    rollback: Rollback | None = None

    @property
    def active(self) -> bool:
        """True while it goes on."""
        return self.status in ACTIVE

    @property
    def percentage(self) -> int:
        """How much is done. In a rollback it goes back to 0."""
        done = 100 * self.updated // self.total if self.total else 100
        return done if self.rollback is None else self.rollback.percentage * (100 - done) // 100

    @property
    def to_update(self) -> int:
        """How many instances are still to be replaced; in a rollback, how many never were."""
        return self.total - self.updated if self.rollback is None else self.rollback.to_update


def started(
    group: Group,
    chosen: Preferences,
    template: LaunchTemplate | None,
    running: Refresh | None,
    now: float,
    identity: str,
) -> tuple[Refresh, Group]:
    """StartInstanceRefresh. Raises Refused where a refresh goes on, or where it could not be rolled back as asked."""
    if running and running.active:
        raise Refused(
            "InstanceRefreshInProgress",
            "An instance refresh is already in progress and blocks the execution of this Instance Refresh.",
        )
    if chosen.auto_rollback and template is None:
        raise _irreversible()
    target = template or group.settings.template
    old = frozenset(each.id for each in group.instances.values() if to_replace(each, chosen, target))
    refresh = Refresh(identity, chosen, group.settings.template, template, now, old, len(old), progress_at=now)
    return refresh, replace(group, refreshing=template)


@cites(ASG_API + "RefreshPreferences.html")
def to_replace(instance: GroupInstance, chosen: Preferences, target: LaunchTemplate) -> bool:
    """With skip matching an instance that is made of the desired template stays; with Ignore a protected one does."""
    if instance.leaving or (chosen.skip_matching and instance.template == target):
        return False
    return not (chosen.protected == "Ignore" and instance.protected)


def cancelled(refresh: Refresh | None) -> Refresh:
    """CancelInstanceRefresh. Raises Refused where nothing goes on."""
    if refresh is None or not refresh.active or refresh.status == "Cancelling":
        raise _none_active()
    return replace(refresh, status="Cancelling", reason="Cancelled due to user request.")


@cites(ASG_API + "RollbackInstanceRefresh.html")
def rolled_back(refresh: Refresh | None, group: Group, now: float, reason: str = "") -> tuple[Refresh, Group]:
    """A rollback replaces what the refresh launched; it needs a desired configuration to go back from."""
    if refresh is None or refresh.status not in {"Pending", "InProgress", "Baking"}:
        raise _none_active()
    if refresh.template is None:
        raise _irreversible()
    old = frozenset(
        each.id for each in group.instances.values() if not each.leaving and each.template != refresh.previous
    )
    details = Rollback(reason or "Manual rollback by user", now, refresh.percentage, refresh.to_update)
    turned = replace(
        refresh, status="RollbackInProgress", old=old, total=len(old), updated=0, progress_at=now, rollback=details
    )
    return turned, replace(_given_up(group), refreshing=refresh.previous)


def step(refresh: Refresh, group: Group, now: float, chance: Random) -> tuple[Refresh, Group, list[GroupAction]]:
    """How far the refresh gets now, and what EC2 is to do for it. The time is in seconds."""
    if refresh.status == "Cancelling":
        return *_cancel(refresh, group, now), []
    if refresh.status == "Baking":
        return *_bake(refresh, group, now), []
    if not refresh.active:
        return refresh, group, []
    if refresh.status == "Pending":
        refresh = replace(refresh, status="InProgress")
    turn = GroupTurn(group, now, chance)
    refresh = _watched(refresh, group, now)
    if complete(refresh, group, now):
        return *_succeed(refresh, group, now), []
    if now - refresh.progress_at >= _PATIENCE_SECONDS:
        return *_fail(refresh, group, now), []
    _act(turn, refresh)
    return refresh, turn.group, turn.actions


def _act(turn: GroupTurn, refresh: Refresh) -> None:
    _trim(turn, refresh)
    chosen, desired = refresh.preferences, turn.group.desired
    old = replaceable(refresh, turn.group)
    free = healthy(refresh, turn.group, turn.now) - fewest(chosen, desired)
    room = most(chosen, desired) - present(turn.group)
    if free < 1 and room < 1 and quiet(refresh, turn.group, turn.now):
        free, room = (0, 1) if chosen.max_healthy is not None else (1, 0)
    for instance in _in_order(turn.group, old)[: max(free, 0)]:
        _replace(turn, instance)
    waiting = len(replaceable(refresh, turn.group)) - beyond(turn.group)
    ahead = min(room, waiting)
    if ahead > 0 and chosen.max_healthy is not None and turn.now >= turn.group.retry_at:
        turn.launch(ahead, "refresh", [turn.says(scaling_activities.refresh_launch())], beyond=True)


@cites(ASG_API + "RefreshPreferences.html")
def quiet(refresh: Refresh, group: Group, now: float) -> bool:
    """If the percentages leave no move one instance is replaced at a time: launched first where a maximum is set."""
    return (
        not group.launches
        and bool(replaceable(refresh, group))
        and not beyond(group)
        and healthy(refresh, group, now) == present(group) == group.desired
    )


@cites(ASG_GUIDE + "asg-instance-refresh.html")
def healthy(refresh: Refresh, group: Group, now: float) -> int:
    """An instance counts as healthy once it is in service, healthy and through its warm-up."""
    return sum(ready(refresh, group, each, now) for each in group.instances.values())


def ready(refresh: Refresh, group: Group, instance: GroupInstance, now: float) -> bool:
    """Whether the instance counts towards the minimum healthy percentage."""
    seconds = warmup(refresh.preferences, group.settings)
    return instance.in_service and not instance.unhealthy and not warming(instance, seconds, now)


def present(group: Group) -> int:
    """How many instances are there or on their way, whether or not the capacity asks for them."""
    return sum(not each.leaving for each in group.instances.values()) + len(group.launches)


def beyond(group: Group) -> int:
    """How many instances are there or on their way that wait for an old one to end."""
    here = sum(each.beyond and each.purpose == "refresh" for each in group.instances.values())
    return here + sum(each.beyond and each.purpose == "refresh" for each in group.launches.values())


@cites(ASG_API + "RefreshPreferences.html")
def replaceable(refresh: Refresh, group: Group) -> list[GroupInstance]:
    """Protected instances are replaced with Refresh; with Wait not before a user has taken their protection off."""
    left = [each for each in group.instances.values() if each.id in refresh.old and not each.leaving]
    if refresh.preferences.protected == "Refresh":
        return left
    return [each for each in left if not each.protected]


def remaining(refresh: Refresh, group: Group) -> list[GroupInstance]:
    """The old instances that are still there and are to go, now or when their protection is off."""
    left = [each for each in group.instances.values() if each.id in refresh.old and not each.leaving]
    return left if refresh.preferences.protected == "Wait" else replaceable(refresh, group)


@cites(ASG_API + "InstanceRefresh.html")
def complete(refresh: Refresh, group: Group, now: float) -> bool:
    """A refresh is complete when no old instance is left and the new ones are in service and warm."""
    new = [each for each in group.instances.values() if not each.leaving and each.id not in refresh.old]
    return (
        not remaining(refresh, group)
        and not group.launches
        and group.capacity >= group.desired
        and all(ready(refresh, group, each, now) for each in new)
    )


def _in_order(group: Group, old: Sequence[GroupInstance]) -> list[GroupInstance]:
    counts = zone_counts(group)
    ordered = list[GroupInstance]()
    left = sorted((each for each in old if not each.unhealthy), key=lambda each: each.launched_at)
    while left:
        found = max(left, key=lambda each: counts[each.zone])
        left.remove(found)
        ordered.append(found)
        counts[found.zone] -= 1
    return ordered


def _replace(turn: GroupTurn, instance: GroupInstance) -> None:
    sentences = (scaling_activities.refresh_end(), scaling_activities.selected(instance.id))
    turn.terminate(instance, [turn.says(each) for each in sentences])
    ahead = [each for each in turn.instances() if each.beyond and each.purpose == "refresh" and each.in_service]
    if ahead:
        turn.put(replace(ahead[0], beyond=False))
    elif turn.group.capacity < turn.group.desired and turn.now >= turn.group.retry_at:
        turn.launch(1, "refresh", [turn.says(scaling_activities.refresh_launch())])


def _trim(turn: GroupTurn, refresh: Refresh) -> None:
    """Instances that were launched ahead of old ones that are gone by themselves belong to the capacity now."""
    surplus = beyond(turn.group) - len(remaining(refresh, turn.group))
    for instance in turn.instances():
        if surplus > 0 and instance.beyond and instance.purpose == "refresh":
            turn.put(replace(instance, beyond=False))
            surplus -= 1


def _watched(refresh: Refresh, group: Group, now: float) -> Refresh:
    """The refresh with its count, and with why it waits."""
    left = remaining(refresh, group)
    new = [each for each in group.instances.values() if each.id not in refresh.old and each.purpose == "refresh"]
    cold = [each for each in new if not each.leaving and not ready(refresh, group, each, now)]
    updated = max(refresh.total - len(left) - len(cold) - len(group.launches), 0)
    stuck = stuck_on(refresh, group, left)
    moved = updated > refresh.updated or not stuck
    reason = stuck or (
        f"Waiting for instances to warm up before continuing. For example: {cold[0].id} is warming up." if cold else ""
    )
    return replace(
        refresh,
        updated=max(updated, refresh.updated),
        reason=reason,
        progress_at=now if moved else refresh.progress_at,
    )


@inferred("AWS waits an hour for protected instances, then fails; for launches that fail it names no time, so the same")
def stuck_on(refresh: Refresh, group: Group, left: Sequence[GroupInstance]) -> str:
    """A refresh fails if for an hour only protected instances are left, or every launch fails."""
    if group.failures:
        return "Waiting for instances to launch. The latest scaling activity says why they do not."
    if left and not replaceable(refresh, group):
        return f"Waiting for remaining instances to be available. For example: {left[0].id} is protected from scale in."
    return ""


def _succeed(refresh: Refresh, group: Group, now: float) -> tuple[Refresh, Group]:
    done = replace(refresh, updated=refresh.total, reason="")
    if refresh.rollback:
        return _over(done, group, "RollbackSuccessful", now)
    if refresh.preferences.bake_seconds:
        return replace(done, status="Baking", bakes_until=now + refresh.preferences.bake_seconds), group
    return _over(done, adopted(group, refresh), "Successful", now)


@cites(ASG_API + "StartInstanceRefresh.html")
def adopted(group: Group, refresh: Refresh) -> Group:
    """Once a refresh succeeds its desired configuration is the group's own."""
    return replace(group, settings=replace(group.settings, template=refresh.template or group.settings.template))


def _bake(refresh: Refresh, group: Group, now: float) -> tuple[Refresh, Group]:
    if refresh.bakes_until is not None and now < refresh.bakes_until:
        return refresh, group
    return _over(refresh, adopted(group, refresh), "Successful", now)


def _fail(refresh: Refresh, group: Group, now: float) -> tuple[Refresh, Group]:
    reason = f"{_STUCK} {refresh.reason}"
    if refresh.rollback:
        return _over(replace(refresh, reason=reason), group, "RollbackFailed", now)
    if refresh.preferences.auto_rollback:
        return rolled_back(refresh, group, now, reason)
    return _over(replace(refresh, reason=reason), group, "Failed", now)


@cites(ASG_API + "CancelInstanceRefresh.html")
def in_transition(group: Group) -> bool:
    """A cancelled refresh is Cancelling until the instances that it launched are in service."""
    return any(each.purpose == "refresh" for each in group.launches.values()) or any(
        each.purpose == "refresh" and each.arriving for each in group.instances.values()
    )


def _cancel(refresh: Refresh, group: Group, now: float) -> tuple[Refresh, Group]:
    return (refresh, group) if in_transition(group) else _over(refresh, group, "Cancelled", now)


def _over(refresh: Refresh, group: Group, status: Status, now: float) -> tuple[Refresh, Group]:
    return replace(refresh, status=status, ended_at=now), replace(_given_up(group), refreshing=None)


def _given_up(group: Group) -> Group:
    """The group with what was launched ahead as a part of its capacity: it may end what is too many."""
    return replace(
        group,
        instances={
            key: replace(each, beyond=each.beyond and each.purpose != "refresh")
            for key, each in group.instances.items()
        },
        launches={
            key: replace(each, beyond=each.beyond and each.purpose != "refresh") for key, each in group.launches.items()
        },
    )


def _none_active() -> Refused:
    return Refused(
        "ActiveInstanceRefreshNotFound", "No in progress or pending Instance Refresh found for Auto Scaling group"
    )


def _irreversible() -> Refused:
    return Refused(
        "IrreversibleInstanceRefresh",
        "The instance refresh cannot be rolled back: it needs a desired configuration to go back from. "
        "Name a launch template and a version of it in DesiredConfiguration.",
    )
