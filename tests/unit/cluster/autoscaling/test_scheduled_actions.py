"""Scheduled actions of an Auto Scaling group, and their recurrences."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from sim.cluster.autoscaling import cron, scaling_activities, scheduled_actions
from sim.cluster.autoscaling.cron import next_time, parse
from sim.cluster.autoscaling.group_requests import desired_set
from sim.cluster.autoscaling.scheduled_actions import ScheduledAction, fitting, planned
from sim.cluster.refused import Refused
from tests.unit.cluster.autoscaling.group_bench import START, GroupBench
from tests.unit.cluster.proves import proves

HOUR = 3600.0


def at(text: str) -> float:
    """Seconds since 1970 of a time in UTC."""
    return datetime.fromisoformat(text + "+00:00").timestamp()


def times(expression: str, after: str, count: int = 3, zone: str = "UTC") -> list[str]:
    """The next times of a recurrence, in UTC."""
    found, now = list[str](), at(after)
    for _ in range(count):
        now = next_time(parse(expression), zone, now) or 0.0
        found.append(datetime.fromtimestamp(now).astimezone(cron.zone_of("UTC")).strftime("%a %Y-%m-%d %H:%M"))
    return found


@proves(cron.parse)
@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("0 9 * * *", ["Sun 2026-03-01 09:00", "Mon 2026-03-02 09:00", "Tue 2026-03-03 09:00"]),
        ("30 6 * * 2", ["Tue 2026-03-03 06:30", "Tue 2026-03-10 06:30", "Tue 2026-03-17 06:30"]),
        ("*/20 8 * * *", ["Sun 2026-03-01 08:20", "Sun 2026-03-01 08:40", "Mon 2026-03-02 08:00"]),
        ("0 0 1 JAN,jul *", ["Wed 2026-07-01 00:00", "Fri 2027-01-01 00:00", "Thu 2027-07-01 00:00"]),
        ("0 22 * * MON-FRI", ["Mon 2026-03-02 22:00", "Tue 2026-03-03 22:00", "Wed 2026-03-04 22:00"]),
        ("0 0 29 2 *", ["Tue 2028-02-29 00:00", "Sun 2032-02-29 00:00", "Fri 2036-02-29 00:00"]),
        ("0 12 * * 7", ["Sun 2026-03-01 12:00", "Sun 2026-03-08 12:00", "Sun 2026-03-15 12:00"]),
        ("5/25 0 * * *", ["Mon 2026-03-02 00:05", "Mon 2026-03-02 00:30", "Mon 2026-03-02 00:55"]),
    ],
)
def test_a_recurrence_has_its_next_times(expression: str, expected: list[str]) -> None:
    assert times(expression, "2026-03-01T08:00:00") == expected


@proves(cron.on)
def test_day_of_month_and_day_of_week_together_are_each_day_that_fits_either() -> None:
    assert times("0 0 3 * 1", "2026-03-01T08:00:00") == [
        "Mon 2026-03-02 00:00",
        "Tue 2026-03-03 00:00",
        "Mon 2026-03-09 00:00",
    ]


@proves(cron.moment)
def test_a_recurrence_follows_daylight_saving_time_of_its_zone() -> None:
    assert times("0 8 * * *", "2026-03-06T14:00:00", 3, "America/New_York") == [
        "Sat 2026-03-07 13:00",
        "Sun 2026-03-08 12:00",
        "Mon 2026-03-09 12:00",
    ]
    left_out = times("30 2 * * *", "2026-03-29T00:00:00", 2, "Europe/Berlin")
    assert left_out == ["Sun 2026-03-29 01:30", "Mon 2026-03-30 00:30"]
    twice = times("30 2 * * *", "2026-10-24T22:00:00", 2, "Europe/Berlin")
    assert twice == ["Sun 2026-10-25 00:30", "Mon 2026-10-26 01:30"]


@pytest.mark.parametrize(
    "expression", ["0 9 * *", "60 9 * * *", "0 9 * * MOON", "0 9-7 * * *", "*/0 9 * * *", "0 0 30 2 *", "@daily"]
)
def test_a_recurrence_that_cannot_be_is_refused(expression: str) -> None:
    with pytest.raises(Refused, match="Given recurrence string"):
        parse(expression)


@proves(cron.zone_of)
def test_an_unknown_time_zone_is_refused() -> None:
    with pytest.raises(Refused, match="Invalid time zone: Mars/Olympus"):
        planned(ScheduledAction("a", 0.0, desired=1, recurrence=parse("0 9 * * *"), zone="Mars/Olympus"), START)


class Schedule(GroupBench):
    """A group of two, with scheduled actions."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.actions: tuple[ScheduledAction, ...] = ()
        self.settle()

    def plan(self, name: str, **more: Any) -> None:
        self.actions = fitting(self.actions, planned(ScheduledAction(name, 0.0, **more), self.now))

    def at(self, seconds: float) -> int:
        """The desired capacity at so many seconds after the start."""
        self.now = START + seconds
        self.group, self.actions = scheduled_actions.step(self.group, self.actions, self.now, self.chance)
        self.settle(3)
        return self.group.desired


