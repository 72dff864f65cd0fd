"""Metric math, by the examples of AWS's page and the expressions of our own Terraform."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.cluster.cloudwatch import metric_functions, metric_math, metric_syntax
from sim.cluster.cloudwatch.metric_functions import InvalidMath, Series
from sim.cluster.cloudwatch.metric_math import Metric, Query, declared, of_metric
from tests.unit.cluster.proves import proves

MINUTE = 60
Row = list[float | None]


def series(row: Row) -> Series:
    return {at * MINUTE: value for at, value in enumerate(row) if value is not None}


def queries(expression: str, ids: Mapping[str, Row]) -> list[Query]:
    metrics = [Query(each, Metric("AWS/X", each, (), "Sum"), returns=False) for each in ids]
    return [*metrics, Query("result", None, expression)]


def worked_out(expression: str, **rows: Row) -> Row:
    times = [at * MINUTE for at in range(max(len(each) for each in rows.values()))]
    found = declared(queries(expression, rows)).evaluate({key: series(row) for key, row in rows.items()}, times)
    return [found.get(time) for time in times]


def example(expression: str) -> Row:
    """Worked out over the two metrics of AWS's page."""
    return worked_out(expression, a=[30, 20, 0, 0], b=[20, None, 20, None])


def about(row: Row) -> list[Any]:
    return [None if each is None else pytest.approx(each) for each in row]


EXAMPLES: list[tuple[str, Row]] = [
    ("a < b", [0, 0, 1, 0]),
    ("a >= 30", [1, 0, 0, 0]),
    ("a > 15 AND b > 15", [1, 0, 0, 0]),
    ("a > 15 && b > 15", [1, 0, 0, 0]),
    ("a == 0 OR b == 20", [1, 0, 1, 1]),
    ("a + b", [50, 20, 20, 0]),
    ("2 * a - -b", [80, 40, 20, 0]),
    ("a / b", [1.5, None, 0, None]),
    ("100 / a", [100 / 30, 5, None, None]),
    ("a ^ 2 / 10", [90, 40, 0, 0]),
    ("-a ^ 2", [-900, -400, 0, 0]),
    ("(a + 10) * 2", [80, 60, 20, 20]),
    ("SUM([a, b])", [50, 20, 20, 0]),
    ("AVG([a, b])", [25, 10, 10, 0]),
    ("MIN([a, b])", [20, 20, 0, 0]),
    ("SUM(METRICS()) / METRIC_COUNT(METRICS())", [25, 10, 10, 0]),
    ('SUM(METRICS("b"))', [20, None, 20, None]),
    ("SUM(METRICS() * 2)", [100, 40, 40, 0]),
    ("a - AVG(a)", [17.5, 7.5, -12.5, -12.5]),
    ("a / PERIOD(a)", [0.5, 1 / 3, 0, 0]),
    ("RATE(a)", [None, -1 / 6, -1 / 3, 0]),
    ("DIFF(b)", [None, None, 0, None]),
    ("DIFF_TIME(b)", [None, None, 120, None]),
    ("RUNNING_SUM(a)", [30, 50, 50, 50]),
    ("FILL(b, 7)", [20, 7, 20, 7]),
    ("FILL(b, REPEAT)", [20, 20, 20, 20]),
    ("FILL(b / 2, LINEAR)", [10, 10, 10, None]),
    ("FILL(b, a)", [20, 20, 20, 0]),
    ("CEIL(a / 7) - FLOOR(a / 7)", [1, 1, 0, 0]),
    ("ABS(b - 30)", [10, None, 10, None]),
    ("LOG10(a * 10 / 3)", [2, math.log10(200 / 3), None, None]),
    ("TIME_SERIES(MAX(a))", [30, 30, 30, 30]),
    ("FIRST([a, b]) - LAST([a, b])", [10, 20, -20, 0]),
    ("DATAPOINT_COUNT([a, b])", [2, 1, 2, 1]),
    ("EPOCH(a)", [0, 60, 120, 180]),
    ("SUM(REMOVE_EMPTY(METRICS()))", [50, 20, 20, 0]),
]
"""What each expression is over these two."""


