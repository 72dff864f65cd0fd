"""The runtime on which the unit tests of the services rest."""

from __future__ import annotations

import pytest

from services.pipeline.runtime import Runtime
from tests.unit.virtual import EPOCH, Deadlock, VirtualRuntime


def test_it_is_a_runtime(runtime: VirtualRuntime) -> None:
    as_handed_in: Runtime = runtime
    assert as_handed_in.time() == EPOCH


def test_tasks_interleave_by_virtual_time(runtime: VirtualRuntime) -> None:
    seen: list[tuple[float, str]] = []

    def task(name: str, step: float) -> None:
        for _ in range(2):
            runtime.sleep(step)
            seen.append((runtime.monotonic(), name))

    runtime.spawn(lambda: task("slow", 3600))
    runtime.spawn(lambda: task("fast", 1))
    runtime.sleep(10_000)
    assert seen == [(1, "fast"), (2, "fast"), (3600, "slow"), (7200, "slow")]
    assert runtime.monotonic() == 10_000


def test_an_event_wakes_before_time_passes_and_a_wait_for_it_ends_in_time(runtime: VirtualRuntime) -> None:
    event = runtime.event()
    assert not event.wait(5)
    assert runtime.monotonic() == 5
    runtime.spawn(event.set)
    assert event.wait(5)
    assert runtime.monotonic() == 5


def test_a_lock_is_held_by_one_however_long(runtime: VirtualRuntime) -> None:
    lock = runtime.lock()
    entered: list[float] = []

    def task() -> None:
        with lock:
            entered.append(runtime.monotonic())
            runtime.sleep(10)

    for _ in range(3):
        runtime.spawn(task)
    runtime.sleep(100)
    assert entered == [0, 10, 20]


def test_a_deadlock_is_told_to_the_test(runtime: VirtualRuntime) -> None:
    runtime.spawn(lambda: None)
    with pytest.raises(Deadlock):
        runtime.event().wait()
