"""The Auto Scaling groups of the local cloud, and one step of each: the core decides, EC2 does it at once.

The core keeps the life cycle of a group's instances. What users set is in moto's record, and read from there at each
step. EC2 answers within the step, so a group is settled as soon as nothing that it waits for needs time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from random import Random
from typing import Final

from sim.cloud.control_plane.autoscaling.policies import KeptPolicy
from sim.cloud.control_plane.autoscaling.records import LaunchRefused, Record, terminate
from sim.cloud.control_plane.call import Regional
from sim.cluster.autoscaling import instance_refresh, scaling_group, scheduled_actions
from sim.cluster.autoscaling.group_requests import launch_failed, launched
from sim.cluster.autoscaling.group_state import Group
from sim.cluster.autoscaling.group_turn import GroupAction, LaunchInstance, TerminateInstance
from sim.cluster.autoscaling.instance_refresh import Refresh
from sim.cluster.autoscaling.scaling_group import Report
from sim.cluster.autoscaling.scheduled_actions import ScheduledAction
from sim.cluster.desired import Place

_MOST_TURNS: Final = 20
_MOST_REFRESHES: Final = 100

Reports = Callable[[Place], Mapping[str, Report]]
"""What is seen of each EC2 instance in an account and a region."""


@dataclass(frozen=True)
class Kept:
    """A group, its instance refreshes, the newest first, its scaling policies by name, and its scheduled actions."""

    group: Group
    refreshes: tuple[Refresh, ...] = ()
    policies: Mapping[str, KeptPolicy] = field(default_factory=dict)
    schedule: tuple[ScheduledAction, ...] = ()

    def with_refresh(self, refresh: Refresh) -> Kept:
        """With a new refresh, or another state of the newest."""
        others = tuple(each for each in self.refreshes if each.id != refresh.id)
        return replace(self, refreshes=(refresh, *others)[:_MOST_REFRESHES])


Groups = Regional[dict[str, Kept]]
"""By their names."""


class GroupSteps:
    """Takes steps of the groups. `now` is in seconds since 1970."""

    def __init__(self, groups: Groups, reports: Reports, now: Callable[[], float], chance: Random) -> None:
        self._groups = groups
        self._reports = reports
        self._now = now
        self._chance = chance

    def take(self) -> None:
        """A step of every group, and of its scheduled actions and its instance refresh."""
        for place, groups in self._groups.everywhere():
            for name in list(groups):
                groups[name] = self._settled(Record(place, name), groups[name])

    def carry_out(self, record: Record, group: Group, actions: Iterable[GroupAction]) -> Group:
        """Has EC2 do what the group asks for; the group with what came of it. No one is notified of a hook."""
        for action in actions:
            match action:
                case LaunchInstance():
                    group = self._launch(record, group, action)
                case TerminateInstance():
                    terminate(record.place, action.instance)
        return group

    def _settled(self, record: Record, kept: Kept) -> Kept:
        for _ in range(_MOST_TURNS):
            kept, actions = self._turn(record, kept)
            kept = replace(kept, group=self.carry_out(record, kept.group, actions))
            record.write(kept.group)
            if not actions:
                break
        return kept

    def _turn(self, record: Record, kept: Kept) -> tuple[Kept, list[GroupAction]]:
        group = replace(kept.group, settings=record.settings())
        now = self._now()
        group, schedule = scheduled_actions.step(group, kept.schedule, now, self._chance)
        kept = replace(kept, schedule=schedule)
        group, actions = scaling_group.step(group, self._reports(record.place), now, self._chance)
        if kept.refreshes:
            refresh, group, more = instance_refresh.step(kept.refreshes[0], group, now, self._chance)
            kept, actions = kept.with_refresh(refresh), actions + more
        return replace(kept, group=group), actions

    def _launch(self, record: Record, group: Group, asked: LaunchInstance) -> Group:
        try:
            instance = record.launch(asked)
        except LaunchRefused as refused:
            return launch_failed(group, asked.launch, str(refused), self._now())
        return launched(group, asked.launch, instance, self._now())
