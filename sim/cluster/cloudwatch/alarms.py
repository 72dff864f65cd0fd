"""CloudWatch alarms: `step(alarm, data, now) -> (alarm, actions)`.

# Theory of operation

An alarm has a metric or metric math, a threshold, and M of N. A step looks at the *evaluation range*: the latest N
periods and two before them. If N of these periods have a value, the newest N decide; if fewer have, missing ones stand
in as the alarm treats them. M breaching ones of N are ALARM, fewer are OK. So an alarm's state is a function of its
window, except where missing data is ignored: then it may stay what it was.

A change of the state is an action; the alarm's own actions go with it. An action of a scaling policy is taken again at
every evaluation for as long as the alarm is in the state.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final, Literal

from sim.cluster.citations import CLOUDWATCH_API, CLOUDWATCH_GUIDE, cites, inferred
from sim.cluster.cloudwatch.metric_functions import InvalidMath, Series
from sim.cluster.cloudwatch.metric_math import Math

State = Literal["OK", "ALARM", "INSUFFICIENT_DATA"]
Missing = Literal["missing", "ignore", "breaching", "notBreaching"]
Comparison = Literal[
    "GreaterThanThreshold", "GreaterThanOrEqualToThreshold", "LessThanThreshold", "LessThanOrEqualToThreshold"
]
Points = Sequence[tuple[int, float | None]]
"""The periods of a window, the oldest first: when each begins, and its value if it has one."""
_GUIDE: Final = CLOUDWATCH_GUIDE + "alarms-and-missing-data.html"
_MORE_PERIODS: Final = 2
_DAY_SECONDS: Final = 86400
_WEEK_SECONDS: Final = 7 * _DAY_SECONDS
_WORDS: Final[Mapping[Comparison, str]] = {
    "GreaterThanThreshold": "greater than",
    "GreaterThanOrEqualToThreshold": "greater than or equal to",
    "LessThanThreshold": "less than",
    "LessThanOrEqualToThreshold": "less than or equal to",
}
_TREATED: Final[Mapping[Missing, str]] = {"breaching": "Breaching", "notBreaching": "NonBreaching"}


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm. `datapoints` is M, None where the user gave none and it is N, `periods`. Actions are ARNs."""

    name: str
    math: Math
    threshold: float
    comparison: Comparison
    periods: int = 1
    datapoints: int | None = None
    missing: Missing = "missing"
    actions: Mapping[State, tuple[str, ...]] = field(default_factory=dict)
    actions_enabled: bool = True
    state: State = "INSUFFICIENT_DATA"
    reason: str = "Unchecked: Initial alarm creation"
    changed_at: float = 0.0
    evaluated: int | None = None
    """The end of the window that was evaluated last, in seconds."""

    @property
    def enough(self) -> int:
        """M: how many breaching datapoints are ALARM."""
        return self.periods if self.datapoints is None else self.datapoints


@dataclass(frozen=True, slots=True)
class StateChanged:
    """The alarm has another state than before."""

    alarm: str
    before: State
    after: State
    reason: str


@dataclass(frozen=True, slots=True)
class TakeAction:
    """For SNS, or a scaling policy: an action of the alarm, with the latest value of its window if there is one."""

    alarm: str
    arn: str
    value: float | None


AlarmAction = StateChanged | TakeAction


def checked(alarm: Alarm) -> Alarm:
    """The alarm, if it can be. Raises InvalidMath."""
    if message := wrong(alarm):
        raise InvalidMath(f"the alarm {alarm.name}: {message}")
    return alarm


@cites(CLOUDWATCH_API + "PutMetricAlarm.html")
def wrong(alarm: Alarm) -> str:
    """M is from 1 to N, and N periods are a day at most; seven days where a period is an hour or more."""
    if not 1 <= alarm.enough <= alarm.periods:
        return f"{alarm.enough} datapoints of {alarm.periods} periods cannot breach"
    longest = _WEEK_SECONDS if alarm.math.period >= _DAY_SECONDS // 24 else _DAY_SECONDS
    if alarm.periods * alarm.math.period > longest:
        return f"{alarm.periods} periods of {alarm.math.period} s are longer than {longest} s"
    return ""


def step(alarm: Alarm, data: Mapping[str, Series], now: float) -> tuple[Alarm, list[AlarmAction]]:
    """The alarm after it was evaluated, if a period has ended since; `data` has the series of its metrics by id."""
    times = window(alarm, now)
    end = times[-1] + alarm.math.period
    if alarm.evaluated == end:
        return alarm, []
    found = alarm.math.evaluate(data, times)
    points = tuple((time, found.get(time)) for time in times)
    state = evaluated(alarm, points)
    latest = next((value for _, value in reversed(points) if value is not None), None)
    before, alarm = alarm, replace(alarm, evaluated=end)
    if state == before.state:
        return alarm, _actions(alarm, latest, repeated=True)
    reason = reason_of(alarm, state, points)
    alarm = replace(alarm, state=state, reason=reason, changed_at=now)
    return alarm, [StateChanged(alarm.name, before.state, state, reason), *_actions(alarm, latest, repeated=False)]


