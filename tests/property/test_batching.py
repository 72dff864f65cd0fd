"""However requests come together, and whatever becomes of their batches, each e-mail is sent once and each client hears
of its own.

The requests are tasks of which one runs at a time; before every line a seed decides which one goes on.
"""

from __future__ import annotations

import ast
import math
import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from services.api import batching
from services.api.batching import Batcher
from services.api.problems import INTERNAL, UNAVAILABLE, Problem
from services.api.queue import BATCH_ENTRIES, Answer
from services.pipeline.runtime import Runtime, ThreadRuntime
from sim.world.scheduler import Scheduler
from sim.world.virtual_time import WorldRuntime

MAX_BYTES = 100


class Hasty(Scheduler):
    """A wait that has an end may end at any moment."""

    def park(self, seconds: float = math.inf) -> bool:
        return super().park(0.0 if seconds < math.inf else seconds)


class _Pauses(ast.NodeTransformer):
    """Calls `pause()` before every statement of every function."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        for inner in ast.walk(node):
            for name in ("body", "orelse", "finalbody"):
                block = getattr(inner, name, None)
                if isinstance(block, list):
                    setattr(inner, name, [each for line in block for each in (ast.parse("pause()").body[0], line)])
        return node


_PAUSING = compile(
    ast.fix_missing_locations(_Pauses().visit(ast.parse(Path(batching.__file__).read_text()))),
    batching.__file__,
    "exec",
)


def interleaving_batcher(runtime: WorldRuntime) -> type[Batcher]:
    """The batcher, between two lines of which any other task may go on."""
    namespace: dict[str, Any] = {"pause": lambda: runtime.sleep(0), "__name__": batching.__name__}
    exec(_PAUSING, namespace)
    made: type[Batcher] = namespace["Batcher"]
    return made


class CallFailed(Exception):
    """A call of `send` that gives no answers."""


class Traffic:
    """What is sent, and what each body's client hears. A body says in its first character what becomes of it: "+" is
    confirmed, "-" is refused, and with "!" the call for its whole batch fails."""

    def __init__(self, runtime: Runtime, batcher: type[Batcher] = Batcher) -> None:
        self.batches: list[list[str]] = []
        self.heard: dict[str, Answer | CallFailed] = {}
        self._runtime = runtime
        self._batcher = batcher(self._send, max_bytes=MAX_BYTES, linger_seconds=0.001, runtime=runtime)

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
    runtime = WorldRuntime(Hasty(random.Random(seed)), random.Random(seed))
    traffic = Traffic(runtime, interleaving_batcher(runtime))
    all_heard = runtime.event()

    def put(body: str) -> None:
        traffic.put(body)
        if len(traffic.heard) == len(puts):
            all_heard.set()

    for body in puts:
        runtime.spawn(partial(put, body))
    # Deadlock is raised here when somebody is left waiting.
    all_heard.wait()
    assert_lawful(traffic, puts)


@settings(max_examples=20)
@given(many_small | some_large)
def test_on_real_threads(puts: list[str]) -> None:
    traffic = Traffic(ThreadRuntime())
    with ThreadPoolExecutor(len(puts)) as pool:
        list(pool.map(traffic.put, puts))
    assert_lawful(traffic, puts)
