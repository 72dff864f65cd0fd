"""Laws of what roles may do beside what they did, whatever the policies and the calls are."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from functools import cache

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sim.aws.iam.evaluate import Decision, Policies, decide
from sim.aws.iam.pattern import is_like
from sim.aws.iam.policy import Policy, PolicyKind
from sim.aws.iam.recording import Recording as Kept
from sim.aws.iam.recording import judgement
from sim.aws.iam.usage import Judged, Permission, RecordedCall, RoleUsage, permissions, usage, used, without
from tests.property.iam.generated import PRINCIPALS, ROLE, Case, cases


@dataclass(frozen=True)
class Recording:
    """A role's policies and what was recorded of it."""

    policies: tuple[Policy, ...]
    calls: tuple[RecordedCall, ...]

    @property
    def usage(self) -> RoleUsage:
        (found,) = usage({ROLE: self.policies}, Counter(self.calls))
        return found

    @property
    def judged(self) -> list[Judged]:
        return [each for call in self.calls for each in call.judged or ()]


@cache
def recordings() -> st.SearchStrategy[Recording]:
    """Calls of one role, all under the same identity policies."""
    of_role = cases(kinds=[PolicyKind.RESOURCE], principals=PRINCIPALS[:1])
    return st.lists(of_role, min_size=1, max_size=4).map(_recording)


def _recording(several: list[Case]) -> Recording:
    identity = several[0].policies.identity
    calls = [
        RecordedCall(ROLE, case.action, (Judged(case.request, replace(case.policies, identity=identity)),))
        for case in several
    ]
    return Recording(identity, tuple(calls))


LAW = settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])


@LAW
@given(recording=recordings())
def test_a_permission_is_either_used_or_not(recording: Recording) -> None:
    found = recording.usage
    of_usage = {*found.unused, *(each.permission for each in found.used)}
    assert of_usage == set(permissions(recording.policies))
    assert len(of_usage) == len(found.unused) + len(found.used)


@LAW
@given(recording=recordings())
def test_without_all_that_is_not_used_every_call_has_the_same_end(recording: Recording) -> None:
    unused = set(recording.usage.unused)
    for each in recording.judged:
        assert _allowed(each, unused) is _allowed(each)


@LAW
@given(recording=recordings())
def test_without_a_permission_exactly_its_calls_are_denied(recording: Recording) -> None:
    needed_by = {each.permission: each.needed_by for each in recording.usage.used}
    for permission in permissions(recording.policies):
        denied = [each for each in recording.judged if _allowed(each) and not _allowed(each, {permission})]
        assert sum(needed_by.get(permission, {}).values()) == len(denied)
        assert all(used(each) == permission for each in denied)


@LAW
@given(recording=recordings())
def test_a_call_that_was_denied_stays_denied(recording: Recording) -> None:
    denied = [each for each in recording.judged if not _allowed(each)]
    for permission in permissions(recording.policies):
        assert not any(_allowed(each, {permission}) for each in denied)
    assert sum(each.calls for each in recording.usage.denied) == len(denied)


@LAW
@given(recording=recordings())
def test_without_every_permission_for_its_action_a_call_has_its_resources_policy_alone(recording: Recording) -> None:
    for each in recording.judged:
        action = each.request.action.lower()
        gone = {permission for permission in permissions(recording.policies) if _covers(permission, action, each)}
        bare = replace(each.policies, identity=_denials(each.policies))
        assert _allowed(each, gone) is decide(bare, each.request).allowed


@LAW
@given(recording=recordings(), times=st.integers(1, 3))
def test_one_call_of_each_kind_tells_what_all_of_them_would(recording: Recording, times: int) -> None:
    kept, all_calls = Kept(), Counter(recording.calls * times)
    for call in all_calls.elements():
        kept.note(ROLE, call.operation, [judgement(each.policies, each.request) for each in call.judged or ()])
    assert len(kept.calls) <= len(all_calls)
    (of_kept,), (of_all,) = (usage({ROLE: recording.policies}, calls) for calls in (kept.calls, all_calls))
    assert (of_kept.used, of_kept.unused, of_kept.unknown) == (of_all.used, of_all.unused, of_all.unknown)
    assert _denials_by_reason(of_kept) == _denials_by_reason(of_all)


def _denials_by_reason(found: RoleUsage) -> Counter[tuple[str, Decision]]:
    counts: Counter[tuple[str, Decision]] = Counter()
    for each in found.denied:
        counts[each.operation, each.decision] += each.calls
    return counts


def _covers(permission: Permission, action: str, judged: Judged) -> bool:
    patterns = permission.statement.actions.patterns
    return permission.action is None or any(
        is_like(each, action, judged.request.context) for each in patterns if each.source == permission.action
    )


def _denials(policies: Policies) -> tuple[Policy, ...]:
    return without(policies, set(permissions(policies.identity))).identity


def _allowed(judged: Judged, gone: set[Permission] | frozenset[Permission] = frozenset()) -> bool:
    return decide(without(judged.policies, gone), judged.request).allowed
