"""Alarms, by the tables of AWS's page, and what they say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.cluster.cloudwatch import alarms
from sim.cluster.cloudwatch.alarms import Alarm, Missing, StateChanged, TakeAction, checked, step
from sim.cluster.cloudwatch.metric_functions import InvalidMath
from sim.cluster.cloudwatch.metric_math import Metric, Query, declared, of_metric
from tests.unit.cluster.proves import proves

METRIC = Metric("AWS/X", "a", (), "Average")
ALARM = Alarm("high", of_metric(METRIC), 0.5, "GreaterThanThreshold", 3, 3)
TOPIC = "arn:aws:sns:eu-west-1:123456789012:alarms"
POLICY = "arn:aws:autoscaling:eu-west-1:123456789012:scalingPolicy:1:resource/ecs/x:policyName/grow"
MISSING: tuple[Missing, ...] = ("missing", "ignore", "breaching", "notBreaching")
START = 1_700_000_040


def points(row: str) -> tuple[tuple[int, float | None], ...]:
    """A row of AWS's tables: X breaches, 0 does not, - is missing."""
    values = {"X": 1.0, "0": 0.0, "-": None}
    return tuple((at * 60, values[each]) for at, each in enumerate(row.split()))


def run(alarm: Alarm, *values: float | None) -> tuple[Alarm, list[Any]]:
    """The alarm after these latest values, and what it did."""
    data = {START + at * 60: value for at, value in enumerate(values) if value is not None}
    return step(alarm, {"m1": data}, START + 60.0 * len(values))


TABLE = [
    ("0 - X - X", 3, "OK OK OK OK"),
    ("0 - - - -", 3, "OK OK OK OK"),
    ("- - - - -", 3, "INSUFFICIENT_DATA same ALARM OK"),
    ("0 X X - X", 3, "ALARM ALARM ALARM ALARM"),
    ("- - - - X", 3, "INSUFFICIENT_DATA same ALARM OK"),
    ("X - - - -", 3, "ALARM same ALARM OK"),
    ("0 - X - X", 2, "ALARM ALARM ALARM ALARM"),
    ("0 0 X 0 X", 2, "ALARM ALARM ALARM ALARM"),
    ("0 - X - -", 2, "OK OK ALARM OK"),
    ("- - - - 0", 2, "OK OK ALARM OK"),
    ("- - - - X", 2, "INSUFFICIENT_DATA same ALARM OK"),
]
"""The points, M, and the state for each way of treating missing data; the row has its oldest point first."""


@proves(alarms.evaluated, alarms.without_evidence)
@pytest.mark.parametrize(("row", "enough", "states"), TABLE)
def test_the_tables_of_the_page(row: str, enough: int, states: str) -> None:
    for missing, state in zip(MISSING, states.split(), strict=True):
        for before in ("OK", "ALARM"):
            alarm = replace(ALARM, datapoints=enough, missing=missing, state=before)
            assert alarms.evaluated(alarm, points(row)) == (before if state == "same" else state), missing


@proves(alarms.breaches)
@pytest.mark.parametrize(
    ("comparison", "breaching"),
    [
        ("GreaterThanThreshold", [False, False, True]),
        ("GreaterThanOrEqualToThreshold", [False, True, True]),
        ("LessThanThreshold", [True, False, False]),
        ("LessThanOrEqualToThreshold", [True, True, False]),
    ],
)
def test_a_datapoint_breaches_as_the_operator_says(comparison: Any, breaching: list[bool]) -> None:
    alarm = replace(ALARM, comparison=comparison, threshold=5.0)
    assert [alarms.breaches(alarm, each) for each in (4.0, 5.0, 6.0)] == breaching


@proves(alarms.crossed)
def test_a_reason_names_the_datapoints_the_latest_first() -> None:
    alarm, _ = run(replace(ALARM, periods=3, datapoints=2), 0.0, 1.0, 2.0)
    assert alarm.reason == (
        "Threshold Crossed: 2 out of the last 3 datapoints [2.0 (14/11/23 22:16:00), 1.0 (14/11/23 22:15:00)] "
        "were greater than the threshold (0.5) (minimum 2 datapoints for OK -> ALARM transition)."
    )
    alarm, _ = run(replace(alarm, evaluated=None), 0.0, 0.0, 2.0)
    assert alarm.reason.endswith(
        "were not greater than the threshold (0.5) (minimum 2 datapoints for ALARM -> OK transition)."
    )
    plain, _ = run(replace(ALARM, periods=1, datapoints=None, comparison="GreaterThanOrEqualToThreshold"), 1.0)
    assert plain.reason == (
        "Threshold Crossed: 1 datapoint [1.0 (14/11/23 22:14:00)] was greater than or equal to the threshold (0.5)."
    )


