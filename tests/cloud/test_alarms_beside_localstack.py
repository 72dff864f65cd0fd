"""Plain alarms beside LocalStack's own evaluation of them, which the plugin does not use.

Only where LocalStack follows AWS's page. It counts every period that it collected, and not the newest N alone; where
missing data is ignored it keeps the state though there is enough; and a value of 0 is no datapoint to it in places.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO, Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.cloud.control_plane.cloudwatch.alarms import alarm_of
from sim.cloud.localstack import venv
from sim.cluster.cloudwatch.alarms import Comparison, State, evaluated

PERIOD = 60
MORE = 2
"""Periods before those that are evaluated."""


class LocalStack:
    """LocalStack's evaluation, in a process."""

    def __init__(self, questions: IO[str], answers: IO[str]) -> None:
        self._questions = questions
        self._answers = answers

    def state(self, alarm: dict[str, Any], values: Sequence[float | None]) -> str:
        """The state of an alarm after one evaluation of these values, the oldest first."""
        self._questions.write(json.dumps({"alarm": alarm, "values": values}) + "\n")
        self._questions.flush()
        return self._answers.readline().strip()


@pytest.fixture(scope="module")
def localstack() -> Iterator[LocalStack]:
    program = Path(__file__).with_name("localstack_alarms.py")
    command = [str(venv.ensure(print)), str(program)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield LocalStack(process.stdin, process.stdout)


@st.composite
def alarms(draw: st.DrawFn) -> dict[str, Any]:
    """Plain alarms, as DescribeAlarms returns them."""
    periods = draw(st.integers(1, 5))
    return {
        "AlarmName": "a",
        "Namespace": "t",
        "MetricName": "m",
        "Statistic": "Sum",
        "Period": PERIOD,
        "ComparisonOperator": draw(st.sampled_from(get_args(Comparison))),
        "Threshold": draw(st.integers(2, 5)),
        "EvaluationPeriods": periods,
        "DatapointsToAlarm": draw(st.integers(1, periods)),
        "TreatMissingData": draw(st.sampled_from(["missing", "breaching", "notBreaching"])),
        "StateValue": draw(st.sampled_from(get_args(State))),
    }


def ours(alarm: dict[str, Any], values: Sequence[float | None]) -> str:
    """The state that the core gives it."""
    known = replace(alarm_of(alarm), state=alarm["StateValue"])
    return evaluated(known, tuple((PERIOD * number, value) for number, value in enumerate(values)))


@settings(max_examples=300, deadline=None)
@given(alarm=alarms(), data=st.data())
def test_an_alarm_with_data_in_every_period_is_judged_alike(
    localstack: LocalStack, alarm: dict[str, Any], data: st.DataObject
) -> None:
    count = alarm["EvaluationPeriods"]
    values = [None] * MORE + data.draw(st.lists(st.integers(1, 6), min_size=count, max_size=count))
    assert ours(alarm, values) == localstack.state(alarm, values)


@settings(max_examples=100, deadline=None)
@given(alarm=alarms())
def test_an_alarm_without_data_is_judged_alike(localstack: LocalStack, alarm: dict[str, Any]) -> None:
    values = [None] * (MORE + alarm["EvaluationPeriods"])
    assert ours(alarm, values) == localstack.state(alarm, values)


@settings(max_examples=200, deadline=None)
@given(
    alarm=alarms().filter(lambda alarm: alarm["TreatMissingData"] != "missing"),
    values=st.lists(st.one_of(st.none(), st.integers(1, 6)), min_size=7, max_size=7),
)
def test_where_missing_data_is_breaching_or_not_what_is_missing_is_filled_in_alike(
    localstack: LocalStack, alarm: dict[str, Any], values: list[int | None]
) -> None:
    count = alarm["EvaluationPeriods"]
    some = [*[None] * MORE, *values[-count:]]
    assert ours(alarm, some) == localstack.state(alarm, some)
