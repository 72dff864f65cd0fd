"""The driver: steps under one lock, answers that wait for a change, and a failure that nobody overlooks."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

import pytest

from sim.cloud.control_plane.call import AwsError
from sim.cloud.control_plane.cluster.driver import Driver
from sim.cluster.desired import Desired

SECONDS = 10.0


class Steps:
    """Counts steps; the next one changes the state, or fails, when a test says so."""

    def __init__(self) -> None:
        self.driven: list[bool] = []
        self.changes = False
        self.error = ""

    def take(self, driven: bool, before: Desired) -> Desired:
        self.driven.append(driven)
        if self.error:
            raise RuntimeError(self.error)
        changes, self.changes = self.changes, False
        return replace(before, revision=before.revision + 1) if changes else before


@pytest.fixture
def steps() -> Steps:
    return Steps()


@pytest.fixture
def on() -> threading.Event:
    return threading.Event()


@pytest.fixture
def driver(steps: Steps, on: threading.Event) -> Iterator[Driver]:
    """A driver whose thread takes no step by itself within a test."""
    driver = Driver(steps.take, 3600.0, on)
    yield driver
    driver.close()


@pytest.fixture
def asked(driver: Driver) -> Iterator[Callable[[int | None], Future[str]]]:
    """Asks for the desired state in another thread."""
    with ThreadPoolExecutor() as pool:
        yield lambda after: pool.submit(driver.desired, after)
        driver.close()


def revision(body: str) -> int:
    number: int = json.loads(body)["revision"]
    return number


def test_it_is_off_until_somebody_asks_for_the_desired_state(driver: Driver, steps: Steps, on: threading.Event) -> None:
    with driver.call(changes=True):
        assert not on.is_set()
    assert revision(driver.desired(None)) == 0
    assert on.is_set()
    with driver.call(changes=True):
        pass
    assert steps.driven == [False, True, True]


def test_a_call_that_changes_nothing_takes_no_step(driver: Driver, steps: Steps) -> None:
    with driver.call(changes=False):
        pass
    assert steps.driven == []


def test_a_question_waits_for_a_change(
    driver: Driver, steps: Steps, asked: Callable[[int | None], Future[str]]
) -> None:
    known = revision(driver.desired(None))
    waiting = asked(known)
    with pytest.raises(TimeoutError):
        waiting.result(0.2)
    with driver.call(changes=True):
        steps.changes = True
    assert revision(waiting.result(SECONDS)) == known + 1
    assert revision(driver.desired(known)) == known + 1


def test_the_thread_takes_steps_by_itself(steps: Steps, on: threading.Event) -> None:
    driver = Driver(steps.take, 0.01, on)
    try:
        known = revision(driver.desired(None))
        steps.changes = True
        assert revision(driver.desired(known)) == known + 1
    finally:
        driver.close()


def test_a_failed_step_is_the_answer_to_whoever_relies_on_it(
    driver: Driver, steps: Steps, asked: Callable[[int | None], Future[str]]
) -> None:
    waiting = asked(revision(driver.desired(None)))
    steps.error = "a fault of the kit"
    with pytest.raises(AwsError, match="a fault of the kit"), driver.call(changes=True):
        pass
    for answer in (lambda: waiting.result(SECONDS), lambda: driver.desired(None), driver.check):
        with pytest.raises(AwsError, match="a fault of the kit") as raised:
            answer()
        assert raised.value.status == 500
    steps.error = ""
    with pytest.raises(AwsError, match="a fault of the kit"), driver.call(changes=True):
        pytest.fail("the call was let in")
    with driver.call(changes=False):
        pass


def test_a_shutdown_ends_the_questions_that_wait(driver: Driver, asked: Callable[[int | None], Future[str]]) -> None:
    waiting = asked(revision(driver.desired(None)))
    driver.close()
    with pytest.raises(AwsError, match="goes down"):
        waiting.result(SECONDS)
