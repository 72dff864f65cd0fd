"""Has alarms move the desired capacity of Auto Scaling groups, by their scaling policies."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace

from sim.cloud.control_plane.autoscaling.groups import Groups, Kept
from sim.cloud.control_plane.cloudwatch.evaluation import ScalingAlarm
from sim.cluster.autoscaling.group_policies import PolicyCall, step


class ScalesGroups:
    """Takes what alarms call for. `driven` is the driver's lock, `now` is in seconds since 1970."""

    def __init__(
        self, groups: Groups, driven: Callable[[bool], AbstractContextManager[object]], now: Callable[[], float]
    ) -> None:
        self._groups = groups
        self._driven = driven
        self._now = now

    def act(self, calls: Sequence[ScalingAlarm]) -> None:
        """Scales the groups whose policies are called."""
        if not any(_of_group(each.policy) for each in calls):
            return
        with self._driven(True):
            for place, groups in self._groups.everywhere():
                for name, kept in list(groups.items()):
                    heard = _heard(kept, [each for each in calls if each.place == place])
                    if heard:
                        policies = [each.policy for each in kept.policies.values()]
                        groups[name] = replace(kept, group=step(kept.group, policies, heard, self._now()))


def _of_group(arn: str) -> bool:
    return ":autoScalingGroupName/" in arn


def _heard(kept: Kept, calls: Sequence[ScalingAlarm]) -> Mapping[str, PolicyCall]:
    """What each policy of the group hears of the alarms that call it now, by the policy's name."""
    return {
        each.name: PolicyCall(call.reading(each.policy.rule), call.alarm.name)
        for each in kept.policies.values()
        for call in calls
        if call.policy == each.arn
    }
