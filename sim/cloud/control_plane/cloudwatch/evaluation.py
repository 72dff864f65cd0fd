"""Evaluates the metric alarms that LocalStack keeps; LocalStack keeps their states and tells SNS.

A state changes by CloudWatch's own SetAlarmState, so that history and actions follow. Actions of scaling policies,
which LocalStack does not take, go to `act`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from sim.cloud.control_plane.cloudwatch.alarms import alarm_of
from sim.cloud.control_plane.cloudwatch.metrics import Metrics
from sim.cloud.control_plane.cloudwatch.stored import Stored
from sim.cluster.autoscaling.scaling_policies import Policy, Reading, TargetTracking
from sim.cluster.cloudwatch.alarms import Alarm, State, StateChanged, TakeAction, again, step, window
from sim.cluster.cloudwatch.statistics import series
from sim.cluster.desired import Place


@dataclass(frozen=True)
class ScalingAlarm:
    """An alarm that calls a scaling policy by its ARN, with the latest value of its metric."""

    place: Place
    alarm: Alarm
    policy: str
    value: float | None

    def reading(self, policy: Policy) -> Reading:
        """What the policy hears of it."""
        below = self.alarm.comparison.startswith("Less")
        low = below and isinstance(policy, TargetTracking)
        return Reading(not low, low, self.value, self.alarm.threshold, below)


SetState = Callable[[Place, str, State, str], None]
"""Sets an alarm's state, with the reason."""


class Evaluation:
    """Looks at every alarm whose period has ended. `now` is in seconds since 1970."""

    def __init__(
        self,
        stored: Callable[[], Iterable[Stored]],
        metrics: Metrics,
        set_state: SetState,
        act: Callable[[list[ScalingAlarm]], None],
        now: Callable[[], float],
    ) -> None:
        self._stored = stored
        self._metrics = metrics
        self._set_state = set_state
        self._act = act
        self._now = now
        self._known: dict[tuple[str, object], Alarm] = {}

    def take(self) -> None:
        """One look at all of them."""
        calls: list[ScalingAlarm] = []
        alarms: dict[tuple[str, object], Alarm] = {}
        for each in self._stored():
            if each.is_composite:
                continue
            known = self._known.get(each.key) or alarm_of(each.values)
            alarms[each.key], found = self._look(each.place, replace(known, state=each.values["StateValue"]))
            calls += found
        self._known = alarms
        if calls:
            self._act(calls)

    def _look(self, place: Place, known: Alarm) -> tuple[Alarm, list[ScalingAlarm]]:
        now, period = self._now(), known.math.period
        times = window(known, now)
        end = times[-1] + period
        if known.evaluated == end:
            return known, []
        data = {
            identity: series(metric.stat, self._metrics.read(place, metric, times[0], end), period, times)
            for identity, metric in known.math.metrics.items()
        }
        alarm, actions = step(known, data, now)
        calls: list[ScalingAlarm] = []
        for action in actions:
            match action:
                case StateChanged():
                    self._set_state(place, alarm.name, action.after, action.reason)
                case TakeAction() if again(action.arn):
                    calls.append(ScalingAlarm(place, alarm, action.arn, action.value))
        return alarm, calls
