"""The table that the benchmark makes of its figures."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.load import Load
from bench.report import goals, rows

PLAIN = {
    "publishes a second, 64 clients": 200.0,
    "p99 of a publish in ms, 64 clients": 400.0,
    "p50 of a publish in ms, 1 client": 25.0,
    "e-mails drained a second": 20.0,
    "SQS sends an e-mail, 64 clients": 1.0,
    "SQS deletes an e-mail": 1.0,
}
GOOD = {
    "publishes a second, 64 clients": 1600.0,
    "p99 of a publish in ms, 64 clients": 100.0,
    "p50 of a publish in ms, 1 client": 25.0,
    "e-mails drained a second": 800.0,
    "SQS sends an e-mail, 64 clients": 0.2,
    "SQS deletes an e-mail": 0.2,
}


def missed(product: dict[str, float]) -> list[object]:
    return [row["figure"] for row in rows(PLAIN, product, delay_ms=20) if "MISSED" in str(row["goal"])]


def test_every_goal_is_reached_exactly_at_its_bound() -> None:
    assert goals(20).keys() == GOOD.keys()
    assert missed(GOOD) == []


@pytest.mark.parametrize("figure", GOOD)
def test_a_figure_past_its_bound_misses_its_goal_and_no_other(figure: str) -> None:
    past = 0.999 if goals(20)[figure].at_least else 1.001
    assert missed(GOOD | {figure: GOOD[figure] * past}) == [figure]


def test_a_figure_without_a_goal_has_a_row_and_one_of_zero_no_ratio() -> None:
    (row,) = rows({"failed publishes, 64 clients": 0}, {"failed publishes, 64 clients": 1234.5}, delay_ms=20)
    assert row == {"figure": "failed publishes, 64 clients", "plain": 0, "product": 1230, "ratio": None, "goal": ""}


@given(latencies=st.lists(st.integers(0, 1000), min_size=1), percent=st.integers(1, 100))
def test_a_percentile_is_the_smallest_latency_that_covers_this_share(latencies: list[int], percent: int) -> None:
    load = Load(seconds=1, latencies=[each / 1000 for each in latencies])
    measured = round(load.percentile_ms(percent))
    assert measured in latencies
    assert sum(each <= measured for each in latencies) * 100 >= len(latencies) * percent
    assert sum(each < measured for each in latencies) * 100 < len(latencies) * percent
