"""Which calls and moments a plan hits."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.faults.decide import Decisions, Hit, draw, failing, hits, moments
from sim.faults.plan import Fault, FaultPlan, Rule

CALLS = [("api", "sqs", "SendMessageBatch"), ("worker", "sqs", "DeleteMessageBatch"), ("worker", "s3", "PutObject")]


def plan_of(*rules: Rule, seed: int = 1, seconds: float | None = None) -> FaultPlan:
    return FaultPlan(rules, seed, seconds)


@given(st.integers(), st.randoms(use_true_random=False))
def test_the_same_calls_meet_the_same_faults_whatever_their_order(seed: int, shuffled: random.Random) -> None:
    plan = plan_of(Rule(Fault.THROTTLE, probability=0.5), Rule(Fault.RESET_PEER, probability=0.5), seed=seed)
    ordered = [call for call in CALLS for _ in range(8)]
    mixed = shuffled.sample(ordered, len(ordered))

    def faults(calls: list[tuple[str, str, str]]) -> dict[tuple[str, str, str], list[tuple[Hit, ...]]]:
        decisions = Decisions(plan)
        met: dict[tuple[str, str, str], list[tuple[Hit, ...]]] = {}
        for call in calls:
            met.setdefault(call, []).append(decisions.hits(*call, at=0))
        return met

    assert faults(ordered) == faults(mixed)


def test_what_is_drawn_is_the_same_in_every_process() -> None:
    assert draw("1", "hits") == draw("1", "hits") == pytest.approx(0.937776, abs=1e-6)


@pytest.mark.parametrize("probability", [0.0, 0.1, 0.5, 1.0])
def test_a_probability_is_the_share_of_calls_that_are_hit(probability: float) -> None:
    plan = plan_of(Rule(Fault.THROTTLE, probability=probability))
    hit = sum(bool(hits(plan, "api", "sqs", "SendMessageBatch", ordinal, 0)) for ordinal in range(2_000))
    assert hit / 2_000 == pytest.approx(probability, abs=0.04 if 0 < probability < 1 else 0)


def test_another_seed_hits_other_calls() -> None:
    plan = plan_of(Rule(Fault.THROTTLE, probability=0.5))
    first, second = (
        [bool(hits(each, "api", "sqs", "SendMessageBatch", ordinal, 0)) for ordinal in range(64)]
        for each in (plan, plan.seeded(2))
    )
    assert first != second


@pytest.mark.parametrize(
    ("rule", "hit"),
    [
        (Rule(Fault.THROTTLE), True),
        (Rule(Fault.THROTTLE, "api", "sqs", "SendMessageBatch"), True),
        (Rule(Fault.THROTTLE, caller="worker"), False),
        (Rule(Fault.THROTTLE, service="s3"), False),
        (Rule(Fault.THROTTLE, operation="SendMessage"), False),
        (Rule(Fault.THROTTLE, since=5, until=6), True),
        (Rule(Fault.THROTTLE, since=6), False),
        (Rule(Fault.THROTTLE, until=5), False),
        (Rule(Fault.KILL_TASK), False),
    ],
)
def test_a_rule_hits_what_it_is_about_in_its_time(rule: Rule, hit: bool) -> None:
    assert bool(hits(plan_of(rule), "api", "sqs", "SendMessageBatch", 0, at=5)) is hit


def test_after_its_end_a_plan_does_nothing() -> None:
    plan = plan_of(Rule(Fault.THROTTLE), Rule(Fault.KILL_TASK, every=1), seconds=3)
    assert hits(plan, "api", "sqs", "SendMessageBatch", 0, at=2.9)
    assert not hits(plan, "api", "sqs", "SendMessageBatch", 0, at=3)
    assert [moment.at for moment in moments(plan)] == [0, 1, 2]


def test_moments_come_in_order_and_each_by_its_odds() -> None:
    plan = plan_of(
        Rule(Fault.KILL_TASK, since=2, every=4, until=12),
        Rule(Fault.STOP_TASK, since=5),
        Rule(Fault.PARTITION, every=1, probability=0, seconds=1),
        seconds=20,
    )
    found = [(moment.at, moment.hit.rule.fault) for moment in moments(plan)]
    assert found == [(2, Fault.KILL_TASK), (5, Fault.STOP_TASK), (6, Fault.KILL_TASK), (10, Fault.KILL_TASK)]


def test_moments_without_an_end_are_refused() -> None:
    plan = plan_of(Rule(Fault.KILL_TASK, every=4))
    assert len(moments(plan, 12)) == 3
    with pytest.raises(ValueError, match="without an end"):
        moments(plan, math.inf)


@given(st.text(), st.sets(st.text(), min_size=1, max_size=10))
def test_some_entries_of_a_batch_fail(key: str, entries: set[str]) -> None:
    hit = Hit(Rule(Fault.PARTIAL_BATCH_FAILURE), key)
    assert failing(hit, entries)
    assert failing(hit, entries) == failing(hit, sorted(entries)) <= entries


def test_which_entries_fail_is_not_always_all_or_one() -> None:
    entries = [str(number) for number in range(10)]
    sizes = {len(failing(Hit(Rule(Fault.PARTIAL_BATCH_FAILURE), str(key)), entries)) for key in range(100)}
    assert len(sizes) > 4
