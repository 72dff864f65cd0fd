"""A date of a mail is a moment, or it is refused: it is never taken for another moment."""

from __future__ import annotations

import pytest

from sim.mail.dates import unix_seconds

MOMENT = 880127706


@pytest.mark.parametrize(
    "date",
    [
        "Fri, 21 Nov 1997 09:55:06 -06:00",
        "Fri, 21 Nov 1997 09:55:06 GMT-0600",
        "Fri, 21 Nov 1997 17:55:06 UTC+02:00",
        "Fri, 21 Nov 1997 17:55:06 GMT+2",
        "Fri, 21 Nov 1997 09:55:06 -6",
        "Fri, 21 Nov 1997 21:25:06 +530",
        "Fri, 21 Nov 1997 09:55:06 -0600 CST",
        "Fri, 21 Nov 1997 09:55:06 -0600 (Central (Standard) Time)",
        "Fri, 21 Nov 1997 09:55:06 -0600 (cut",
        "Fri, 21 Nov 1997 15:55:06+0000",
        "Fri,21 Nov 1997 15:55:06 Z",
        "Friday, 21-Nov-97 15:55:06 GMT",
        "Fr, 21 November 1997 15.55.06 +0000",
        "Sat, 22 Nov 1997 00:55:06 JST",
        "Fri, 21 Nov 1997 17:55:06 EET",
        "Fri, 21 Nov 1997 3:55:06 PM",
        "Fri, 21 Nov 1997 3:55:06 p.m. +0000",
        "Fri, 21 Nov 1997 15:55:06 PM +0000",
        "Nov 21, 1997 9:55:06 AM -0600",
        "1997-11-21T09:55:06-06:00",
        "1997-11-21T15:55:06Z",
        "1997-11-21 15:55:06.250 +0000",
        "1997/11/21 15:55:06",
        "21/11/1997 09:55:06 -0600",
        "Fri, 11/21/1997 3:55:06 PM",
        "21.11.1997, 15:55:06 GMT",
        "11-21-1997 15:55:06",
        "Fri Nov 21 15:55:06 1997",
        "Fri Nov 21 09:55:06 CST 1997",
        "Fri Nov 21 09:55:06 -0600 1997",
        "Fri Nov 21 09:55:06 1997 -0600",
        "Fri, Nov 21 15:55:06 1997",
    ],
)
def test_the_forms_in_which_programs_write_one_moment(date: str) -> None:
    assert unix_seconds(date) == MOMENT


@pytest.mark.parametrize(
    ("date", "moment"),
    [
        ("21 Nov 1997 12:30:00 AM +0000", 880072200),
        ("21 Nov 1997 12:30:00 PM +0000", 880115400),
        ("1 Jan 70 00:00:00 +0000", 0),
        ("1 Jan 49 00:00:00 +0000", 2493072000),
        ("1 Jan 50 00:00:00 +0000", -631152000),
        ("1 Jan 100 00:00:00 +0000", 946684800),
        ("1 Jan 124 00:00:00 +0000", 1704067200),
        ("5/5/2024 10:00:00", 1714903200),
        ("31 Dec 1998 23:59:60 +0000", 915148800),
    ],
)
def test_halves_of_the_day_short_years_and_leap_seconds(date: str, moment: int) -> None:
    assert unix_seconds(date) == moment


@pytest.mark.parametrize(
    "date",
    [
        "yesterday",
        "21 Nov 1997",
        "10:00",
        "Nov 1997 10:00",
        "1/2/1997 15:55:06",
        "12.11.1997 15:55:06",
        "21/11/97 15:55:06",
        "21/11-1997 15:55:06",
        "21/21/1997 15:55:06",
        "31 Feb 1997 10:00:00 +0000",
        "21 Nov 1997 25:00:00 +0000",
        "21 Nov 1997 10:61:00 +0000",
        "21 Nov 1997 13:00:00 AM +0000",
        "21 Nov 1997 10:00:00 +0060",
        "21 Nov 1997 10:00:00 -9959",
        "21 Nov 1997 10:00:00 +0000 +0100",
        "21 Nov 1997 10:00:00 EST+0100",
        "21 Nov 1997 10:00:00 IST",
        "21 Nov 1997 10:00:00 XYZ",
        "21 Nov 1997 10:00:00 and more",
        "21 Mai 1997 10:00:00 +0000",
        "٢١ Nov 1997 10:00:00 +0000",
        "9" * 5000,
        "(" * 5000,
    ],
)
def test_what_may_be_two_moments_or_none_is_no_date(date: str) -> None:
    assert unix_seconds(date) is None
