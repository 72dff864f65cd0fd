"""Which log lines a metric filter counts."""

from __future__ import annotations

import json

import pytest

from sim.aws.log_filters import InvalidPattern, matcher, values

FAILED = json.dumps({"message": "PutObject failed", "level": "ERROR", "call": {"attempts": 3}})
STORED = json.dumps({"message": "stored", "level": "INFO", "call": {"attempts": 1}})


@pytest.mark.parametrize(
    ("pattern", "failed", "stored"),
    [
        ("", True, True),
        ('{ $.message = "PutObject failed" }', True, False),
        ('{ $.message != "PutObject failed" }', False, True),
        ("{ $.message = Put* }", True, False),
        ("{ $.call.attempts >= 3 }", True, False),
        ("{ $.call.attempts < 3 }", False, True),
        ('{ $.level = "INFO" || $.level = "ERROR" && $.call.attempts = 3 }', True, True),
        ('{ $.level = "ERROR" && $.call.attempts = 1 }', False, False),
        ("{ $.missing = 1 }", False, False),
        ("{ $.missing != x }", False, False),
        ("stored", False, True),
        ('"PutObject failed" ERROR', True, False),
        ("-ERROR", False, True),
        ("?ERROR ?stored", True, True),
    ],
)
def test_a_pattern_counts_the_lines_that_it_names(pattern: str, failed: bool, stored: bool) -> None:
    matches = matcher(pattern)
    assert (matches(FAILED), matches(STORED)) == (failed, stored)


def test_a_line_that_is_no_json_object_has_no_fields() -> None:
    matches = matcher('{ $.message != "x" }')
    assert not any(matches(line) for line in ("PutObject failed", "[]", "{", "3"))


@pytest.mark.parametrize(
    "pattern",
    ["[ip, user]", "%ERR.*%", "{ $.a IS NULL }", "{ ($.a = 1) }", "{ $.a NOT EXISTS }", "{ $.a < b }", "{ $.a = 1"],
)
def test_what_is_not_evaluated_is_named(pattern: str) -> None:
    with pytest.raises(InvalidPattern, match=r"(of a|the) filter pattern"):
        matcher(pattern)


@pytest.mark.parametrize(
    ("given", "value"), [("1", 1.0), ("-2.5", -2.5), ("$.call.attempts", 3.0), ("$.missing", None), ("$.level", None)]
)
def test_a_line_counts_what_the_filters_value_says(given: str, value: float | None) -> None:
    assert values(given)(FAILED) == value


def test_a_line_that_is_no_json_has_no_value_of_a_field() -> None:
    assert values("$.size")("size 7") is None


def test_a_value_that_is_neither_a_number_nor_a_field_is_refused() -> None:
    with pytest.raises(InvalidPattern, match=r"the metric value '\$size' is not evaluated"):
        values("$size")
