"""Laws of decisions, whatever the policies are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sim.aws.iam.evaluate import Policies, Verdict, decide
from sim.aws.iam.policy import Effect, Policy, PolicyKind, Statement
from tests.property.iam.generated import Case, cases

EVERYTHING = {"Action": "*", "Resource": "*"}
PARTS = ("boundary", "session", "attached")


@given(case=cases(), where=st.sampled_from(("identity", *PARTS)))
def test_a_deny_wins_wherever_it_is(case: Case, where: str) -> None:
    denied = _with(case, where, "Deny")
    assert decide(denied.policies, denied.request).verdict is Verdict.EXPLICITLY_DENIED


@given(case=cases(), where=st.sampled_from(("identity", *PARTS)))
def test_one_more_allow_never_denies(case: Case, where: str) -> None:
    more = _with(case, where, "Allow") if where == "identity" or getattr(case, where) else case
    if decide(case.policies, case.request).allowed:
        assert decide(more.policies, more.request).allowed


@given(case=cases())
def test_a_statement_that_did_not_decide_can_go(case: Case) -> None:
    decision = decide(case.policies, case.request)
    for without, gone in _each_without_one(case.policies):
        if gone not in decision.statements:
            left = decide(without, case.request)
            assert (left.verdict, left.statements) == (decision.verdict, decision.statements)


@given(case=cases())
def test_without_a_statement_that_decided_another_one_decides(case: Case) -> None:
    decision = decide(case.policies, case.request)
    for without, gone in _each_without_one(case.policies):
        if gone in decision.statements:
            assert gone not in decide(without, case.request).statements


@given(case=cases())
def test_what_decides_has_the_effect_of_the_verdict(case: Case) -> None:
    decision = decide(case.policies, case.request)
    effects = [each.effect for each in decision.statements]
    match decision.verdict:
        case Verdict.ALLOWED:
            assert effects
            assert set(effects) == {Effect.ALLOW}
        case Verdict.EXPLICITLY_DENIED:
            assert effects == [Effect.DENY]
        case Verdict.IMPLICITLY_DENIED:
            assert not effects
    assert decision.allowed is (decision.kind is None)


@settings(max_examples=30)
@given(several=st.lists(cases(), min_size=2, max_size=4))
def test_a_decision_that_is_remembered_is_the_decision(several: list[Case]) -> None:
    remembered = lru_cache(maxsize=None)(decide)
    for _ in range(2):
        for case in several:
            # Read anew, so that what is looked up equals what was remembered, and is not the same object.
            assert remembered(case.policies, case.request) == decide(case.policies, case.request)
    assert remembered.cache_info().misses <= len(several)


def _with(case: Case, where: str, effect: str) -> Case:
    """The case with one more statement, about everything."""
    statement: dict[str, Any] = {"Effect": effect, **EVERYTHING}
    if where == "identity":
        return replace(case, identity=[*case.identity, {"Version": "2012-10-17", "Statement": [statement]}])
    if where == "attached":
        statement["Principal"] = "*"
        if case.attached_kind is PolicyKind.TRUST:
            del statement["Resource"]
    before = getattr(case, where) or {"Version": "2012-10-17", "Statement": []}
    changed: dict[str, Any] = {where: {**before, "Statement": [*before["Statement"], statement]}}
    return replace(case, **changed)


def _each_without_one(policies: Policies) -> Iterator[tuple[Policies, Statement]]:
    """The policies without each of their statements in turn."""
    for n, policy in enumerate(policies.identity):
        for less, gone in _less(policy):
            yield replace(policies, identity=(*policies.identity[:n], less, *policies.identity[n + 1 :])), gone
    for part in ("boundary", "session", "resource"):
        of_part: Policy | None = getattr(policies, part)
        for less, gone in _less(of_part) if of_part else ():
            changed: dict[str, Any] = {part: less}
            yield replace(policies, **changed), gone


def _less(policy: Policy) -> Iterator[tuple[Policy, Statement]]:
    for n, gone in enumerate(policy.statements):
        yield replace(policy, statements=policy.statements[:n] + policy.statements[n + 1 :]), gone
