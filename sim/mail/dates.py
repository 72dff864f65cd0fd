"""The moment that a date in a mail names."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
# Hours east of Greenwich. RFC 5322's names, and others that have one meaning alone: no BST, no IST.
_ZONES = {
    "ut": 0,
    "utc": 0,
    "gmt": 0,
    "z": 0,
    "wet": 0,
    "west": 1,
    "cet": 1,
    "cest": 2,
    "met": 1,
    "mest": 2,
    "est": -5,
    "edt": -4,
    "cst": -6,
    "cdt": -5,
    "mst": -7,
    "mdt": -6,
    "pst": -8,
    "pdt": -7,
    "eet": 2,
    "eest": 3,
    "msk": 3,
    "hkt": 8,
    "jst": 9,
    "kst": 9,
    "aest": 10,
    "aedt": 11,
    "nzst": 12,
    "nzdt": 13,
}

_LONGEST = 500  # characters
_COMMENT = re.compile(r"\([^()]*\)")
_UNCLOSED_COMMENT = re.compile(r"\(.*")
_BLANKS = re.compile(r"\s+")
_AROUND_COLON = re.compile(r" ?: ?")

_DAY = r"(?P<day>\d{1,2})"
_MONTH = r"(?P<month>[a-z]{3,9})\.?"
_YEAR = r"(?P<year>\d{2,4})"
_WEEKDAY = r"(?:[^\W\d]{2,9}\.?,? ?)?"
_TIME = r"(?P<hour>\d{1,2})[:.](?P<minute>\d{2})(?:[:.](?P<second>\d{2})(?:[.,]\d+)?)?(?: ?(?P<half>[ap])\.?m\.?)?"
_ZONE = r"(?: ?(?P<zone>[a-z]*) ?(?:(?P<sign>[+-])(?P<offset>\d{1,2}:\d{2}|\d{1,4})(?: [a-z ]+)?)?)"
_FORMS = [
    re.compile(form, re.ASCII | re.IGNORECASE)
    for form in (
        # Fri, 21 Nov 1997 09:55:06 -0600
        rf"{_WEEKDAY}{_DAY}[ -]*{_MONTH}[ ,-]*{_YEAR}[ ,]+{_TIME}{_ZONE}",
        # Fri Nov 21 09:55:06 1997, with the zone before or behind the year
        rf"{_WEEKDAY}{_MONTH} {_DAY},? {_TIME}{_ZONE} (?P<year>\d{{4}})",
        rf"{_WEEKDAY}{_MONTH} {_DAY},? {_TIME} (?P<year>\d{{4}}){_ZONE}",
        # Nov 21, 1997 9:55:06 AM -0600
        rf"{_WEEKDAY}{_MONTH} {_DAY},? (?P<year>\d{{4}}),? {_TIME}{_ZONE}",
        # 1997-11-21T09:55:06-06:00
        rf"(?P<year>\d{{4}})([-/])(?P<month>\d{{2}})\2{_DAY}[ t]{_TIME}{_ZONE}",
        # 21/11/1997 09:55:06 -0600, and the same with the month first
        rf"{_WEEKDAY}(?P<day>\d{{1,2}})([-/.])(?P<month>\d{{1,2}})\2(?P<year>\d{{4}}),? {_TIME}{_ZONE}",
        rf"{_WEEKDAY}(?P<month>\d{{1,2}})([-/.])(?P<day>\d{{1,2}})\2(?P<year>\d{{4}}),? {_TIME}{_ZONE}",
    )
]


def unix_seconds(field: str) -> int | None:
    """The moment that a date-time names, in Unix seconds, or None if it names none beyond doubt.

    Takes the date of a mail's header with the obsolete forms, the date of an mbox's separator line, and ISO 8601.
    A month that is a number may be before or behind the day, if no other day comes of the other order.
    Without a zone a date is in UTC, as with "-0000". A zone whose name has several meanings, or none that is known,
    names no moment. https://www.rfc-editor.org/rfc/rfc5322#section-3.3 and section 4.3
    """
    if len(field) > _LONGEST:
        return None
    plain = _plain(field)
    moments = {_moment(parts.groupdict()) for form in _FORMS if (parts := form.fullmatch(plain))} - {None}
    return moments.pop() if len(moments) == 1 else None


def _plain(field: str) -> str:
    """The date without its comments, which may be within each other, and without needless white space."""
    comments = 1
    while comments:
        field, comments = _COMMENT.subn(" ", field)
    field = _UNCLOSED_COMMENT.sub("", field)
    return _AROUND_COLON.sub(":", _BLANKS.sub(" ", field)).strip()


def _moment(parts: dict[str, str | None]) -> int | None:
    month, hour, offset = _month(parts["month"] or ""), _hour(parts), _offset(parts)
    second = int(parts["second"] or 0)
    leap_second = second == 60  # noqa: PLR2004
    if month is None or hour is None or offset is None:
        return None
    try:
        moment = datetime(
            _year(parts["year"] or ""),
            month,
            int(parts["day"] or 0),
            hour,
            int(parts["minute"] or 0),
            second - leap_second,
            tzinfo=UTC,
        )
    except ValueError:  # no such day, or no such time of the day
        return None
    return int(moment.timestamp()) + leap_second - offset


def _year(digits: str) -> int:
    """https://www.rfc-editor.org/rfc/rfc5322#section-4.3"""
    year = int(digits)
    match len(digits):
        case 2:
            return year + (2000 if year < 50 else 1900)  # noqa: PLR2004
        case 3:
            return year + 1900
        case _:
            return year


def _month(name: str) -> int | None:
    if name.isdecimal():
        return int(name)
    return next((number for number, month in enumerate(_MONTHS, 1) if month.startswith(name.lower())), None)


def _hour(parts: dict[str, str | None]) -> int | None:
    hour, half = int(parts["hour"] or 0), (parts["half"] or "").lower()
    if hour > 12:  # noqa: PLR2004
        return None if half == "a" else hour
    return hour if not half else hour % 12 + (12 if half == "p" else 0)


def _offset(parts: dict[str, str | None]) -> int | None:
    """Seconds east of Greenwich, or None if that is not certain."""
    name, sign, digits = (parts["zone"] or "").lower(), parts["sign"], parts["offset"]
    named = _ZONES.get(name) if name else 0
    if sign is None or digits is None:
        # A letter alone is a military zone, which so many senders had wrong that it says nothing.
        return 0 if len(name) == 1 else None if named is None else named * 3600
    hours, minutes = (digits[:-2] or "0", digits[-2:]) if len(digits) > 2 else (digits, "0")  # noqa: PLR2004
    seconds = (int(hours.rstrip(":")) * 60 + int(minutes)) * 60 * (-1 if sign == "-" else 1)
    if int(minutes) > 59 or abs(seconds) >= 24 * 3600 or name == "z":  # noqa: PLR2004
        return None
    return seconds if named == 0 or named == seconds / 3600 else None
