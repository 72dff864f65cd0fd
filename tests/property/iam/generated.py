"""Policies and requests at random, from words so few that statements often apply."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from hypothesis import strategies as st

from sim.aws.iam.evaluate import Policies
from sim.aws.iam.policy import Policy, PolicyKind, parse
from sim.aws.iam.request import Principal, Request, context, service, session, user

Document = dict[str, Any]
Values = str | list[str]

ACCOUNT = "111122223333"
OTHER_ACCOUNT = "444455556666"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/pipeline/worker"
OTHER_ROLE = f"arn:aws:iam::{OTHER_ACCOUNT}:role/worker"
PRINCIPALS = (
    session(ROLE, "task-1"),
    user(f"arn:aws:iam::{ACCOUNT}:user/anna"),
    session(OTHER_ROLE, "task-1"),
    service("delivery.logs.amazonaws.com"),
)
KINDS = (PolicyKind.RESOURCE, PolicyKind.RESOURCE, PolicyKind.KEY, PolicyKind.TRUST)
OBJECT = "arn:aws:s3:::emails/incoming/anna.json"
QUEUE = f"arn:aws:sqs:eu-central-1:{ACCOUNT}:emails"
KEY = f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
CALLS = (
    ("s3:GetObject", OBJECT),
    ("s3:PutObject", OBJECT),
    ("s3:ListBucket", "arn:aws:s3:::emails"),
    ("sqs:SendMessage", QUEUE),
    ("sqs:ReceiveMessage", QUEUE),
)
KEY_CALLS = (("kms:Decrypt", KEY), ("kms:Encrypt", KEY))
TRUST_CALLS = (("sts:AssumeRole", ROLE), ("sts:TagSession", ROLE))

_ACTIONS = ("*", "s3:*", "s3:Get*", "S3:getobject", "s3:???Object", "sqs:SendMessage", "sqs:*Message", "sqs:*")
_RESOURCES = (
    "*",
    OBJECT,
    "arn:aws:s3:::emails",
    "arn:aws:s3:::emails/*",
    "arn:aws:s3:::*/incoming/????.json",
    "arn:aws:s3:::emails/incoming/${aws:PrincipalTag/team}.json",
    "arn:aws:s3:::emails/incoming/${aws:PrincipalTag/team, 'anna'}.json",
    "arn:aws:s3:::emails/incoming/${*}.json",
    QUEUE,
    "arn:aws:sqs:*:*:emails",
    "arn:aws:s??:eu-*:*:*",
    "arn:*:sqs:eu-central-?:111122223333:*",
)
_NAMED = (
    ("AWS", ROLE),
    ("AWS", PRINCIPALS[0].name),
    ("AWS", PRINCIPALS[1].name),
    ("AWS", ACCOUNT),
    ("AWS", f"arn:aws:iam::{ACCOUNT}:root"),
    ("AWS", f"arn:aws:iam::{OTHER_ACCOUNT}:root"),
    ("AWS", OTHER_ROLE),
    ("AWS", "*"),
    ("Service", "delivery.logs.amazonaws.com"),
)

_TEXTS = ("anna", "bert", "Anna", "an*")
_ARNS = (QUEUE, ROLE, "arn:aws:sns:eu-central-1:111122223333:alarms")


@dataclass(frozen=True)
class _Key:
    """A condition key: its operators, the values that requests have, and the values that policies have."""

    operators: Sequence[str]
    present: tuple[str, ...]
    written: tuple[str, ...]
    several: bool = False


def _comparisons(name: str) -> list[str]:
    negated = [f"{name}{suffix}" for suffix in ("LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals")]
    return [f"{name}Equals", f"{name}NotEquals", *negated]


_STRINGS = [f"String{no}{rest}" for no in ("", "Not") for rest in ("Equals", "EqualsIgnoreCase", "Like")]
_KEYS: Mapping[str, _Key] = {
    "aws:PrincipalTag/team": _Key(_STRINGS, _TEXTS, (*_TEXTS, "a*", "????", "${aws:username}")),
    "aws:PrincipalTag/name": _Key(["StringLike", "StringNotLike"], _TEXTS, ("${*}", "an${*}", "?n${*}", "*t")),
    "aws:username": _Key(_STRINGS, _TEXTS, (*_TEXTS, "${aws:PrincipalTag/team, 'bert'}")),
    "aws:TagKeys": _Key(_STRINGS, _TEXTS, (*_TEXTS, "*n*"), several=True),
    "aws:MultiFactorAuthAge": _Key(_comparisons("Numeric"), ("0", "9", "10", "10.5"), ("0", "9.0", "10", "11")),
    "aws:CurrentTime": _Key(
        _comparisons("Date"),
        ("2026-01-31T23:00:00Z", "2026-02-01T00:00:00+01:00", "2026-02-01"),
        ("2026-01-31T23:00:00Z", "2026-02-01", "2026-02", "2026-02-01T00:00:00.5Z"),
    ),
    "aws:EpochTime": _Key(_comparisons("Date"), ("1769900000", "1769900001"), ("1769900000", "1769899999")),
    "aws:SecureTransport": _Key(["Bool"], ("true", "false"), ("true", "false", "True")),
    "aws:SourceIp": _Key(
        ["IpAddress", "NotIpAddress"],
        ("10.0.0.1", "10.0.1.1", "2001:db8::1"),
        ("10.0.0.0/24", "10.0.0.1", "10.0.0.0/8", "2001:db8::/32"),
    ),
    "aws:SourceArn": _Key(
        [f"Arn{no}{rest}" for no in ("", "Not") for rest in ("Equals", "Like")],
        _ARNS,
        (*_ARNS, "arn:aws:s?s:*:*:*", "arn:aws:*:eu-central-1:${aws:PrincipalAccount}:emails", "arn:aws:sqs:*"),
    ),
    "aws:userid": _Key(["BinaryEquals"], ("QUFB", "QkJC"), ("QUFB", "QkJC")),
}


@dataclass(frozen=True)
class Case:
    """A request with all policies that have a say in it, as documents."""

    principal: Principal
    action: str
    resource: str
    keys: Mapping[str, Values]
    identity: Sequence[Document]
    boundary: Document | None
    session: Document | None
    attached: Document | None
    """The policy of the resource."""
    attached_kind: PolicyKind

    @property
    def policies(self) -> Policies:
        """The policies, read."""
        return Policies(
            tuple(parse(each, name=f"identity-{n}", kind=PolicyKind.IDENTITY) for n, each in enumerate(self.identity)),
            _read(self.boundary, PolicyKind.BOUNDARY),
            _read(self.session, PolicyKind.SESSION),
            _read(self.attached, self.attached_kind),
        )

    @property
    def request(self) -> Request:
        """The request."""
        return Request(self.principal, self.action, self.resource, ACCOUNT, context(self.keys))


def _read(document: Document | None, kind: PolicyKind) -> Policy | None:
    return None if document is None else parse(document, name=kind.value, kind=kind)


@cache
def _one_or_more(values: tuple[str, ...]) -> st.SearchStrategy[Values]:
    return st.sampled_from(values) | st.lists(st.sampled_from(values), min_size=1, max_size=3, unique=True)


@cache
def _several(values: tuple[str, ...]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(values), min_size=2, max_size=3, unique=True)


@cache
@st.composite
def conditions(draw: st.DrawFn) -> Document:
    """A Condition element."""
    made: dict[str, dict[str, Values]] = {}
    for name in draw(st.lists(st.sampled_from(sorted(_KEYS)), max_size=2, unique=True)):
        key = _KEYS[name]
        values = draw(_one_or_more(key.written))
        operator = draw(st.sampled_from(key.operators)) + draw(st.sampled_from(("", "", "IfExists")))
        if draw(st.integers(0, 9)) == 0:
            operator, values = "Null", draw(_one_or_more(("true", "false")))
        elif key.several or draw(st.integers(0, 4)) == 0:
            operator = draw(st.sampled_from(("ForAllValues:", "ForAnyValue:"))) + operator
        made.setdefault(operator, {})[name] = values
    return made


@cache
@st.composite
def statements(draw: st.DrawFn, kind: PolicyKind, actions: tuple[str, ...], resources: tuple[str, ...]) -> Document:
    """One statement of a policy of this kind."""
    made: Document = {"Effect": draw(st.sampled_from(("Allow", "Allow", "Allow", "Deny")))}
    element = draw(st.sampled_from(("Action", "Action", "Action", "NotAction")))
    made[element] = draw(_one_or_more(actions))
    if kind is not PolicyKind.TRUST:
        element = draw(st.sampled_from(("Resource", "Resource", "Resource", "NotResource")))
        made[element] = draw(_one_or_more(resources))
    if kind.names_principals:
        made |= draw(_principals(inverted=made["Effect"] == "Deny" and kind is not PolicyKind.TRUST))
    if draw(st.booleans()) and (condition := draw(conditions())):
        made["Condition"] = condition
    return made


@cache
@st.composite
def _principals(draw: st.DrawFn, inverted: bool) -> Document:
    named: dict[str, list[str]] = {}
    element = "NotPrincipal" if inverted and draw(st.booleans()) else "Principal"
    for kind, name in draw(st.lists(st.sampled_from(_NAMED), min_size=1, max_size=3, unique=True)):
        named.setdefault(kind, []).append(name)
    return {element: "*" if "*" in named.get("AWS", []) and draw(st.booleans()) else named}


@cache
def documents(kind: PolicyKind, actions: tuple[str, ...], resources: tuple[str, ...]) -> st.SearchStrategy[Document]:
    """A policy of this kind."""
    several = st.lists(statements(kind, actions, resources), min_size=1, max_size=3)
    return several.map(lambda made: {"Version": "2012-10-17", "Statement": made})


@st.composite
def cases(draw: st.DrawFn, kinds: Sequence[PolicyKind] = KINDS, principals: Sequence[Principal] = PRINCIPALS) -> Case:
    """A request by one of the principals and its policies; that of the resource is of one of the kinds."""
    kind = draw(st.sampled_from(kinds))
    calls, actions, resources = {
        PolicyKind.RESOURCE: (CALLS, _ACTIONS, _RESOURCES),
        PolicyKind.KEY: (KEY_CALLS, ("*", "kms:*", "kms:Decrypt"), ("*", KEY)),
        PolicyKind.TRUST: (TRUST_CALLS, ("*", "sts:*", "sts:AssumeRole"), ("*", ROLE)),
    }[kind]
    action, resource = draw(st.sampled_from(calls))
    keys: dict[str, Values] = {}
    for name in draw(st.lists(st.sampled_from(sorted(_KEYS)), max_size=len(_KEYS), unique=True)):
        present = _KEYS[name].present
        keys[name] = draw(_several(present)) if _KEYS[name].several else draw(st.sampled_from(present))
    principal = draw(st.sampled_from(principals))
    identity = st.lists(documents(PolicyKind.IDENTITY, actions, resources), max_size=2 if principal.account else 0)
    boundary = st.none() | documents(PolicyKind.BOUNDARY, actions, resources)
    attached = documents(kind, actions, resources)
    policy_of_resource = draw(attached if kind is not PolicyKind.RESOURCE else st.none() | attached)
    of_session = st.none() | documents(PolicyKind.SESSION, actions, resources)
    return Case(
        principal,
        action,
        resource,
        keys,
        draw(identity),
        draw(boundary) if principal.account else None,
        draw(of_session) if principal.role else None,
        policy_of_resource,
        kind,
    )