@proves(metric_math.operated, metric_math.missing_is_zero)
@pytest.mark.parametrize(("expression", "expected"), EXAMPLES)
def test_an_expression_is_worked_out(expression: str, expected: Row) -> None:
    assert example(expression) == about(expected)


@pytest.mark.parametrize(
    ("module", "name", "bug"),
    [
        (
            metric_math,
            "missing_is_zero",
            lambda value, time: value.get(time, 1.0) if isinstance(value, dict) else value,
        ),
        (metric_math, "operated", lambda _, left, right: left + right),
        (metric_functions, "fill", lambda series, *_: series),
        (metric_functions, "_filler", lambda *_: 0.0),
    ],
)
def test_a_bug_in_a_rule_breaks_an_example(
    monkeypatch: pytest.MonkeyPatch, module: object, name: str, bug: Callable[..., Any]
) -> None:
    monkeypatch.setattr(module, name, bug)
    assert [expression for expression, expected in EXAMPLES if example(expression) != about(expected)]


@proves(metric_functions.chosen)
@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("IF(m1, m2, m3)", [30, 0, 20, None, None]),
        ("IF(m1, 5, m3)", [5, 5, 20, None, None]),
        ("IF(m1, m2, 5)", [30, 0, 5, 5, None]),
        ("IF(m1, m2)", [30, 0, None, None, None]),
        ("IF(m2 < 10, m2)", [None, None, 0, 0, None]),
        ("IF(1, m2, m3)", [30, None, 0, 0, 30]),
        ("IF(0, m2)", [None] * 5),
    ],
)
def test_if_is_as_the_tables_of_the_page(expression: str, expected: Row) -> None:
    rows: dict[str, Row] = {"m1": [1, 1, 0, 0, None], "m2": [30, None, 0, 0, 30], "m3": [0, 0, 20, None, 20]}
    assert worked_out(expression, **rows) == expected


@proves(metric_functions.fill)
def test_a_metric_without_any_data_is_filled() -> None:
    backlog = "visible / IF(FILL(running, 0) > 0, running, 1)"
    assert worked_out(backlog, visible=[10, 20], running=[None, None]) == [10, 20]
    assert worked_out(backlog, visible=[10, 20], running=[2, None]) == [5, 20]
    assert worked_out("IF(FILL(running, 0) < 1, visible, 0)", visible=[3, 3], running=[None, 1]) == [3, 0]


@proves(metric_functions.difference, metric_functions.reduced, metric_functions.logarithm, metric_math.metrics_named)
def test_what_has_no_data_has_no_value() -> None:
    assert worked_out("a + SUM(b)", a=[1, 2], b=[None, None]) == [None, None]
    assert worked_out("LOG(a)", a=[0, -1, math.e]) == [None, None, 1]
    assert worked_out("RATE(a)", a=[5, None]) == [None, None]
    assert worked_out('SUM(METRICS("b"))', a=[5], bb=[2], b=[3]) == [5]


def test_expressions_may_need_each_other_in_any_order() -> None:
    metric = Metric("AWS/X", "a", (), "Sum")
    math_set = declared(
        [Query("e1", None, "e2 + 1"), Query("e2", None, "m1 * 2", returns=False), Query("m1", metric, returns=False)]
    )
    assert math_set.evaluate({"m1": {0: 3.0}}, [0]) == {0: 7.0}


