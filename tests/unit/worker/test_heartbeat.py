"""When the worker gives a sign of life."""

from __future__ import annotations

import pytest

from services.worker.heartbeat import Heartbeat
from sim.world.virtual_time import WorldRuntime

LIMIT = 60
REFUSED = 20


@pytest.fixture
def signs() -> list[float]:
    return []


@pytest.fixture
def heartbeat(signs: list[float], runtime: WorldRuntime) -> Heartbeat:
    return Heartbeat(lambda: signs.append(runtime.monotonic()), LIMIT, REFUSED, runtime)


def test_a_beat_is_a_sign_but_not_more_than_one_a_second(
    heartbeat: Heartbeat, signs: list[float], runtime: WorldRuntime
) -> None:
    for _ in range(10):
        heartbeat.beat(0)
        runtime.sleep(0.25)
    assert signs == [0, 1, 2]


def test_one_stuck_poller_silences_all(heartbeat: Heartbeat, signs: list[float], runtime: WorldRuntime) -> None:
    heartbeat.beat(0)
    for _ in range(2 * LIMIT):
        runtime.sleep(1)
        heartbeat.beat(1)
    assert signs == list(range(LIMIT))


def test_a_poller_that_is_no_longer_stuck_lets_all_be_heard(
    heartbeat: Heartbeat, signs: list[float], runtime: WorldRuntime
) -> None:
    heartbeat.beat(0)
    heartbeat.beat(1)
    runtime.sleep(LIMIT)
    heartbeat.beat(1)
    assert signs == [0]
    heartbeat.beat(0)
    assert signs == [0, LIMIT]


def test_a_poller_that_has_ended_is_not_waited_for(
    heartbeat: Heartbeat, signs: list[float], runtime: WorldRuntime
) -> None:
    heartbeat.beat(0)
    heartbeat.beat(1)
    heartbeat.forget(1)
    runtime.sleep(LIMIT - 1)
    heartbeat.beat(0)
    runtime.sleep(1)
    heartbeat.beat(0)
    assert signs == [0, LIMIT - 1, LIMIT]


def test_a_lone_poller_that_comes_late_is_heard(
    heartbeat: Heartbeat, signs: list[float], runtime: WorldRuntime
) -> None:
    heartbeat.beat(0)
    runtime.sleep(2 * LIMIT)
    heartbeat.beat(0)
    assert signs == [0, 2 * LIMIT]


def test_writes_that_are_refused_for_long_silence_the_worker_until_one_is_not(
    heartbeat: Heartbeat, signs: list[float], runtime: WorldRuntime
) -> None:
    for second in range(2 * REFUSED):
        heartbeat.write(refused=second != REFUSED + 10)
        heartbeat.beat(0)
        runtime.sleep(1)
    assert signs == [*range(REFUSED), *range(REFUSED + 10, 2 * REFUSED)]
