"""Code that waits on an event loop without holding its thread."""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import pytest
from greenlet import getcurrent, greenlet

from services.api.loop import Greenlets, LoopEvent, LoopLock, LoopRuntime, offload, wait

T = TypeVar("T")


class Threads:
    """A client whose calls meet: each returns only when as many as expected are under way."""

    def __init__(self, expected: int) -> None:
        self._meeting = threading.Barrier(expected, timeout=10)

    def call(self, *, number: int) -> tuple[int, str]:
        self._meeting.wait()
        return number, threading.current_thread().name

    def fail(self) -> None:
        raise ValueError("as it should")


def on_loop(*functions: Callable[[LoopRuntime], T]) -> list[T]:
    """What the functions return that are run beside one another on one loop."""

    async def main() -> list[T]:
        runtime, greenlets = LoopRuntime(asyncio.get_running_loop()), Greenlets()
        return await asyncio.gather(*(greenlets.run(partial(each, runtime)) for each in functions))

    return asyncio.run(asyncio.wait_for(main(), 20))


def test_who_waits_gives_way_and_comes_back_to_where_it_was() -> None:
    told: list[str] = []

    def first(runtime: LoopRuntime) -> int:
        told.append("first begins")
        runtime.sleep(0.01)
        told.append("first ends")
        return 1

    def second(_: LoopRuntime) -> int:
        told.append("second")
        return 2

    assert on_loop(first, second) == [1, 2]
    assert told == ["first begins", "second", "first ends"]


def test_a_failure_belongs_to_who_waits_for_it() -> None:
    async def fail() -> None:
        raise ValueError("as it should")

    def catches(_: LoopRuntime) -> str:
        with pytest.raises(ValueError, match="as it should"):
            wait(fail())
        return "caught"

    assert on_loop(catches) == ["caught"]
    with pytest.raises(ValueError, match="as it should"):
        on_loop(lambda _: wait(fail()))


def test_a_greenlet_runs_one_function_after_the_other_whatever_became_of_the_last() -> None:
    async def main() -> list[str]:
        greenlets = Greenlets()
        used: list[greenlet] = []

        def fails() -> str:
            used.append(getcurrent())
            raise ValueError("as it should")

        def waits() -> str:
            used.append(getcurrent())
            wait(asyncio.sleep(60))
            return "too late"

        def returns() -> str:
            used.append(getcurrent())
            return "returned"

        with pytest.raises(ValueError, match="as it should"):
            await greenlets.run(fails)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(greenlets.run(waits), 0.01)
        said = [await greenlets.run(returns) for _ in range(2)]
        assert len(used) == 4
        assert len(set(used)) == 1
        return said

    assert asyncio.run(main()) == ["returned", "returned"]


def test_what_a_function_held_goes_when_it_is_done() -> None:
    class Body:
        """Stands for what a request sent."""

    async def main() -> None:
        greenlets = Greenlets()
        bodies: list[weakref.ref[Body]] = []
        for _ in range(3):
            body = Body()
            bodies.append(weakref.ref(body))
            assert await greenlets.run(partial(isinstance, body, Body))
            del body
        assert [each() for each in bodies] == [None] * 3

    asyncio.run(main())


def test_code_of_no_loop_cannot_wait_on_one() -> None:
    async def main() -> None:
        step = asyncio.sleep(0)
        try:
            wait(step)
        finally:
            step.close()

    with pytest.raises(RuntimeError, match="cannot wait"):
        asyncio.run(main())


def test_an_event_wakes_all_who_wait_and_none_waits_longer_than_it_wants() -> None:
    events: list[LoopEvent] = []

    def waits(runtime: LoopRuntime) -> bool:
        events[:] = events or [runtime.event()]
        return events[0].wait()

    def gives_up(_: LoopRuntime) -> bool:
        return events[0].wait(0.001)

    def sets(runtime: LoopRuntime) -> bool:
        runtime.sleep(0.05)
        events[0].set()
        return events[0].is_set() and events[0].wait()

    assert on_loop(waits, waits, gives_up, sets) == [True, True, False, True]


def test_a_lock_has_one_holder_at_a_time_and_goes_to_who_waits_longest() -> None:
    locks: list[LoopLock] = []
    told: list[int] = []

    def takes(number: int) -> Callable[[LoopRuntime], None]:
        def take(runtime: LoopRuntime) -> None:
            locks[:] = locks or [LoopLock(asyncio.get_running_loop())]
            with locks[0]:
                told.append(number)
                runtime.sleep(0.001)
                told.append(number)

        return take

    on_loop(*map(takes, range(4)))
    assert told == [0, 0, 1, 1, 2, 2, 3, 3]


def test_a_lock_is_free_again_after_a_failure() -> None:
    def fails(runtime: LoopRuntime) -> str:
        lock = runtime.lock()
        with pytest.raises(ValueError, match="within"), lock:
            raise ValueError("within")
        with lock:
            return "free"

    assert on_loop(fails) == ["free"]


def test_what_is_spawned_runs_beside() -> None:
    def spawns(runtime: LoopRuntime) -> bool:
        done = runtime.event()
        runtime.spawn(done.set)
        assert not done.is_set()
        return done.wait(10)

    assert on_loop(spawns) == [True]


def test_calls_are_made_in_threads_at_once_and_their_failures_are_the_callers() -> None:
    client = Threads(3)

    def calls(number: int) -> Callable[[LoopRuntime], tuple[int, str]]:
        return lambda _: offload(client, asyncio.get_running_loop(), 1).call(number=number)

    answers = on_loop(*map(calls, range(3)))
    assert [number for number, _ in answers] == [0, 1, 2]
    assert threading.current_thread().name not in {thread for _, thread in answers}
    with pytest.raises(ValueError, match="as it should"):
        on_loop(lambda _: offload(client, asyncio.get_running_loop(), 1).fail())
