"""The goals and tables that the benchmark derives from its figures."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import report
from bench.figures import (
    Draining,
    Figures,
    Memory,
    Publishing,
    Side,
    Together,
    over_rounds,
    percentile,
)
from bench.report import Goal

PUBLISHING = Publishing(
    per_second=200,
    p50_ms=300,
    p99_ms=400,
    sends_per_email=1,
    service_cores=0.9,
    stub_cores=0.1,
    load_cores=0.1,
    errors=0,
)
PLAIN = Side(
    publishing={1: replace(PUBLISHING, p50_ms=25), 64: PUBLISHING},
    draining=Draining(
        per_second=20, receives=0.1, puts=1, deletes=1, service_cores=0.1, stub_cores=0.1, exactly_once=True
    ),
    together=Together(published_per_second=150, drained_per_second=20, sends=1, receives=0.1, puts=1, deletes=1),
    memory=Memory(api_mib=50, worker_mib=50),
)
GOOD = Side(
    publishing={
        1: replace(PUBLISHING, p50_ms=25),
        64: replace(PUBLISHING, per_second=1600, p99_ms=100, sends_per_email=0.2),
    },
    draining=replace(PLAIN.draining, per_second=800),
    together=replace(PLAIN.together, deletes=0.2),
    memory=PLAIN.memory,
)


def figures(product: Side) -> Figures:
    return Figures(call_ms=20.0, others_cores=0.0, plain=PLAIN, product=product)


def missed(product: Side) -> list[str]:
    return [goal.what for goal in report.goals(figures(product)) if not goal.met]


def with_publishing(clients: int, measured: Publishing) -> Side:
    return replace(GOOD, publishing={**GOOD.publishing, clients: measured})


def test_every_goal_is_reached_exactly_at_its_bound() -> None:
    assert missed(GOOD) == []


@pytest.mark.parametrize(
    ("product", "goal"),
    [
        (with_publishing(64, replace(GOOD.publishing[64], per_second=1599)), "publishes per second"),
        (with_publishing(64, replace(GOOD.publishing[64], p99_ms=100.1)), "p99"),
        (with_publishing(1, replace(GOOD.publishing[1], p50_ms=25.1)), "p50"),
        (with_publishing(64, replace(GOOD.publishing[64], sends_per_email=0.21)), "SQS sends"),
        (replace(GOOD, draining=replace(GOOD.draining, per_second=799)), "drained"),
        (replace(GOOD, together=replace(GOOD.together, deletes=0.21)), "SQS deletes"),
    ],
)
def test_a_figure_past_its_bound_misses_its_goal_and_no_other(product: Side, goal: str) -> None:
    (what,) = missed(product)
    assert goal in what


@pytest.mark.parametrize("at_least", [True, False])
def test_a_missing_figure_reaches_no_goal(at_least: bool) -> None:
    assert not Goal("a goal", measured=math.nan, bound=1, at_least=at_least).met


def test_a_ratio_to_zero_is_not_a_number() -> None:
    assert report.ratio(8, 2) == 4
    assert math.isnan(report.ratio(8, 0))


def test_the_json_document_has_the_figures_and_the_goals() -> None:
    document = json.loads(json.dumps(report.document(figures(GOOD))))
    assert document["product"]["publishing"]["64"]["per_second"] == 1600
    assert all(goal["met"] for goal in document["goals"])


@given(values=st.lists(st.floats(0, 1e6), min_size=1), percent=st.floats(0, 100))
def test_a_percentile_is_the_smallest_value_that_covers_this_share_of_the_values(
    values: list[float], percent: float
) -> None:
    value = percentile(sorted(values), percent)
    assert value in values
    assert sum(each <= value for each in values) >= len(values) * percent / 100
    assert sum(each < value for each in values) <= len(values) * percent / 100


def test_the_percentile_of_no_values_is_not_a_number() -> None:
    assert math.isnan(percentile([], 99))


def test_rounds_are_combined_by_median_and_errors_by_maximum() -> None:
    rounds = [
        replace(PUBLISHING, per_second=per_second, errors=errors) for per_second, errors in ((9, 0), (1, 5), (3, 0))
    ]
    assert over_rounds(rounds) == replace(PUBLISHING, per_second=3, errors=5)


def test_one_round_that_loses_an_email_spoils_the_result() -> None:
    rounds = [PLAIN.draining, replace(PLAIN.draining, exactly_once=False), PLAIN.draining]
    assert not over_rounds(rounds).exactly_once
