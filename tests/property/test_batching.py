"""However requests come together, and whatever becomes of their batches, each e-mail is sent once and each client hears
of its own.

The requests are threads of which one runs at a time; after every line a seed decides which one goes on.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from types import FrameType
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from services.api import batching
from services.api.batching import Batcher
from services.api.problems import INTERNAL, UNAVAILABLE, Problem
from services.api.queue import BATCH_ENTRIES, Answer
from services.pipeline.runtime import Runtime, ThreadRuntime
from tests.unit.virtual import VirtualRuntime

MAX_BYTES = 100


class Interleaving(VirtualRuntime):
    """Between two lines of the batcher any other thread may go on; a wait that has an end may end at any moment."""

    def spawn(self, function: Callable[[], None]) -> None:
        def pause(frame: FrameType, _event: str, _argument: object) -> Callable[..., Any] | None:
            if frame.f_code.co_filename != batching.__file__:
                return None
            self.sleep(0)
            return pause

        def in_steps() -> None:
            sys.settrace(pause)
            function()

        super().spawn(in_steps)

    def give_way(self, ready: Callable[[], bool], seconds: float) -> None:
        # A thread that is being ended waits for nobody.
        if not self._closed:
            super().give_way(ready if seconds == math.inf else lambda: True, math.inf)

    def _pass_on(self) -> None:
        self.random.shuffle(self._waiters)
        super()._pass_on()


class CallFailed(Exception):
    """A call of `send` that gives no answers."""


class Traffic:
    """What is sent, and what each body's client hears. A body says in its first character what becomes of it: "+" is
    confirmed, "-" is refused, and with "!" the call for its whole batch fails."""

    def __init__(self, runtime: Runtime) -> None:
        self.batches: list[list[str]] = []
        self.heard: dict[str, Answer | CallFailed] = {}
        self._runtime = runtime
        self._batcher = Batcher(self._send, max_bytes=MAX_BYTES, linger_seconds=0.001, runtime=runtime)

    def put(self, body: str) -> None:
        try:
            self.heard[body] = self._batcher.put(body)
        except CallFailed as error:
            self.heard[body] = error

    def _send(self, bodies: Sequence[str]) -> Sequence[Answer]:
        self.batches.append(list(bodies))
        self._runtime.sleep(0)
        if fails(bodies):
            raise CallFailed
        return [answer_to(body) for body in bodies]


def fails(bodies: Sequence[str]) -> bool:
    return any(body[0] == "!" for body in bodies)


def answer_to(body: str) -> Answer:
    return Problem(UNAVAILABLE, body) if body[0] == "-" else None


def assert_lawful(traffic: Traffic, bodies: list[str]) -> None:
    assert sorted(body for batch in traffic.batches for body in batch) == sorted(bodies)
    assert sorted(traffic.heard) == sorted(bodies)
    for batch in traffic.batches:
        assert 1 <= len(batch) <= BATCH_ENTRIES
        assert len("".join(batch).encode()) <= MAX_BYTES
        heard = [traffic.heard[body] for body in batch]
        if fails(batch):
            [failure] = [answer for answer in heard if isinstance(answer, CallFailed)]
            others = [answer for answer in heard if answer is not failure]
            assert all(isinstance(answer, Problem) and answer.kind is INTERNAL for answer in others)
        else:
            assert heard == [answer_to(body) for body in batch]


def bodies(sizes: st.SearchStrategy[int], at_least: int) -> st.SearchStrategy[list[str]]:
    """Different bodies, up to two and a half batches of them; sizes in bytes without the first three."""
    return st.lists(st.tuples(st.sampled_from("++++--!"), sizes), min_size=at_least, max_size=25).map(
        lambda drawn: [
            f"{fate}{number:02}" + "é" * (size // 2) + "x" * (size % 2) for number, (fate, size) in enumerate(drawn)
        ]
    )


many_small = bodies(st.integers(0, 3), at_least=BATCH_ENTRIES + 1)
some_large = bodies(st.sampled_from([0, 1, MAX_BYTES // 2 - 3, MAX_BYTES // 2 - 2, MAX_BYTES - 3]), at_least=1)


@settings(max_examples=100)
@given(many_small | some_large, st.integers(0))
def test_in_any_order_of_events(puts: list[str], seed: int) -> None:
    with closing(Interleaving(seed)) as runtime:
        traffic = Traffic(runtime)
        for body in puts:
            runtime.spawn(lambda body=body: traffic.put(body))  # type: ignore[misc]  # bound now, not later
        # Deadlock is raised here when somebody is left waiting.
        runtime.give_way(lambda: len(traffic.heard) == len(puts), math.inf)
        assert_lawful(traffic, puts)


@settings(max_examples=20)
@given(many_small | some_large)
def test_on_real_threads(puts: list[str]) -> None:
    traffic = Traffic(ThreadRuntime())
    with ThreadPoolExecutor(len(puts)) as pool:
        list(pool.map(traffic.put, puts))
    assert_lawful(traffic, puts)