def _actions(alarm: Alarm, latest: float | None, *, repeated: bool) -> list[AlarmAction]:
    arns = alarm.actions.get(alarm.state, ()) if alarm.actions_enabled else ()
    return [TakeAction(alarm.name, each, latest) for each in arns if again(each) or not repeated]


@cites(CLOUDWATCH_GUIDE + "AlarmThatSendsEmail.html")
def again(arn: str) -> bool:
    """A scaling policy is called at every evaluation while the state lasts, a topic when it changes alone."""
    return ":autoscaling:" in arn


@inferred("the page has five periods retrieved where three are evaluated, and says that the number varies")
def window(alarm: Alarm, now: float) -> tuple[int, ...]:
    """An evaluation looks at two periods more than it evaluates, up to the last one that has ended."""
    period = alarm.math.period
    end = int(now // period) * period
    return tuple(range(end - (alarm.periods + _MORE_PERIODS) * period, end, period))


@cites(_GUIDE)
def evaluated(alarm: Alarm, points: Points) -> State:
    """If N periods of the range have data, the newest N decide; else missing ones are filled in, as few as possible."""
    values = [value for _, value in points if value is not None]
    if len(values) >= alarm.periods:
        return _by_count(alarm, sum(breaches(alarm, each) for each in values[-alarm.periods :]))
    breaching = sum(breaches(alarm, each) for each in values)
    if alarm.missing in {"breaching", "notBreaching"}:
        stand_ins = alarm.periods - len(values) if alarm.missing == "breaching" else 0
        return _by_count(alarm, breaching + stand_ins)
    if breaching >= alarm.enough:
        return "ALARM"
    return "OK" if breaching < len(values) else without_evidence(alarm, points)


def _by_count(alarm: Alarm, breaching: int) -> State:
    return "ALARM" if breaching >= alarm.enough else "OK"


@cites(_GUIDE)
def without_evidence(alarm: Alarm, points: Points) -> State:
    """Where no datapoint is within the threshold: ignore keeps the state; missing is ALARM if the oldest is M old."""
    if alarm.missing == "ignore":
        return alarm.state
    ages = [len(points) - at for at, (_, value) in enumerate(points) if value is not None]
    return "ALARM" if ages and ages[0] >= alarm.enough else "INSUFFICIENT_DATA"


@cites(CLOUDWATCH_API + "PutMetricAlarm.html")
def breaches(alarm: Alarm, value: float) -> bool:
    """A datapoint breaches if it stands to the threshold as the comparison operator says."""
    match alarm.comparison:
        case "GreaterThanThreshold":
            return value > alarm.threshold
        case "GreaterThanOrEqualToThreshold":
            return value >= alarm.threshold
        case "LessThanThreshold":
            return value < alarm.threshold
    return value <= alarm.threshold


def reason_of(alarm: Alarm, state: State, points: Points) -> str:
    """The reason of a state, for these points."""
    values = [(time, value) for time, value in points if value is not None][-alarm.periods :]
    if state == "INSUFFICIENT_DATA":
        return insufficient(alarm.periods - len(values))
    if not values:
        return f"Threshold Crossed: {no_datapoints(alarm)}"
    breaching = [(time, value) for time, value in values if breaches(alarm, value) == (state == "ALARM")]
    return f"Threshold Crossed: {crossed(alarm, state, breaching or values, len(values))}"


@inferred("notifications of real accounts read so")
def insufficient(unknown: int) -> str:
    """Insufficient data says how many datapoints were unknown."""
    return f"Insufficient Data: {_counted(unknown, 'datapoint')} {_was(unknown)} unknown."


@inferred("notifications of real accounts read so")
def no_datapoints(alarm: Alarm) -> str:
    """Without a datapoint the reason says how missing ones were treated."""
    count = alarm.periods
    text = f"no datapoints were received for {_counted(count, 'period')}"
    treated = _TREATED.get(alarm.missing)
    if treated is None:
        return f"{text}."
    return f"{text} and {_counted(count, 'missing datapoint')} {_was(count)} treated as [{treated}]."


@inferred("notifications of real accounts have both forms; the one with a minimum is of alarms that say M")
def crossed(alarm: Alarm, state: State, points: Sequence[tuple[int, float]], of: int) -> str:
    """The reason names the datapoints, the latest first, the threshold, and M where the alarm says it."""
    shown = ", ".join(
        f"{value} ({datetime.fromtimestamp(time, UTC):%d/%m/%y %H:%M:%S})" for time, value in reversed(points)
    )
    count = len(points)
    which = _counted(count, "datapoint") if alarm.datapoints is None else f"{count} out of the last {of} datapoints"
    negation = "" if state == "ALARM" else "not "
    text = f"{which} [{shown}] {_was(count)} {negation}{_WORDS[alarm.comparison]} the threshold ({alarm.threshold})"
    if alarm.datapoints is None:
        return f"{text}."
    change = "OK -> ALARM" if state == "ALARM" else "ALARM -> OK"
    least = alarm.enough if state == "ALARM" else alarm.periods - alarm.enough + 1
    return f"{text} (minimum {_counted(least, 'datapoint')} for {change} transition)."


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'s' if count != 1 else ''}"


def _was(count: int) -> str:
    return "was" if count == 1 else "were"
