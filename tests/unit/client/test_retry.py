"""When a publish is tried again, and what is known in the end."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.client.retry import ATTEMPTS, NO_ANSWER, outcome_of, publish, retry_wait
from sim.history.events import PublishOutcome

RETRIED = (NO_ANSWER, 502, 503, 504)


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Mapping[str, str] = field(default_factory=dict)


def run(statuses: Sequence[int], retry_after: int = 0) -> tuple[Reply, list[int], list[float]]:
    """The reply that is kept, the numbers of the tries, the waits between them; the last status comes for ever."""
    tries: list[int] = []
    waits: list[float] = []

    def send(attempt: int) -> Reply:
        tries.append(attempt)
        return Reply(statuses[min(attempt, len(statuses)) - 1], {"retry-after": str(retry_after)})

    return publish(send, waits.append, random.Random(1)), tries, waits


@given(st.lists(st.sampled_from([200, 400, 401, 413, 500, *RETRIED]), min_size=1, max_size=ATTEMPTS))
def test_what_is_known_in_the_end_follows_from_all_replies(statuses: list[int]) -> None:
    kept, tries, waits = run(statuses)
    seen = [statuses[min(number, len(statuses)) - 1] for number in tries]
    outcomes = [outcome_of(status) for status in seen]
    assert tries == list(range(1, len(tries) + 1))
    assert len(waits) == len(tries) - 1
    assert all(status in RETRIED for status in seen[:-1])
    assert seen[-1] not in RETRIED or len(tries) == ATTEMPTS
    if PublishOutcome.OK in outcomes:
        assert outcome_of(kept.status) is PublishOutcome.OK
    elif PublishOutcome.INFO in outcomes:
        assert outcome_of(kept.status) is PublishOutcome.INFO, "a refusal does not settle what was left open"
    else:
        assert kept.status == seen[-1]


@given(st.integers(1, 20), st.integers(0, 60), st.randoms(use_true_random=False))
def test_retry_after_is_the_least_and_the_rest_is_random(attempt: int, asked: int, draw: random.Random) -> None:
    wait = retry_wait(Reply(503, {"retry-after": str(asked)}), attempt, draw)
    assert wait is not None
    assert asked <= wait <= asked + min(5, 0.2 * 2**attempt)


def test_clients_who_failed_together_come_back_apart() -> None:
    reply = Reply(503, {"retry-after": "1"})
    assert len({retry_wait(reply, 3, random.Random(seed)) for seed in range(20)}) == 20


def test_who_asks_for_more_than_a_minute_is_not_tried_again() -> None:
    kept, tries, waits = run([503], retry_after=61)
    assert (kept.status, tries, waits) == (503, [1], [])


@pytest.mark.parametrize("text", ["Fri, 31 Dec 1999 23:59:59 GMT", "-1", "soon", "1.5"])
def test_another_form_of_retry_after_is_none(text: str) -> None:
    wait = retry_wait(Reply(503, {"retry-after": text}), 1, random.Random(0))
    assert wait is not None
    assert wait <= 0.4