@proves(metric_syntax.refused)
@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ('SEARCH("{AWS/EC2} cpu", "Average")', "the function SEARCH is not supported"),
        ("ANOMALY_DETECTION_BAND(a)", "the function ANOMALY_DETECTION_BAND is not supported"),
        ("SORT(METRICS(), AVG, DESC)", "the function SORT is not supported"),
        ("sum(METRICS())", "did you mean SUM?"),
        ("NOSUCH(a)", "there is no function NOSUCH"),
        ("a +", "ends too soon"),
        ("a + )", "where a value should be"),
        ("(a", "lacks a '\\)'"),
        ("a b", "goes on after its end"),
        ("a ~ b", "cannot be read from"),
        ("  ", "an expression is empty"),
        ("a + c", "has no query 'c'"),
        ("result + 1", "goes round in a circle"),
        ("AVG(a)", "must be one time series, and is a scalar"),
        ("METRICS()", "must be one time series, and is an array of 2"),
        ("IF(a)", "IF has 1 arguments"),
        ("IF(METRICS(), 1)", "IF takes scalars and time series"),
        ("FILL(3, a)", "FILL takes a time series"),
        ("METRICS() + METRICS()", "two arrays"),
        ("SUM([a, 3])", "is a scalar"),
        ("FIRST(a)", "an array of time series is needed"),
        ("TIME_SERIES(a)", "takes a scalar"),
        ("PERIOD(a + b)", "PERIOD takes the id of a metric"),
        ("DIFF(3) + a", "a time series is needed"),
    ],
)
def test_what_cannot_be_evaluated_is_refused_when_it_is_declared(expression: str, message: str) -> None:
    with pytest.raises(InvalidMath, match=message):
        declared(queries(expression, {"a": [], "b": []}))


@proves(metric_math.wrong_set)
def test_a_set_of_queries_that_no_alarm_may_have_is_refused() -> None:
    metric = Metric("AWS/X", "a", (), "Sum")
    for wrong, message in [
        ([Query("m1", metric), Query("m1", metric, returns=False)], "two queries have one id"),
        ([Query("M1", metric)], "must begin with a lower-case letter"),
        ([Query("m1", metric), Query("m2", metric)], "exactly one query must return data"),
        ([Query("e1", None, "1 + 1")], "from 1 to 10 metrics"),
        (
            [Query("m1", metric), Query("m2", Metric("AWS/X", "b", (), "Sum", 300), returns=False)],
            "all metrics must have the same period",
        ),
    ]:
        with pytest.raises(InvalidMath, match=message):
            declared(wrong)


def test_every_expression_of_our_terraform_can_be_evaluated() -> None:
    root = Path(__file__).parents[4] / "terraform"
    found = [
        each
        for path in root.rglob("*.tf")
        for each in re.findall(r'^\s+expression\s+= "(.*)"$', path.read_text(), re.MULTILINE)
    ]
    assert len(found) >= 3
    ids: dict[str, Row] = {each: [] for each in ("visible", "running", "balancer", "errors", "requests")}
    for each in found:
        declared(queries(re.sub(r"\$\{[^}]*\}", "20", each), ids))


rows = st.lists(st.none() | st.integers(-50, 50).map(float), min_size=1, max_size=6)


@given(rows, rows, st.sampled_from("+-*"))
def test_an_operator_on_an_array_is_the_operator_on_each(first: Row, second: Row, sign: str) -> None:
    by_array = worked_out(f"SUM([a, b] {sign} 3)", a=first, b=second)
    assert by_array == worked_out(f"SUM([a {sign} 3, b {sign} 3])", a=first, b=second)


@given(rows)
def test_laws_of_series(row: Row) -> None:
    assert worked_out("a", a=row) == worked_out("0 + a", a=row) == worked_out("-(-a)", a=row)
    assert None not in worked_out("FILL(a, 0)", a=row)
    assert worked_out("RUNNING_SUM(DIFF(a)) + a * 0", a=[1, *row])[1:] == [
        None if each is None else each - 1 for each in row
    ]


def test_a_metric_alone_is_itself() -> None:
    assert of_metric(Metric("AWS/X", "a", (), "Sum")).evaluate({"m1": {0: 1.0, 60: 2.0}}, [60]) == {60: 2.0}