@proves(alarms.no_datapoints, alarms.insufficient)
def test_a_reason_says_how_missing_data_was_treated() -> None:
    alarm, _ = run(replace(ALARM, periods=1, datapoints=1, missing="breaching"), None)
    assert alarm.reason == (
        "Threshold Crossed: no datapoints were received for 1 period "
        "and 1 missing datapoint was treated as [Breaching]."
    )
    alarm, _ = run(replace(ALARM, periods=2, datapoints=2, missing="notBreaching"), None)
    assert alarm.reason == (
        "Threshold Crossed: no datapoints were received for 2 periods "
        "and 2 missing datapoints were treated as [NonBreaching]."
    )
    alarm, _ = run(replace(ALARM, state="OK"), None)
    assert alarm.reason == "Insufficient Data: 3 datapoints were unknown."


@proves(alarms.again)
def test_a_topic_hears_of_a_change_and_a_policy_of_every_evaluation() -> None:
    alarm = replace(ALARM, periods=1, datapoints=1, actions={"ALARM": (TOPIC, POLICY)})
    alarm, actions = run(alarm, 1.0)
    assert isinstance(actions[0], StateChanged)
    assert actions[1:] == [TakeAction("high", TOPIC, 1.0), TakeAction("high", POLICY, 1.0)]
    assert run(alarm, 1.0)[1] == []
    alarm, actions = run(alarm, 1.0, 3.0)
    assert actions == [TakeAction("high", POLICY, 3.0)]
    _, actions = run(replace(alarm, actions_enabled=False), 1.0, 3.0, 0.0)
    assert [type(each) for each in actions] == [StateChanged]


@proves(alarms.window)
def test_a_period_counts_when_it_has_ended() -> None:
    assert alarms.window(ALARM, 600.0) == (300, 360, 420, 480, 540)
    assert alarms.window(ALARM, 659.9) == (300, 360, 420, 480, 540)


def test_an_alarm_on_metric_math_fires() -> None:
    metrics = [Query(each, replace(METRIC, name=each, stat="Sum"), returns=False) for each in ("errors", "requests")]
    percent = declared(
        [*metrics, Query("percent", None, "IF(FILL(requests, 0) >= 20, 100 * FILL(errors, 0) / requests, 0)")]
    )
    alarm = Alarm("errors", percent, 5.0, "GreaterThanOrEqualToThreshold", 2, missing="notBreaching")
    data = {"requests": dict.fromkeys(range(0, 600, 60), 100.0), "errors": {480: 7.0}}
    alarm, _ = step(alarm, data, 540.0)
    assert alarm.state == "OK"
    data["errors"][540] = 5.0
    alarm, _ = step(alarm, data, 600.0)
    assert alarm.state == "ALARM"
    quiet, _ = step(replace(alarm, evaluated=None), {"requests": {480: 1.0, 540: 1.0}, "errors": {540: 1.0}}, 600.0)
    assert quiet.state == "OK"


@proves(alarms.wrong)
def test_an_alarm_that_can_never_be_is_refused() -> None:
    with pytest.raises(InvalidMath, match="4 datapoints of 3 periods"):
        checked(replace(ALARM, datapoints=4))
    with pytest.raises(InvalidMath, match="longer than 86400 s"):
        checked(replace(ALARM, periods=1441, datapoints=1))
    assert checked(ALARM) == ALARM


windows = st.lists(st.sampled_from("X0-"), min_size=5, max_size=5).map(" ".join)


@proves(alarms.evaluated)
@given(windows, st.integers(1, 3), st.sampled_from(MISSING))
def test_the_state_is_a_function_of_the_window(row: str, enough: int, missing: Missing) -> None:
    alarm = replace(ALARM, datapoints=enough, missing=missing)
    found = {
        alarms.evaluated(replace(alarm, state=before), points(row)) for before in ("OK", "ALARM", "INSUFFICIENT_DATA")
    }
    assert len(found) == 1 or (missing == "ignore" and "0" not in row)


@given(windows, st.integers(1, 3), st.sampled_from(["breaching", "notBreaching"]))
def test_one_more_breaching_datapoint_never_ends_an_alarm(row: str, enough: int, missing: Missing) -> None:
    alarm = replace(ALARM, datapoints=enough, missing=missing)
    if alarms.evaluated(alarm, points(row)) == "ALARM":
        assert alarms.evaluated(alarm, points(row.replace("0", "X", 1))) == "ALARM"


@pytest.mark.parametrize(
    ("name", "bug"),
    [
        ("without_evidence", lambda *_: "INSUFFICIENT_DATA"),
        ("breaches", lambda _, value: value < 1),
        ("_by_count", lambda _, breaching: "ALARM" if breaching else "OK"),
    ],
)
def test_a_bug_in_a_rule_breaks_the_tables(monkeypatch: pytest.MonkeyPatch, name: str, bug: Callable[..., Any]) -> None:
    monkeypatch.setattr(alarms, name, bug)
    wrong = [
        row
        for row, enough, states in TABLE
        for missing, state in zip(MISSING, states.split(), strict=True)
        if alarms.evaluated(replace(ALARM, datapoints=enough, missing=missing, state="OK"), points(row))
        != ("OK" if state == "same" else state)
    ]
    assert wrong
