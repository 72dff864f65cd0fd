"""Whether policies allow a request, and which statements decided it.

1. A Deny that applies, in whatever policy, decides.
2. Otherwise something has to allow the request. There are two ways:
   - The caller's side: an identity policy allows it, and so do the permissions boundary and the session policy, where
     there are any.
   - The resource's side: the resource's policy names the caller. A statement that names the session, the user, the
     service or everyone needs nothing else. One that names the *role* of a session is limited by the role's boundary
     and the session policy. One that names the caller's *account* leaves it to the caller's side.
3. Within an account one of the two ways is enough. Between accounts both are needed. The policies of KMS keys and the
   trust policies of roles have a say always: the caller's side counts only if they name the account.
4. What nothing allows is denied.

[Guide] reference_policies_evaluation-logic_policy-eval-denyallow, reference_policies_evaluation-logic-cross-account,
access_policies_boundaries; https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html. Service and
resource control policies of an organization are left out, and so is the root user, whom nothing limits but those.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from sim.aws.iam.pattern import is_arn_like, is_like
from sim.aws.iam.policy import Actions, Effect, Named, Policy, PolicyKind, Principals, Resources, Statement
from sim.aws.iam.request import ANONYMOUS, Principal, PrincipalKind, Request

_ALL = "*"


@dataclass(frozen=True)
class Policies:
    """All policies that have a say in a request. `identity` are those of the role or user. `resource` is that of what
    the request is about: also a key's, or the trust policy of a role that is assumed."""

    identity: tuple[Policy, ...] = ()
    boundary: Policy | None = None
    session: Policy | None = None
    resource: Policy | None = None


class Verdict(Enum):
    """The result of a decision."""

    ALLOWED = "allowed"
    EXPLICITLY_DENIED = "explicitly denied"
    IMPLICITLY_DENIED = "implicitly denied"


@dataclass(frozen=True)
class Decision:
    """A verdict with its reason.

    `statements` are those that decided: the Deny, or every Allow that the request needed; none for an implicit denial.
    `kind` is the kind of policy that denied, or that did not allow; None if the request is allowed.
    """

    verdict: Verdict
    statements: tuple[Statement, ...]
    kind: PolicyKind | None

    @property
    def allowed(self) -> bool:
        """True if the request may go on."""
        return self.verdict is Verdict.ALLOWED


class _Grant(Enum):
    """How a statement names the caller."""

    DIRECT = "by itself, or as everyone"
    ROLE = "by the role of its session"
    ACCOUNT = "by its account"


@dataclass(frozen=True)
class _Need:
    """An Allow that a request needs: the statement that is one, if there is any."""

    kind: PolicyKind
    statement: Statement | None


def decide(policies: Policies, request: Request) -> Decision:
    """Decides a request. The arguments can be hashed, so functools.lru_cache may remember decisions."""
    for policy in _all(policies):
        for statement in policy.statements:
            if statement.effect is Effect.DENY and _applies(statement, request, policies):
                return Decision(Verdict.EXPLICITLY_DENIED, (statement,), policy.kind)
    ways = _ways(policies, request)
    for way in ways:
        statements = tuple(need.statement for need in way if need.statement is not None)
        if len(statements) == len(way):
            return Decision(Verdict.ALLOWED, statements, None)
    return Decision(Verdict.IMPLICITLY_DENIED, (), next(need.kind for need in ways[0] if need.statement is None))


def about(policies: Policies, request: Request) -> tuple[Statement, ...]:
    """All statements that are about a request, whatever they say."""
    return tuple(
        statement
        for policy in _all(policies)
        for statement in policy.statements
        if _applies(statement, request, policies)
    )


def _all(policies: Policies) -> Iterator[Policy]:
    yield from policies.identity
    for policy in (policies.boundary, policies.session, policies.resource):
        if policy is not None:
            yield policy


