"""Policies as values, read from the JSON that IAM, SQS, S3, SNS and KMS keep.

[Guide] reference_policies_grammar, reference_policies_elements.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from functools import cached_property
from typing import Any

from sim.aws.iam.condition import NULL, OPERATORS, Condition, SetOperator
from sim.aws.iam.pattern import Pattern, pattern
from sim.aws.iam.request import PrincipalKind
from sim.errors import SimError

VERSIONS = ("2008-10-17", "2012-10-17")
"""Of the policy language. The first, which is the default, has no variables."""

_ELEMENTS = frozenset(
    {"Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"}
)
_ALL = "*"


class PolicyKind(Enum):
    """What a policy is attached to."""

    IDENTITY = "identity"
    BOUNDARY = "boundary"
    SESSION = "session"
    RESOURCE = "resource"
    KEY = "key"
    """The policy of a KMS key."""
    TRUST = "trust"
    """The policy of a role that says who may assume it."""

    @property
    def names_principals(self) -> bool:
        """True of policies that are attached to a resource, and so have to say for whom they are."""
        return self in {PolicyKind.RESOURCE, PolicyKind.KEY, PolicyKind.TRUST}


class Effect(Enum):
    """What a statement does to the requests that it is about."""

    ALLOW = "Allow"
    DENY = "Deny"


class MalformedPolicy(SimError):
    """A policy that IAM would refuse."""


@dataclass(frozen=True)
class Actions:
    """An Action element, or with `inverted` a NotAction."""

    patterns: tuple[Pattern, ...]
    inverted: bool


@dataclass(frozen=True)
class Resources:
    """A Resource element, or with `inverted` a NotResource."""

    patterns: tuple[Pattern, ...]
    inverted: bool


@dataclass(frozen=True)
class Named:
    """One principal that a policy names: `name` is as the policy has it."""

    kind: PrincipalKind
    name: str


@dataclass(frozen=True)
class Principals:
    """A Principal element, or with `inverted` a NotPrincipal."""

    named: tuple[Named, ...]
    inverted: bool


@dataclass(frozen=True)
class Statement:
    """One statement. `name` is its Sid, or its number in the policy, which counts from 1.

    Its hash is worked out once, because judgements are looked up by statements.
    """

    kind: PolicyKind
    policy: str
    name: str
    effect: Effect
    actions: Actions
    resources: Resources | None
    principals: Principals | None
    conditions: tuple[Condition, ...]

    @cached_property
    def _hash(self) -> int:
        return hash((self.kind, self.policy, self.name, self.effect, self.actions, self.resources, self.conditions))

    def __hash__(self) -> int:
        return self._hash

    def __str__(self) -> str:
        return f"statement {self.name} of {self.policy}"


@dataclass(frozen=True)
class Policy:
    """A policy. Its hash is worked out once, because decisions are looked up by policies."""

    kind: PolicyKind
    name: str
    statements: tuple[Statement, ...]

    @cached_property
    def _hash(self) -> int:
        return hash((self.kind, self.name, self.statements))

    def __hash__(self) -> int:
        return self._hash


def parse(document: str | Mapping[str, Any], *, name: str, kind: PolicyKind) -> Policy:
    """Reads a policy. `name` is for whoever reads a decision. Raises MalformedPolicy."""
    return _Reader(kind, name).policy(document)


@dataclass(frozen=True)
class _Reader:
    """Reads one policy; knows what it is called."""

    kind: PolicyKind
    name: str

    def policy(self, document: str | Mapping[str, Any]) -> Policy:
        read = self._json(document) if isinstance(document, str) else document
        if not isinstance(read, Mapping) or "Statement" not in read:
            raise self._malformed("there is no Statement")
        unknown = set(read) - {"Version", "Id", "Statement"}
        if unknown:
            raise self._malformed(f"unknown element {', '.join(sorted(unknown))}")
        version = read.get("Version", VERSIONS[0])
        if version not in VERSIONS:
            raise self._malformed(f"Version is {version!r}; it has to be one of {', '.join(VERSIONS)}")
        statements = read["Statement"] if isinstance(read["Statement"], list) else [read["Statement"]]
        variables = version == VERSIONS[1]
        numbered = enumerate(statements, 1)
        return Policy(self.kind, self.name, tuple(self._statement(each, n, variables) for n, each in numbered))

    def _json(self, document: str) -> Any:
        try:
            return json.loads(document)
        except ValueError as error:
            raise self._malformed(f"it is not JSON: {error}") from error

    def _statement(self, read: Any, number: int, variables: bool) -> Statement:
        if not isinstance(read, Mapping):
            raise self._malformed(f"statement {number} is no object")
        unknown = set(read) - _ELEMENTS
        if unknown:
            raise self._malformed(f"statement {number} has the unknown element {', '.join(sorted(unknown))}")
        if read.get("Effect") not in {each.value for each in Effect}:
            raise self._malformed(f"the Effect of statement {number} is neither Allow nor Deny")
        effect = Effect(read["Effect"])
        return Statement(
            self.kind,
            self.name,
            str(read.get("Sid") or number),
            effect,
            self._actions(read, number),
            self._resources(read, number, variables),
            self._principals(read, number, effect),
            self._conditions(read.get("Condition", {}), number, variables),
        )

    def _actions(self, read: Mapping[str, Any], number: int) -> Actions:
        element = self._either(read, "Action", number)
        if element is None:
            raise self._malformed(f"statement {number} has neither Action nor NotAction")
        values = self._texts(read[element], element, number)
        for value in values:
            vendor, colon, _ = value.partition(":")
            if value != _ALL and (not colon or not vendor or set(vendor) & {"*", "?"}):
                raise self._malformed(f'{element} {value!r} of statement {number} is neither "*" nor "service:action"')
        # Actions have no variables, and their case does not matter. The source stays as written, for whoever reads it.
        patterns = tuple(replace(pattern(value.lower(), variables=False), source=value) for value in values)
        return Actions(patterns, element != "Action")

    def _resources(self, read: Mapping[str, Any], number: int, variables: bool) -> Resources | None:
        element = self._either(read, "Resource", number)
        if self.kind is PolicyKind.TRUST:
            if element is not None:
                raise self._malformed(f"statement {number} of a trust policy has a {element}; its resource is the role")
            return None
        if element is None:
            raise self._malformed(f"statement {number} has neither Resource nor NotResource")
        values = self._texts(read[element], element, number)
        for value in values:
            if value != _ALL and not value.startswith("arn:"):
                raise self._malformed(f'{element} {value!r} of statement {number} is neither "*" nor an ARN')
        return Resources(
            tuple(pattern(_six_parts(value), variables=variables) for value in values), element != "Resource"
        )

    def _principals(self, read: Mapping[str, Any], number: int, effect: Effect) -> Principals | None:
        element = self._either(read, "Principal", number)
        if not self.kind.names_principals:
            if element is not None:
                raise self._malformed(f"statement {number} has a {element}, which only resource-based policies have")
            return None
        if element is None:
            raise self._malformed(f"statement {number} has no Principal, which a resource-based policy needs")
        inverted = element != "Principal"
        if inverted and (effect is Effect.ALLOW or self.kind is PolicyKind.TRUST):
            raise self._malformed(
                f"statement {number} has a NotPrincipal, which goes with Deny alone, in no trust policy"
            )
        value = read[element]
        if value == _ALL:
            return Principals((Named(PrincipalKind.AWS, _ALL),), inverted)
        if not isinstance(value, Mapping) or not value:
            raise self._malformed(f'the {element} of statement {number} is neither "*" nor an object')
        return Principals(tuple(self._named(value, element, number)), inverted)

    def _named(self, value: Mapping[str, Any], element: str, number: int) -> list[Named]:
        kinds = {each.value for each in PrincipalKind}
        unknown = set(value) - kinds
        if unknown:
            names = ", ".join(sorted(unknown))
            raise self._malformed(
                f"the {element} of statement {number} has {names}; known are {', '.join(sorted(kinds))}"
            )
        named = [
            Named(PrincipalKind(kind), name)
            for kind, names in value.items()
            for name in self._texts(names, f"{element}.{kind}", number)
        ]
        for each in named:
            if not each.name or (each.name != _ALL and "*" in each.name):
                raise self._malformed(
                    f"the {element} {each.name!r} of statement {number} is no name, which has no wildcard"
                )
        return named

    def _conditions(self, read: Any, number: int, variables: bool) -> tuple[Condition, ...]:
        if not isinstance(read, Mapping) or not all(isinstance(keys, Mapping) for keys in read.values()):
            raise self._malformed(f"the Condition of statement {number} is not {{operator: {{key: values}}}}")
        return tuple(
            self._condition(name, key, values, number, variables)
            for name, keys in read.items()
            for key, values in keys.items()
        )

    def _condition(self, written: str, key: str, read: Any, number: int, variables: bool) -> Condition:
        prefix, colon, rest = written.rpartition(":")
        name = rest.removesuffix("IfExists")
        known = _OPERATORS_IN_ANY_CASE.get(name.lower())
        sets = {each.value: each for each in SetOperator}
        if known is None or (colon and prefix not in sets) or (known == NULL and name != rest):
            raise self._malformed(f"statement {number} has the unknown condition operator {written}")
        operator = OPERATORS[known]
        values = self._texts(read, f"{written} {key}", number)
        unreadable = [value for value in values if not operator.readable(value)]
        if unreadable:
            raise self._malformed(f"{written} {key} of statement {number} cannot have the value {unreadable[0]!r}")
        patterns = tuple(pattern(value, variables=variables and operator.variables) for value in values)
        return Condition(known, key.lower(), patterns, sets.get(prefix), name != rest)

    def _either(self, read: Mapping[str, Any], element: str, number: int) -> str | None:
        """The element or its opposite, whichever the statement has."""
        has = [each for each in (element, f"Not{element}") if each in read]
        if len(has) > 1:
            raise self._malformed(f"statement {number} has {element} and Not{element}")
        return has[0] if has else None

    def _texts(self, read: Any, what: str, number: int) -> list[str]:
        values = read if isinstance(read, list) else [read]
        # Numbers and truth values may stand without quotes: [Guide] reference_policies_grammar.
        texts = [json.dumps(value) if isinstance(value, bool | int | float) else value for value in values]
        if not texts or not all(isinstance(value, str) for value in texts):
            raise self._malformed(f"{what} of statement {number} is neither a text nor a list of them")
        return texts

    def _malformed(self, why: str) -> MalformedPolicy:
        return MalformedPolicy(f"the policy {self.name} is malformed: {why}")


_OPERATORS_IN_ANY_CASE = {name.lower(): name for name in OPERATORS}


def _six_parts(arn: str) -> str:
    """A pattern for ARNs with all six parts; those that are missing may be anything."""
    missing = 5 - arn.count(":")
    return arn if arn == _ALL or missing <= 0 else arn + ":*" * missing
