"""Waiting for a condition, with a deadline."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from sim.host.waiting import TimedOut, until


def values(*each: object) -> Iterator[object]:
    yield from each


def test_the_first_true_value_is_returned() -> None:
    coming = values(None, [], 0, "there", "later")
    assert until(lambda: next(coming), "a value", seconds=10) == "there"


def test_a_condition_is_checked_once_even_with_no_time() -> None:
    assert until(lambda: "there", "a value", seconds=0) == "there"


def test_the_timeout_reports_what_was_seen_instead() -> None:
    began = time.monotonic()
    with pytest.raises(TimedOut, match=r"^waited 0.1 s for an empty queue; seen instead: \[\]$"):
        until(list, "an empty queue", seconds=0.1)
    assert 0.1 <= time.monotonic() - began < 5


def test_the_timeout_can_report_a_value_read_at_its_end() -> None:
    with pytest.raises(TimedOut, match="seen instead: 'three messages'"):
        until(lambda: False, "an empty queue", seconds=0, seen=lambda: "three messages")


def test_an_error_in_the_condition_is_raised_at_once() -> None:
    def broken() -> bool:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        until(broken, "anything", seconds=60)