@proves(scaling_activities.scheduled, scaling_activities.performed)
def test_an_action_is_performed_once_at_its_time() -> None:
    group = Schedule()
    group.plan("morning", desired=4, min_size=1, max_size=5, start=START + HOUR)
    assert group.at(HOUR - 10) == 2
    assert group.at(HOUR) == 4
    assert len(group.serving) == 4
    assert (group.group.settings.min_size, group.group.settings.max_size, group.actions) == (1, 5, ())
    assert group.causes[-1].startswith(
        "a scheduled action update of AutoScalingGroup constraints to min: 1, max: 5, desired: 4 "
        "changing the desired capacity from 2 to 4.  "
        "the scheduled action morning executed. Setting desired capacity from 2 to 4."
    )


def test_new_limits_alone_move_the_desired_capacity() -> None:
    group = Schedule()
    group.plan("night", max_size=1, start=START + HOUR)
    assert group.at(HOUR) == 1


@proves(scheduled_actions.first_time, scheduled_actions.later)
def test_an_action_recurs_from_its_start_to_its_end() -> None:
    group = Schedule()
    hourly = parse("0 * * * *")
    group.plan("a", desired=3, recurrence=hourly, start=START + 60, end=START + 1.5 * HOUR)
    assert group.at(60) == 3
    group.ask(desired_set, 5, group.now)
    assert group.at(0.7 * HOUR) == 5
    assert group.at(0.8 * HOUR) == 3, "an hour of the clock has begun"
    assert group.actions == (), "the next one would be after its end"


@proves(scheduled_actions.performs)
def test_a_suspended_group_performs_nothing_and_makes_nothing_up() -> None:
    group = Schedule(suspended=frozenset({"ScheduledActions"}))
    group.plan("a", desired=4, start=START + HOUR)
    assert group.at(HOUR) == 2
    assert group.actions == ()


@proves(scheduled_actions.failed)
def test_an_action_outside_the_limits_changes_nothing_and_an_activity_says_why() -> None:
    group = Schedule(max_size=3)
    group.plan("a", desired=4, start=START + HOUR)
    assert group.at(HOUR) == 2
    activity = group.group.activities[0]
    assert (activity.status, activity.description) == ("Failed", "Executing scheduled action a")
    assert "above max value 3" in activity.message


@proves(scheduled_actions.wrong)
@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"start": START + HOUR}, "At least one of"),
        ({"desired": 1, "start": START - 1}, "start time is in the past"),
        ({"desired": 1, "start": START + 1, "end": START - 1}, "end time is in the past"),
        ({"desired": 1}, "Either a recurrence or a start time"),
        ({"desired": 1, "min_size": 2, "start": START + 1}, "do not fit each other"),
        ({"max_size": 1, "min_size": 2, "start": START + 1}, "do not fit each other"),
        ({"desired": 1, "recurrence": parse("0 0 1 1 *"), "end": START + HOUR}, "no time before its end"),
    ],
)
def test_an_action_that_makes_no_sense_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(Refused, match=message):
        planned(ScheduledAction("a", 0.0, **given), START)


@proves(scheduled_actions.fitting)
def test_two_actions_of_a_group_have_different_times() -> None:
    group = Schedule()
    group.plan("a", desired=3, start=START + HOUR)
    group.plan("a", desired=4, start=START + HOUR)
    with pytest.raises(Refused, match="already exists"):
        group.plan("b", desired=3, start=START + HOUR)
    many = tuple(replace(group.actions[0], name=str(number), at=START + number) for number in range(125))
    with pytest.raises(Refused, match="125"):
        fitting(many, replace(group.actions[0], name="one more"))
