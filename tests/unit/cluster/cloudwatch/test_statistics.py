"""Statistics of what was published in a period."""

from __future__ import annotations

import pytest

from sim.cluster.cloudwatch import statistics
from sim.cluster.cloudwatch.metric_functions import InvalidMath
from sim.cluster.cloudwatch.statistics import Samples, known, series
from tests.unit.cluster.proves import proves

SINGLE = [Samples(at, 1, value, value, value) for at, value in ((0, 4.0), (59, 2.0), (60, 9.0), (179, 1.0))]
SET = Samples(30, 4, 20.0, 1.0, 9.0)


def test_each_period_has_the_statistic_of_what_was_published_in_it() -> None:
    times = (0, 60, 120)
    assert series("Sum", SINGLE, 60, times) == {0: 6.0, 60: 9.0, 120: 1.0}
    assert series("Average", [*SINGLE, SET], 60, (0,)) == {0: 26.0 / 6}
    assert series("SampleCount", [*SINGLE, SET], 60, (0,)) == {0: 6.0}
    assert series("Minimum", [*SINGLE, SET], 60, (0,)) == {0: 1.0}
    assert series("Maximum", [*SINGLE, SET], 60, (0,)) == {0: 9.0}
    assert series("Sum", SINGLE, 120, times[::2]) == {0: 15.0, 120: 1.0}
    assert series("Sum", SINGLE, 60, (240,)) == {}


@proves(statistics.percentile)
def test_a_percentile_is_the_value_of_the_nearest_rank() -> None:
    values = [Samples(0, 1, float(each), float(each), float(each)) for each in range(1, 11)]
    assert series("p90", values, 60, (0,)) == {0: 9.0}
    assert series("p99.9", values, 60, (0,)) == {0: 10.0}
    assert series("p0", values, 60, (0,)) == {0: 1.0}


@proves(statistics.has_percentiles)
def test_a_statistic_set_has_percentiles_only_if_its_values_are_equal() -> None:
    assert series("p90", [SET], 60, (0,)) == {}
    assert series("p90", [Samples(0, 3, 6.0, 2.0, 2.0)], 60, (0,)) == {0: 2.0}


def test_a_statistic_that_is_not_evaluated_is_refused() -> None:
    assert known("p99.9") == "p99.9"
    for each in ("", "tm90", "p101", "IQM"):
        with pytest.raises(InvalidMath, match="is not supported"):
            known(each)
