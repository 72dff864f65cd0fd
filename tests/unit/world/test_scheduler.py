"""The runtime on which the unit tests of the services rest."""

from __future__ import annotations

import gc
import random
import weakref
from functools import partial

import pytest

from services.pipeline.runtime import Runtime
from sim.world.scheduler import Deadlock, Scheduler
from sim.world.virtual_time import EPOCH, WorldRuntime


def test_it_is_a_runtime(runtime: WorldRuntime) -> None:
    as_handed_in: Runtime = runtime
    assert as_handed_in.time() == EPOCH


def test_tasks_interleave_by_virtual_time(runtime: WorldRuntime) -> None:
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


def test_an_event_wakes_before_time_passes_and_a_wait_for_it_ends_in_time(runtime: WorldRuntime) -> None:
    event = runtime.event()
    assert not event.wait(5)
    assert runtime.monotonic() == 5
    runtime.spawn(event.set)
    assert event.wait(5)
    assert runtime.monotonic() == 5


def test_a_lock_is_held_by_one_however_long(runtime: WorldRuntime) -> None:
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


def test_a_deadlock_is_told_to_the_test(runtime: WorldRuntime) -> None:
    runtime.spawn(lambda: None)
    with pytest.raises(Deadlock):
        runtime.event().wait()


def test_a_crash_ends_every_task_of_its_machine_where_it_is_and_no_other(runtime: WorldRuntime) -> None:
    scheduler = runtime.scheduler
    doomed = WorldRuntime(scheduler, random.Random(0))
    seen: list[str] = []

    def task(name: str) -> None:
        try:
            scheduler.park(10)
            seen.append(f"{name} goes on")
        finally:
            seen.append(f"{name} leaves")
            doomed.sleep(0)
            seen.append(f"{name} has left")

    doomed.spawn(lambda: task("one"))
    runtime.spawn(lambda: task("another"))
    runtime.sleep(1)
    doomed.spawn(lambda: task("not begun"))
    doomed.crash()
    runtime.sleep(20)
    assert seen == ["one leaves", "another goes on", "another leaves", "another has left"]


def test_what_a_task_raises_is_raised_where_the_scheduler_was_made_or_handed_over(runtime: WorldRuntime) -> None:
    def fail() -> None:
        raise ValueError("as it should")

    runtime.spawn(fail)
    with pytest.raises(ValueError, match="as it should"):
        runtime.sleep(1)
    failed: list[Exception] = []
    other = WorldRuntime(Scheduler(), random.Random(0), failed=failed.append)
    other.spawn(fail)
    other.sleep(1)
    assert [str(error) for error in failed] == ["as it should"]


def test_with_a_draw_what_is_due_at_once_comes_in_any_order_but_always_the_same() -> None:
    def order(seed: int) -> tuple[int, ...]:
        scheduler = Scheduler(random.Random(seed))
        seen: list[int] = []
        for number in range(4):
            scheduler.spawn(partial(seen.append, number))
        scheduler.park(1)
        return tuple(seen)

    assert len({order(seed) for seed in range(500)}) == 24
    assert [order(seed) for seed in range(20)] == [order(seed) for seed in range(20)]


def test_nothing_of_a_scheduler_stays_once_it_is_closed() -> None:
    scheduler = Scheduler()
    doomed = WorldRuntime(scheduler, random.Random(0))
    for seconds in (0, 1, 100):
        doomed.spawn(partial(doomed.sleep, seconds))
    scheduler.park(10)
    doomed.spawn(lambda: None)
    doomed.crash()
    doomed.spawn(partial(doomed.sleep, 100))
    # As in a world, where everything knows everything.
    scheduler.at(1000, doomed.crash)
    scheduler.close()
    gone = weakref.ref(scheduler)
    del scheduler, doomed
    gc.collect()
    assert gone() is None
