"""Thresholds, the first check, and the clock of a node."""

from __future__ import annotations

from random import Random

import pytest

from sim.cluster.balancer import checks
from sim.cluster.balancer.checks import CheckResult, HealthCheck, Phase, Watch
from tests.unit.cluster.proves import proves

CHECK = HealthCheck(interval=10, timeout=3, healthy=3, unhealthy=2)
PASS, FAIL = CheckResult(passed=True, status=200), CheckResult(passed=False, status=503)


def phases(start: Phase, *results: CheckResult) -> list[Phase]:
    watch = Watch(start, 0.0, 0.0)
    seen = []
    for result in results:
        watch = checks.judged(watch, result, CHECK, 1.0)
        seen.append(watch.phase)
    return seen


@proves(checks.judged)
def test_a_target_is_out_after_failures_in_a_row_and_back_after_passes_in_a_row() -> None:
    served, out = Phase.IN_SERVICE, Phase.OUT_OF_SERVICE
    assert phases(served, FAIL, PASS, FAIL, FAIL) == [served, served, served, out]
    assert phases(out, PASS, PASS, FAIL, PASS, PASS, PASS) == [out, out, out, out, out, served]


@proves(checks.passes_of_a_new_target)
def test_a_new_target_is_in_service_after_one_pass() -> None:
    assert phases(Phase.INITIAL, FAIL, PASS) == [Phase.INITIAL, Phase.IN_SERVICE]


@proves(checks.failures_that_end_service)
def test_a_new_target_that_failed_often_enough_comes_back_as_slowly_as_any() -> None:
    out = Phase.OUT_OF_SERVICE
    assert phases(Phase.INITIAL, FAIL, FAIL, PASS, PASS, PASS) == [Phase.INITIAL, out, out, out, Phase.IN_SERVICE]


@pytest.mark.parametrize("phase", [Phase.REGISTERING, Phase.DRAINING, Phase.GONE])
def test_a_check_that_comes_too_early_or_too_late_counts_for_nothing(phase: Phase) -> None:
    assert phases(phase, FAIL, FAIL, FAIL, PASS) == [phase] * 4


@proves(checks.first_check_at, checks.next_check_at)
def test_checks_come_about_an_interval_apart() -> None:
    chance = Random(1)
    firsts = {checks.first_check_at(5.0, CHECK, chance) for _ in range(100)}
    nexts = {checks.next_check_at(5.0, CHECK, chance) for _ in range(100)}
    assert len(firsts) > 90
    assert min(firsts) >= 5.0
    assert max(firsts) <= 15.0
    assert 14.0 <= min(nexts) < 14.2
    assert 15.8 < max(nexts) <= 16.0
