"""Patterns of policies: wildcards, and policy variables with their defaults.

`*` stands for any characters, `?` for one. `${key}` stands for the value of a condition key, and `${key, 'default'}`
for the default if the request does not have the key. `${*}`, `${?}` and `${$}` are those characters themselves.
[Guide] reference_policies_variables, reference_policies_elements_resource.

A variable without a value is null, and nothing is equal to null or like it ([Guide] reference_policies_variables). A
wildcard in the value of a variable is a mere character (*inferred*: no page says so).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from functools import cached_property, lru_cache

from sim.aws.iam.request import Context

_ARN_SEPARATORS = 5
"""The colons before the last part of an ARN."""
_TOKENS = re.compile(r"\$\{([^}]*)\}|([*?])", re.DOTALL)
_DEFAULT = re.compile(r"\s*([^,]*?)\s*,\s*'(.*)'\s*", re.DOTALL)
_SPECIAL = frozenset({"*", "?", "$"})


class Wildcard(Enum):
    """A wildcard by its character."""

    MANY = "*"
    ONE = "?"


@dataclass(frozen=True)
class Variable:
    """A policy variable; `default` is None if it has none."""

    key: str
    default: str | None


@dataclass(frozen=True)
class Pattern:
    """A text of a policy, in parts. What it is compiled to is kept, because a policy is asked over and over."""

    source: str
    parts: tuple[str | Wildcard | Variable, ...]

    @cached_property
    def variables(self) -> tuple[Variable, ...]:
        """The variables; without any, the pattern does not depend on the request."""
        return tuple(part for part in self.parts if isinstance(part, Variable))

    @cached_property
    def like(self) -> re.Pattern[str]:
        """Compiled, for a pattern without variables."""
        return _compiled(self.parts, arn=False)

    @cached_property
    def arn_like(self) -> re.Pattern[str]:
        """Compiled for ARNs, for a pattern without variables."""
        return _compiled(self.parts, arn=True)


@lru_cache(maxsize=4096)
def pattern(source: str, *, variables: bool) -> Pattern:
    """Reads a pattern. Without `variables`, as in policies of 2008, `${...}` is nothing special."""
    parts: list[str | Wildcard | Variable] = []
    end = 0
    for token in _TOKENS.finditer(source):
        variable, wildcard = token.groups()
        if variable is not None and not variables:
            continue
        parts += [source[end : token.start()], Wildcard(wildcard) if wildcard else _variable(variable)]
        end = token.end()
    parts.append(source[end:])
    return Pattern(source, tuple(part for part in parts if part != ""))


def _variable(inner: str) -> str | Variable:
    if inner in _SPECIAL:
        return inner
    with_default = _DEFAULT.fullmatch(inner)
    return Variable(with_default[1], with_default[2]) if with_default else Variable(inner.strip(), None)


def text(this: Pattern, context: Context) -> str | None:
    """The pattern as a text in which wildcards are mere characters; None if it is null."""
    parts = [_literal(part, context) for part in this.parts]
    return None if None in parts else "".join(part for part in parts if part is not None)


def is_like(this: Pattern, value: str, context: Context) -> bool:
    """True if the value is like the pattern."""
    filled = _filled(this, context)
    return filled is not None and filled.like.fullmatch(value) is not None


def is_arn_like(this: Pattern, arn: str, context: Context) -> bool:
    """True if the ARN is like the pattern, each of its six parts by itself: a wildcard does not reach beyond a colon,
    except in the last part."""
    filled = _filled(this, context)
    return filled is not None and filled.arn_like.fullmatch(arn) is not None


def _literal(part: str | Wildcard | Variable, context: Context) -> str | None:
    match part:
        case Variable(key, default):
            value = context.single(key)
            return default if value is None else value
        case Wildcard():
            return part.value
        case _:
            return part


def _filled(this: Pattern, context: Context) -> Pattern | None:
    """The pattern with values for its variables; None if it is null."""
    if not this.variables:
        return this
    parts = [_literal(part, context) if isinstance(part, Variable) else part for part in this.parts]
    return None if None in parts else Pattern(this.source, tuple(part for part in parts if part is not None))


def _compiled(parts: tuple[str | Wildcard | Variable, ...], *, arn: bool) -> re.Pattern[str]:
    expression, separators = "", 0
    for part in parts:
        if isinstance(part, Wildcard):
            character = "[^:]" if arn and separators < _ARN_SEPARATORS else "."
            expression += character + ("*" if part is Wildcard.MANY else "")
        elif isinstance(part, str):
            separators += part.count(":")
            expression += re.escape(part)
    return re.compile(expression, re.DOTALL)
