"""CloudWatch's composite alarms: `step(alarm, others, now) -> (alarm, change)`.

# Theory of operation

A composite alarm has a rule over the states of other alarms, its children. It is ALARM where the rule holds and else
OK. It is looked at when it is put and when the state of a child has changed, at once and not by a period. So a state
that somebody set by hand lasts until then.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Create_Composite_Alarm.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from sim.cluster.citations import CLOUDWATCH_API, CLOUDWATCH_GUIDE, LeftOut, cites
from sim.cluster.cloudwatch.alarm_rules import Rule, children, holds
from sim.cluster.cloudwatch.alarms import State

_PAGE: Final = CLOUDWATCH_API + "PutCompositeAlarm.html"
_EVENTS: Final = CLOUDWATCH_GUIDE + "cloudwatch-and-eventbridge.html"

LEFT_OUT: Final = (
    LeftOut(
        "Suppression of a composite alarm's actions (`ActionsSuppressor`).",
        CLOUDWATCH_GUIDE + "Create_Composite_Alarm.html",
        "an alarm with it is refused by name",
    ),
    LeftOut(
        "Actions of alarms that are no topic of SNS, no Lambda function and no scaling policy.",
        CLOUDWATCH_GUIDE + "alarms-and-actions.html",
        "they are kept and not taken: LocalStack's log says so",
    ),
)


@dataclass(frozen=True, slots=True)
class Child:
    """An alarm that a rule can be about."""

    arn: str
    state: State


@dataclass(frozen=True, slots=True)
class CompositeAlarm:
    """A composite alarm. `seen` are the states of its children when it was evaluated last, None before that."""

    arn: str
    rule: Rule
    state: State = "INSUFFICIENT_DATA"
    seen: Mapping[str, State] | None = None


@dataclass(frozen=True, slots=True)
class CompositeChanged:
    """The alarm has another state than before, because of these of its children."""

    state: State
    reason: str
    because_of: tuple[Child, ...]


def step(
    alarm: CompositeAlarm, others: Mapping[str, Child], now: float
) -> tuple[CompositeAlarm, CompositeChanged | None]:
    """The alarm after it was evaluated, if it is due; `others` has the alarms of its account and region by name.

    The time is AWS's, in seconds since 1970.
    """
    present = {name: others[name].state for name in children(alarm.rule) if name in others}
    if not due(alarm, present):
        return alarm, None
    state = state_of(alarm.rule, present)
    changed = None
    if state != alarm.state:
        before = alarm.seen
        names = [name for name in present if before is None or before.get(name) != present[name]]
        because_of = tuple(others[name] for name in names)
        changed = CompositeChanged(state, reason_of(alarm, state, because_of, now), because_of)
    return replace(alarm, state=state, seen=present), changed


@cites(CLOUDWATCH_API + "SetAlarmState.html")
def due(alarm: CompositeAlarm, present: Mapping[str, State]) -> bool:
    """It is evaluated when it is put and when a child's state changes; a state set by hand lasts until then."""
    return alarm.seen != present


@cites(_PAGE)
def state_of(rule: Rule, states: Mapping[str, State]) -> State:
    """ALARM if the rule holds, else OK; insufficient data is its state before the first evaluation alone."""
    return "ALARM" if holds(rule, states) else "OK"


@cites(_EVENTS)
def reason_of(alarm: CompositeAlarm, state: State, because_of: tuple[Child, ...], now: float) -> str:
    """The reason is the child that changed its state, and when; of an alarm that was put, that it was."""
    if alarm.seen is None or not because_of:
        put = "created" if alarm.state == "INSUFFICIENT_DATA" else "updated"
        return f"{alarm.arn} was {put} and its alarm rule evaluates to {state}"
    first = because_of[0]
    return f"{first.arn} transitioned to {first.state} at {datetime.fromtimestamp(now, UTC):%A %d %B, %Y %H:%M:%S} UTC"


@cites(_PAGE)
def in_circle(name: str, rules: Mapping[str, Rule]) -> bool:
    """The evaluation stops where composite alarms depend on each other in a circle."""
    seen, left = set[str](), [*children(rules[name])]
    while left:
        each = left.pop()
        if each == name:
            return True
        if each in rules and each not in seen:
            seen.add(each)
            left += children(rules[each])
    return False
