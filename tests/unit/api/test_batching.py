"""How requests that come at once become batches, in virtual time."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.api.batching import Batcher
from services.api.problems import INTERNAL, UNAVAILABLE, Problem
from services.api.queue import BATCH_ENTRIES, Answer
from sim.world.virtual_time import WorldRuntime
from tests.unit.virtual import virtual_runtime

LINGER = 0.003
SEND = 0.020
MAX_BYTES = 100


class Requests:
    """Requests that put bodies at given times into a batcher whose calls take SEND seconds."""

    def __init__(self, runtime: WorldRuntime, *, max_bytes: int = MAX_BYTES) -> None:
        self.sent: list[tuple[float, list[str]]] = []
        self.answers: dict[str, tuple[float, Answer | Exception]] = {}
        self.failure: Exception | None = None
        self.runtime = runtime
        self._batcher = Batcher(self._send, max_bytes=max_bytes, linger_seconds=LINGER, runtime=runtime)

    def at(self, seconds: float, *bodies: str) -> None:
        """Requests to come, each a thread of the server's."""
        for body in bodies:
            self.runtime.spawn(lambda body=body: self._put(seconds, body))  # type: ignore[misc]  # bound now, not later

    def finish(self) -> None:
        self.runtime.sleep(60)

    def _put(self, seconds: float, body: str) -> None:
        self.runtime.sleep(seconds)
        answer: Answer | Exception
        try:
            answer = self._batcher.put(body)
        except RuntimeError as error:
            answer = error
        self.answers[body] = (self.runtime.monotonic(), answer)

    def _send(self, bodies: Sequence[str]) -> Sequence[Answer]:
        self.sent.append((round(self.runtime.monotonic(), 6), list(bodies)))
        self.runtime.sleep(SEND)
        if self.failure is not None:
            raise self.failure
        return [Problem(UNAVAILABLE, body) if body.startswith("bad") else None for body in bodies]


@pytest.fixture
def requests(runtime: WorldRuntime) -> Requests:
    return Requests(runtime)


def test_a_lone_request_waits_for_nobody(requests: Requests) -> None:
    requests.at(0, "a")
    requests.at(1, "b")
    requests.finish()
    assert requests.sent == [(0, ["a"]), (1, ["b"])]
    assert requests.answers == {"a": (SEND, None), "b": (1 + SEND, None)}


def test_while_a_batch_is_under_way_the_next_waits_a_little_for_company(requests: Requests) -> None:
    requests.at(0, "a")
    requests.at(0.001, "b")
    requests.at(0.002, "c")
    requests.at(0.005, "d")
    requests.finish()
    assert requests.sent == [(0, ["a"]), (0.004, ["b", "c"]), (0.008, ["d"])]


def test_a_full_batch_goes_at_once(requests: Requests) -> None:
    bodies = [str(number) for number in range(BATCH_ENTRIES)]
    requests.at(0, "a")
    requests.at(0.001, *bodies, "b")
    requests.finish()
    assert requests.sent == [(0, ["a"]), (0.001, bodies), (0.004, ["b"])]


def test_a_body_too_big_for_the_open_batch_sends_it_and_opens_another(requests: Requests) -> None:
    requests.at(0, "a")
    requests.at(0.001, "b" * 51)
    requests.at(0.002, "c" * 50)
    requests.at(0.003, "d" * 50)
    requests.finish()
    assert requests.sent == [(0, ["a"]), (0.002, ["b" * 51]), (0.005, ["c" * 50, "d" * 50])]


def test_a_body_is_measured_in_bytes(requests: Requests) -> None:
    requests.at(0, "a")
    requests.at(0.001, "é" * 26, "è" * 25)
    requests.finish()
    assert [bodies for _, bodies in requests.sent] == [["a"], ["é" * 26], ["è" * 25]]


def test_each_request_hears_of_its_own_body(requests: Requests) -> None:
    requests.at(0, "a")
    requests.at(0.001, "good", "bad 1", "bad 2")
    requests.finish()
    answers = {body: answer for body, (_, answer) in requests.answers.items()}
    assert answers == {
        "a": None,
        "good": None,
        "bad 1": Problem(UNAVAILABLE, "bad 1"),
        "bad 2": Problem(UNAVAILABLE, "bad 2"),
    }


def test_when_sending_fails_nobody_is_left_waiting_and_the_next_goes_at_once(requests: Requests) -> None:
    requests.at(0, "a")
    requests.at(0.001, "b", "c", "d")
    requests.failure = RuntimeError("a fault of ours")
    requests.finish()
    answers = {body: answer for body, (_, answer) in requests.answers.items()}
    assert answers["a"] is answers["b"] is requests.failure
    for follower in (answers["c"], answers["d"]):
        assert isinstance(follower, Problem)
        assert follower.kind is INTERNAL
    requests.failure = None
    requests.at(0, "e")
    began = requests.runtime.monotonic()
    requests.finish()
    assert requests.sent[-1] == (began, ["e"])
    assert requests.answers["e"] == (began + SEND, None)


@settings(max_examples=50)
@given(st.lists(st.tuples(st.sampled_from([0, 0.001, 0.004, 0.02, 0.03]), st.integers(0, MAX_BYTES - 3)), max_size=40))
def test_every_body_is_sent_once_in_a_batch_that_sqs_takes_and_in_time(plan: list[tuple[float, int]]) -> None:
    runtime = virtual_runtime()
    requests = Requests(runtime)
    for number, (seconds, size) in enumerate(plan):
        requests.at(seconds, f"{number:03}" + "x" * size)
    requests.finish()
    batches = [bodies for _, bodies in requests.sent]
    assert sorted(body for bodies in batches for body in bodies) == sorted(requests.answers)
    assert len(requests.answers) == len(plan)
    assert all(len(bodies) <= BATCH_ENTRIES and len("".join(bodies)) <= MAX_BYTES for bodies in batches)
    for body, (answered_at, answer) in requests.answers.items():
        assert answer is None
        assert answered_at <= plan[int(body[:3])][0] + LINGER + SEND + 1e-9
