"""What roles may do, what they did, and what would fail without each permission.

A *permission* is one action of one Allow statement of a role's own policies, as it is written: `ssm:GetParameter*` is
one. It is *used* if it decided a call, and *needed* by the calls that are denied without it. It can be used and not be
needed: then another statement allows the same. All that is not used can be taken away at once, and every call that was
recorded has the same end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from sim.aws.iam.evaluate import Decision, Policies, decide
from sim.aws.iam.pattern import is_like
from sim.aws.iam.policy import Effect, Policy, PolicyKind, Statement
from sim.aws.iam.request import Request


@dataclass(frozen=True)
class Permission:
    """An action of an Allow statement as it is written; None of a statement with NotAction, which is one permission."""

    statement: Statement
    action: str | None


@dataclass(frozen=True)
class Judged:
    """A request that a call needed to be allowed, with the policies that had a say in it."""

    request: Request
    policies: Policies


@dataclass(frozen=True)
class RecordedCall:
    """A call of a role: `role` is the ARN, `operation` such as `sqs:SendMessageBatch`.

    `judged` is None if it was not known what the operation needs, so that nobody judged it.
    """

    role: str
    operation: str
    judged: tuple[Judged, ...] | None


@dataclass(frozen=True)
class UsedPermission:
    """A permission that decided calls: how many, and how many of each operation would be denied without it."""

    permission: Permission
    calls: int
    needed_by: Mapping[str, int]


@dataclass(frozen=True)
class DeniedCall:
    """Calls of one operation that were denied, by the request that was not allowed."""

    operation: str
    request: Request
    decision: Decision
    calls: int


@dataclass(frozen=True)
class RoleUsage:
    """What a role's policies allow, beside what the role did. `unknown` counts the calls that nobody judged."""

    role: str
    used: tuple[UsedPermission, ...]
    unused: tuple[Permission, ...]
    denied: tuple[DeniedCall, ...]
    unknown: Mapping[str, int]


def usage(roles: Mapping[str, Sequence[Policy]], calls: Mapping[RecordedCall, int]) -> tuple[RoleUsage, ...]:
    """The usage of each role, in the order of `roles`: their identity policies by their ARNs.

    `calls` has how many there were of each.
    """
    of_role: dict[str, Counter[RecordedCall]] = {role: Counter() for role in roles}
    for call, count in calls.items():
        if call.role in of_role:
            of_role[call.role][call] += count
    return tuple(_usage(role, permissions(policies), of_role[role]) for role, policies in roles.items())


def permissions(policies: Iterable[Policy]) -> tuple[Permission, ...]:
    """All permissions that policies give."""
    allows = (each for policy in policies for each in policy.statements if each.effect is Effect.ALLOW)
    return tuple(dict.fromkeys(permission for statement in allows for permission in _permissions(statement)))


def without(policies: Policies, gone: Collection[Permission]) -> Policies:
    """The policies with these permissions taken away from the identity policies."""
    return replace(policies, identity=tuple(_less(policy, gone) for policy in policies.identity))


def used(judged: Judged) -> Permission | None:
    """The permission that decided a request; None if it is denied, or if the resource's policy alone allows it."""
    request = judged.request
    for statement in decide(judged.policies, request).statements:
        if statement.kind is PolicyKind.IDENTITY and statement.effect is Effect.ALLOW:
            if statement.actions.inverted:
                return Permission(statement, None)
            fitting = (
                each for each in statement.actions.patterns if is_like(each, request.action.lower(), request.context)
            )
            return Permission(statement, next(fitting).source)
    return None


def _usage(role: str, given: Sequence[Permission], calls: Counter[RecordedCall]) -> RoleUsage:
    deciding: dict[Permission, Counter[RecordedCall]] = {}
    for call, count in calls.items():
        for permission in {permission for each in call.judged or () if (permission := used(each))}:
            deciding.setdefault(permission, Counter())[call] = count
    return RoleUsage(
        role,
        tuple(_used(each, deciding[each]) for each in given if each in deciding),
        tuple(each for each in given if each not in deciding),
        tuple(_denied(calls)),
        _by_operation({call: count for call, count in calls.items() if call.judged is None}),
    )


def _used(permission: Permission, decided: Counter[RecordedCall]) -> UsedPermission:
    needing = {call: count for call, count in decided.items() if _allowed(call) and not _allowed(call, {permission})}
    return UsedPermission(permission, decided.total(), _by_operation(needing))


def _allowed(call: RecordedCall, gone: Collection[Permission] = ()) -> bool:
    return all(decide(without(each.policies, gone), each.request).allowed for each in call.judged or ())


def _denied(calls: Counter[RecordedCall]) -> Iterator[DeniedCall]:
    found: Counter[tuple[str, Request, Decision]] = Counter()
    for call, count in calls.items():
        for each in call.judged or ():
            decision = decide(each.policies, each.request)
            if not decision.allowed:
                found[call.operation, each.request, decision] += count
    for (operation, request, decision), count in found.items():
        yield DeniedCall(operation, request, decision, count)


def _by_operation(calls: Mapping[RecordedCall, int]) -> Mapping[str, int]:
    found: Counter[str] = Counter()
    for call, count in calls.items():
        found[call.operation] += count
    return dict(sorted(found.items()))


def _permissions(statement: Statement) -> list[Permission]:
    if statement.actions.inverted:
        return [Permission(statement, None)]
    return [Permission(statement, each.source) for each in statement.actions.patterns]


def _less(policy: Policy, gone: Collection[Permission]) -> Policy:
    return replace(policy, statements=tuple(left for each in policy.statements for left in _statement_less(each, gone)))


def _statement_less(statement: Statement, gone: Collection[Permission]) -> list[Statement]:
    """The statement without these permissions; none if nothing is left of it."""
    if statement.effect is Effect.DENY:
        return [statement]
    if statement.actions.inverted:
        return [] if Permission(statement, None) in gone else [statement]
    left = tuple(each for each in statement.actions.patterns if Permission(statement, each.source) not in gone)
    return [replace(statement, actions=replace(statement.actions, patterns=left))] if left else []
