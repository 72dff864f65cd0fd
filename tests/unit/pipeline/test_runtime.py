"""Time, randomness and threads, as the services get them in production; and how long they wait to try again."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
import time
from functools import partial

from hypothesis import given
from hypothesis import strategies as st

from services.pipeline.runtime import Runtime, ThreadRuntime, full_jitter

seconds = st.floats(0.001, 1000)


@given(attempt=st.integers(1, 10**9), base=seconds, cap=seconds, draw=st.randoms())
def test_a_wait_is_neither_negative_nor_longer_than_its_bounds(
    attempt: int, base: float, cap: float, draw: random.Random
) -> None:
    assert 0 <= full_jitter(attempt, base=base, cap=cap, draw=draw) <= min(cap, base * 2 ** min(attempt, 64))


def test_waits_are_spread_over_all_of_their_range_which_doubles() -> None:
    draw = random.Random(0)
    for attempt in range(1, 6):
        waits = [full_jitter(attempt, base=0.1, cap=60, draw=draw) for _ in range(1000)]
        longest = 0.1 * 2**attempt
        assert min(waits) < 0.05 * longest
        assert 0.95 * longest < max(waits) <= longest


def test_what_is_spawned_runs_beside_and_holds_up_no_end() -> None:
    runtime: Runtime = ThreadRuntime()
    told: list[threading.Thread] = []
    done = runtime.event()

    def task() -> None:
        told.append(threading.current_thread())
        done.set()

    runtime.spawn(task)
    assert done.wait(10)
    assert told[0] is not threading.current_thread()
    assert told[0].daemon


def test_however_many_are_spawned_all_run_at_once() -> None:
    runtime = ThreadRuntime()

    def meet(place: threading.Barrier) -> None:
        place.wait(10)

    for number in (5, 20, 20):
        place = threading.Barrier(number + 1)
        for _ in range(number):
            runtime.spawn(partial(meet, place))
        meet(place)


def test_one_that_fails_ends_the_process_and_reports_why() -> None:
    spawns = "ThreadRuntime().spawn(lambda: 1 / 0); time.sleep(60)"
    program = f"import time; from services.pipeline.runtime import ThreadRuntime; {spawns}"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=30)
    assert ended.returncode == 1
    assert "ZeroDivisionError" in ended.stderr


def test_a_wait_for_an_event_that_does_not_come_ends() -> None:
    runtime = ThreadRuntime()
    began = runtime.monotonic()
    assert not runtime.event().wait(0.01)
    assert runtime.monotonic() - began >= 0.01


def test_time_is_unix_time() -> None:
    assert abs(ThreadRuntime().time() - time.time()) < 60
