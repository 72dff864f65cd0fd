"""The conditions of statements, and a table of the operators that they use.

[Guide] reference_policies_elements_condition_operators,
reference_policies_condition-logic-multiple-context-keys-or-values,
reference_policies_condition-single-vs-multi-valued-context-keys.

A negated operator holds where the operator that it negates does not: also where the key is absent, and where the
policy's value is null. Only strings and ARNs have variables ([Guide] reference_policies_variables). *Inferred*: a
request's value that an operator cannot read, such as a number with letters, equals nothing; a key with several values
meets no condition without a set operator; and IfExists adds nothing to a set operator.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, Final

from sim.aws.iam.pattern import Pattern, is_arn_like, is_like, text
from sim.aws.iam.request import Context

NULL: Final = "Null"
"""The operator that asks whether the request has the key at all."""

_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
_SECONDS = re.compile(r"\d+")
_MONTH = re.compile(r"\d{4}-\d{2}")


class SetOperator(Enum):
    """How many values of the request have to fit."""

    EVERY = "ForAllValues"
    SOME = "ForAnyValue"


@dataclass(frozen=True)
class Operator:
    """A condition operator.

    `fits` is True if a value of the policy and a value of the request fit. `readable` is True for a value that a policy
    may have. With `variables`, the policy's values may have variables.
    """

    fits: Callable[[Pattern, str, Context], bool]
    negated: bool = False
    variables: bool = True
    readable: Callable[[str], bool] = lambda value: True  # noqa: ARG005 - any value


@dataclass(frozen=True)
class Condition:
    """One key of a Condition element, with the values that the policy has for it. `operator` is one of OPERATORS."""

    operator: str
    key: str
    values: tuple[Pattern, ...]
    set_operator: SetOperator | None = None
    if_exists: bool = False

    def holds(self, context: Context) -> bool:
        """True if a request with this context meets the condition."""
        present = context.values(self.key)
        if self.operator == NULL:
            return any(_truth(value.source) is not bool(present) for value in self.values)
        known = OPERATORS[self.operator]
        if not present:
            return self._holds_without_key(known)
        fitting = [
            any(known.fits(each, value, context) for each in self.values) is not known.negated for value in present
        ]
        match self.set_operator:
            case SetOperator.EVERY:
                return all(fitting)
            case SetOperator.SOME:
                return any(fitting)
            case None:
                return fitting == [True]

    def _holds_without_key(self, known: Operator) -> bool:
        match self.set_operator:
            case SetOperator.EVERY:
                return True
            case SetOperator.SOME:
                return False
            case None:
                return self.if_exists or known.negated


def _equals(this: Pattern, value: str, context: Context) -> bool:
    return text(this, context) == value


def _equals_ignoring_case(this: Pattern, value: str, context: Context) -> bool:
    expected = text(this, context)
    return expected is not None and expected.casefold() == value.casefold()


def _compares(
    read: Callable[[str], Any], compare: Callable[[Any, Any], bool]
) -> Callable[[Pattern, str, Context], bool]:
    """Fits if the request's value compares to the policy's. `read` reads both, and returns None for what it cannot."""

    def fits(this: Pattern, value: str, context: Context) -> bool:
        expected = text(this, context)
        theirs, ours = read(value), None if expected is None else read(expected)
        return ours is not None and theirs is not None and compare(theirs, ours)

    return fits


def _truth(value: str) -> bool | None:
    return {"true": True, "false": False}.get(value.lower())


def _number(value: str) -> Decimal | None:
    return Decimal(value) if _NUMBER.fullmatch(value) else None


def _date(value: str) -> datetime | None:
    """A date of ISO 8601 as https://www.w3.org/TR/NOTE-datetime has it, or Unix seconds; in UTC if it names no zone."""
    try:
        if _SECONDS.fullmatch(value):
            return datetime.fromtimestamp(int(value), UTC)
        read = datetime.fromisoformat(f"{value}-01" if _MONTH.fullmatch(value) else value)
    except (ValueError, OverflowError):
        return None
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def _bytes(value: str) -> bytes | None:
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return None


def _network(value: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    """An address, or a range in CIDR notation."""
    try:
        return ipaddress.ip_network(value, strict=False)
    except ValueError:
        return None


def _is_within(theirs: Any, ours: Any) -> bool:
    return theirs.version == ours.version and bool(theirs.subnet_of(ours))


def _ordered(name: str, read: Callable[[str], Any]) -> dict[str, Operator]:
    """The operators of values that have an order."""
    comparisons = {
        "LessThan": operator.lt,
        "LessThanEquals": operator.le,
        "GreaterThan": operator.gt,
        "GreaterThanEquals": operator.ge,
    }
    made = {suffix: _typed(read, compare) for suffix, compare in comparisons.items()}
    equality = _with_negation("Equals", "NotEquals", _typed(read, operator.eq))
    return {f"{name}{suffix}": each for suffix, each in {**equality, **made}.items()}


def _typed(read: Callable[[str], Any], compare: Callable[[Any, Any], bool]) -> Operator:
    """An operator whose values are of a type, and have no variables."""
    return Operator(_compares(read, compare), variables=False, readable=lambda value: read(value) is not None)


def _with_negation(name: str, negation: str, positive: Operator) -> dict[str, Operator]:
    negative = Operator(positive.fits, negated=True, variables=positive.variables, readable=positive.readable)
    return {name: positive, negation: negative}


OPERATORS: Mapping[str, Operator] = {
    **_with_negation("StringEquals", "StringNotEquals", Operator(_equals)),
    **_with_negation("StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", Operator(_equals_ignoring_case)),
    **_with_negation("StringLike", "StringNotLike", Operator(is_like)),
    **_ordered("Numeric", _number),
    **_ordered("Date", _date),
    "Bool": _typed(_truth, operator.eq),
    "BinaryEquals": _typed(_bytes, operator.eq),
    **_with_negation("IpAddress", "NotIpAddress", _typed(_network, _is_within)),
    **_with_negation("ArnEquals", "ArnNotEquals", Operator(is_arn_like)),
    **_with_negation("ArnLike", "ArnNotLike", Operator(is_arn_like)),
    NULL: Operator(_equals, variables=False, readable=lambda value: _truth(value) is not None),
}
"""Every operator by its name in policies, without a set operator and without IfExists."""