def _ways(policies: Policies, request: Request) -> list[list[_Need]]:
    """What is needed to be allowed, in every way that there is. The first says what is lacking if none will do."""
    resource = policies.resource
    kind = PolicyKind.RESOURCE if resource is None else resource.kind
    grants = _grants(policies, request)
    direct = [_Need(kind, grants.get(_Grant.DIRECT))]
    if request.principal.kind is not PrincipalKind.AWS or request.principal == ANONYMOUS:
        return [direct]
    limits = [
        _Need(policy.kind, _allow(policy, request, policies))
        for policy in (policies.boundary, policies.session)
        if policy is not None
    ]
    allows = (_allow(policy, request, policies) for policy in policies.identity)
    caller = [_Need(PolicyKind.IDENTITY, next((each for each in allows if each), None)), *limits]
    named = _Need(kind, next((grants[each] for each in _Grant if each in grants), None))
    if request.principal.account != request.account:
        return [[*caller, named]]
    guarded = kind in {PolicyKind.KEY, PolicyKind.TRUST}
    return [[named, *caller] if guarded else caller, direct, [_Need(kind, grants.get(_Grant.ROLE)), *limits]]


def _grants(policies: Policies, request: Request) -> dict[_Grant, Statement]:
    """The first Allow of the resource's policy for each way to name the caller."""
    found: dict[_Grant, Statement] = {}
    for statement in policies.resource.statements if policies.resource else ():
        if statement.effect is Effect.ALLOW and statement.principals and _applies(statement, request, policies):
            for grant in _naming(statement.principals, request.principal):
                found.setdefault(grant, statement)
    return found


def _allow(policy: Policy, request: Request, policies: Policies) -> Statement | None:
    """The first Allow of the policy that applies."""
    allows = (each for each in policy.statements if each.effect is Effect.ALLOW)
    return next((each for each in allows if _applies(each, request, policies)), None)


def _applies(statement: Statement, request: Request, policies: Policies) -> bool:
    """True if the statement is about this request."""
    return (
        _is_about_action(statement.actions, request)
        and (statement.resources is None or _is_about_resource(statement.resources, request))
        and (statement.principals is None or _is_about_principal(statement.principals, request, policies))
        and all(condition.holds(request.context) for condition in statement.conditions)
    )


def _is_about_action(actions: Actions, request: Request) -> bool:
    action = request.action.lower()
    return any(is_like(each, action, request.context) for each in actions.patterns) is not actions.inverted


def _is_about_resource(resources: Resources, request: Request) -> bool:
    fits = any(
        each.source == _ALL or is_arn_like(each, request.resource, request.context) for each in resources.patterns
    )
    return fits is not resources.inverted


def _is_about_principal(principals: Principals, request: Request, policies: Policies) -> bool:
    """[Guide] reference_policies_elements_notprincipal: a Deny with NotPrincipal spares a caller if it names the caller
    and the caller's account, and nobody who has a permissions boundary."""
    naming = set(_naming(principals, request.principal))
    if not principals.inverted:
        return bool(naming)
    if policies.boundary is not None:
        return True
    everyone = any(each.name == _ALL for each in principals.named)
    by_account = not request.principal.account or _Grant.ACCOUNT in naming
    return not everyone and not (by_account and naming - {_Grant.ACCOUNT})


def _naming(principals: Principals, caller: Principal) -> Iterator[_Grant]:
    """How the element names the caller; more than one way, or none."""
    for named in principals.named:
        grant = _names(named, caller)
        if grant is not None:
            yield grant


def _names(named: Named, caller: Principal) -> _Grant | None:
    """[Guide] reference_policies_elements_principal: an account may be written as its digits or as its root's ARN."""
    if named.kind is not caller.kind:
        everyone = named == Named(PrincipalKind.AWS, _ALL)
        return _Grant.DIRECT if everyone else None
    if named.name in {_ALL, caller.name}:
        return _Grant.DIRECT
    if caller.kind is not PrincipalKind.AWS or not caller.account:
        return None
    if caller.role and named.name == caller.role:
        return _Grant.ROLE
    partition = caller.name.split(":")[1]
    account = {caller.account, f"arn:{partition}:iam::{caller.account}:root"}
    return _Grant.ACCOUNT if named.name in account else None
