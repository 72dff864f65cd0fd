"""Recurrences as Auto Scaling has them: cron expressions of five fields, in a time zone.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-scheduled-scaling.html
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sim.cluster.citations import ASG_API, ASG_GUIDE, cites, inferred
from sim.cluster.refused import Refused

_GUIDE: Final = ASG_GUIDE + "ec2-auto-scaling-scheduled-scaling.html"
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_LONGEST_DAYS: Final = 366 * 8
"""February 29 comes once in eight years at least."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field of an expression: its name, its least and its largest value, and the names of the values from `least`."""

    name: str
    least: int
    most: int
    names: tuple[str, ...] = ()


_FIELDS: Final = (
    Field("minute", 0, 59),
    Field("hour", 0, 23),
    Field("day of month", 1, 31),
    Field("month", 1, 12, _MONTHS),
    Field("day of week", 0, 7, _DAYS),
)


@dataclass(frozen=True, slots=True)
class Cron:
    """The values of each field at which it is time; `text` is how it was written. Sunday is 0."""

    text: str
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]


@cites(_GUIDE)
def parse(text: str) -> Cron:
    """A recurrence has five fields: minute, hour, day of month, month, day of week. Raises Refused."""
    fields = text.split()
    if len(fields) != len(_FIELDS):
        raise _invalid(text, f"it has {len(fields)} fields and needs 5")
    minutes, hours, days, months, weekdays = (
        frozenset(_values(text, given, of)) for given, of in zip(fields, _FIELDS, strict=True)
    )
    cron = Cron(text, minutes, hours, days, months, frozenset(each % 7 for each in weekdays))
    if next_time(cron, "UTC", 0.0) is None:
        raise _invalid(text, "it names no day of the calendar")
    return cron


def _values(text: str, given: str, of: Field) -> Iterator[int]:
    """Of a list of values, of ranges, or of `*`, each with a step or without one."""
    for item in given.split(","):
        span, slash, every = item.partition("/")
        low, dash, high = span.partition("-")
        if slash and not (every.isdigit() and int(every)):
            raise _invalid(text, f"{item!r} is no {of.name}")
        first = of.least if span == "*" else _value(text, low, of)
        last = of.most if span == "*" or (slash and not dash) else _value(text, high if dash else low, of)
        if first > last:
            raise _invalid(text, f"{item!r} is no {of.name}")
        yield from range(first, last + 1, int(every) if slash else 1)


def _value(text: str, given: str, of: Field) -> int:
    if given.lower() in of.names:
        return of.least + of.names.index(given.lower())
    if not given.isdigit() or not of.least <= int(given) <= of.most:
        raise _invalid(text, f"{given!r} is no {of.name}")
    return int(given)


def _invalid(text: str, why: str) -> Refused:
    return Refused("ValidationError", f"Given recurrence string: {text} is invalid: {why}.")


@cites(ASG_API + "PutScheduledUpdateGroupAction.html")
def zone_of(name: str) -> ZoneInfo:
    """A time zone has its name in the IANA Time Zone Database. Raises Refused."""
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError):
        raise Refused("ValidationError", f"Invalid time zone: {name}. Use a name such as Europe/Berlin.") from None


def next_time(cron: Cron, zone: str, after: float) -> float | None:
    """When the recurrence is next, later than `after`; both in seconds since 1970. None if it never is."""
    place = zone_of(zone)
    begin = datetime.fromtimestamp(after, place)
    for number in range(_LONGEST_DAYS):
        day = begin.date() + timedelta(days=number)
        if on(cron, day):
            times = (moment(day, hour, minute, place) for hour in sorted(cron.hours) for minute in sorted(cron.minutes))
            if found := min((each for each in times if each > after), default=None):
                return found
    return None


@cites("https://man7.org/linux/man-pages/man5/crontab.5.html")
def on(cron: Cron, day: date) -> bool:
    """If both the day of month and the day of week are restricted it is each day that fits either."""
    in_month, in_week = day.day in cron.days, day.isoweekday() % 7 in cron.weekdays
    _, _, days, _, weekdays = cron.text.split()
    both = not days.startswith("*") and not weekdays.startswith("*")
    return day.month in cron.months and (in_month or in_week if both else in_month and in_week)


@inferred("AWS says that a recurrence adjusts for daylight saving time, not what happens in the hour that changes")
def moment(day: date, hour: int, minute: int, zone: ZoneInfo) -> float:
    """A local time that daylight saving time leaves out comes an hour later; one that comes twice, at first."""
    return datetime.combine(day, time(hour, minute), zone).astimezone(UTC).timestamp()
