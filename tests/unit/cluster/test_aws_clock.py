"""AWS's clock, which may run faster than this machine's."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.cloud.desired import parsed
from sim.cluster.aws_clock import (
    LARGEST,
    MINUTE,
    NEVER_SCALED,
    SCALED,
    THIS_MACHINES,
    AwsClock,
    clock_of,
    environment,
)
from sim.cluster.desired import Desired, to_json

NOW = 1_700_000_000.0
times = st.floats(NOW, NOW + 1e6)
clocks = st.builds(AwsClock, st.just(NOW), st.floats(1, LARGEST))
DOCS = Path(__file__).parents[3] / "docs" / "cluster.md"


@given(times)
def test_without_a_factor_it_is_this_machines_clock(here: float) -> None:
    assert THIS_MACHINES.at(here) == here == AwsClock(NOW, 1).at(here)


def test_it_runs_faster_from_its_start_on() -> None:
    clock = AwsClock(NOW, 10)
    assert (clock.at(NOW), clock.at(NOW + 6)) == (NOW, NOW + 60)
    assert clock.lasts(60) == 6


@given(clocks, times, st.floats(0, 0.4))
def test_a_sample_of_every_minute_is_in_its_middle_also_if_it_comes_late(
    clock: AwsClock, here: float, late: float
) -> None:
    wakes = here + clock.until_next_minute(here)
    then = wakes + clock.lasts(late * MINUTE) + clock.until_next_minute(wakes + clock.lasts(late * MINUTE))
    first, second = clock.at(wakes), clock.at(then)
    assert second // MINUTE == first // MINUTE + 1
    for each in (first, second):
        assert each % MINUTE == pytest.approx(MINUTE / 2, abs=0.1)


@given(st.integers(5, 300), st.integers(2, 60))
def test_the_largest_scale_that_it_names_is_allowed_and_a_larger_one_is_not(interval: int, timeout: int) -> None:
    refused = AwsClock(NOW, max(interval / timeout, 1) * 1.02).too_fast(interval, timeout)
    largest = float(refused.partition("The largest time scale for it is ")[2].partition(":")[0])
    assert largest >= 1
    assert not AwsClock(NOW, largest).too_fast(interval, timeout)


def test_what_it_refuses_says_why_and_what_to_do() -> None:
    assert AwsClock(NOW, 10).too_fast(5, 3) == (
        "At the time scale 10 a health check every 5 s comes every 0.5 s, before its time-out of 3 s is over. The "
        "largest time scale for it is 1.66: start the cluster with that, or give the check a longer interval."
    )


def test_a_control_plane_gets_the_scale_by_its_environment() -> None:
    assert clock_of(environment(7.5), NOW) == AwsClock(NOW, 7.5)
    assert environment(1) == {}
    assert clock_of({}, NOW).at(NOW + 5) == NOW + 5


@pytest.mark.parametrize("listed", [SCALED, NEVER_SCALED])
def test_the_page_of_the_cluster_names_all_that_is_scaled_and_all_that_is_not(listed: tuple[str, ...]) -> None:
    page = " ".join(DOCS.read_text().split())
    assert not [each for each in listed if each not in page]


def test_agents_and_load_balancers_get_it_with_the_desired_state() -> None:
    clock = AwsClock(NOW, 10)
    assert parsed(to_json(Desired(1, clock=clock)).encode()).clock == clock
