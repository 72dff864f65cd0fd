"""A container's health check, as Docker counts it."""

from __future__ import annotations

import pytest

from sim.agent.health import Probed, after
from sim.cluster.aws_clock import AwsClock
from sim.cluster.container_check import ContainerCheck, container_check
from sim.cluster.tasks import HealthStatus

CHECK = ContainerCheck(("check",), retries=3, start_period=10)


def status(check: ContainerCheck, *probes: tuple[float, bool]) -> HealthStatus:
    """The status after probes: each the container's age, and whether it passed."""
    probed = Probed()
    for age, passed in probes:
        probed = after(check, probed, passed=passed, age=age)
    return probed.status


def test_one_success_is_healthy() -> None:
    assert status(CHECK, (20, False), (25, True)) == "HEALTHY"


def test_so_many_failures_in_a_row_are_unhealthy() -> None:
    assert status(CHECK, (20, True), (25, False), (30, False)) == "HEALTHY"
    assert status(CHECK, (20, True), (25, False), (30, False), (35, False)) == "UNHEALTHY"
    assert status(CHECK, (20, False), (25, False), (30, True), (35, False)) == "HEALTHY"


def test_failures_in_the_start_period_do_not_count_until_one_passed() -> None:
    assert status(CHECK, (1, False), (5, False), (9, False), (10, False), (11, False)) == "UNKNOWN"
    assert status(CHECK, (1, True), (2, False), (3, False), (4, False)) == "UNHEALTHY"


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["CMD", "python", "-m", "x"], ("python", "-m", "x")),
        (["CMD-SHELL", "test -e x"], ("/bin/sh", "-c", "test -e x")),
        (["test -e x"], ("/bin/sh", "-c", "test -e x")),
    ],
)
def test_the_command_is_run_as_it_is_or_by_the_shell(command: list[str], words: tuple[str, ...]) -> None:
    check = container_check({"healthCheck": {"command": command, "interval": 7}})
    assert check == ContainerCheck(words, interval=7)


def test_none_is_no_check() -> None:
    assert container_check({}) is None
    assert container_check({"healthCheck": {"command": ["NONE"]}}) is None


def test_interval_and_start_period_come_by_awss_clock_and_the_time_out_does_not() -> None:
    check = ContainerCheck(("check",), interval=30, timeout=2, start_period=60)
    assert check.by(AwsClock(0, 10)) == ContainerCheck(("check",), interval=3, timeout=2, start_period=6)
