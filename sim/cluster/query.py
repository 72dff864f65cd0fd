"""The cluster query language: expressions that say which container instances a `memberOf` constraint allows.

    expression := term { ("or" | "||") term }
    term       := factor { ("and" | "&&") factor }
    factor     := ("not" | "!") factor | "(" expression ")" | subject operator [argument]

An expression is parsed once into a function over a container instance and the tasks on it.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/cluster-query-language.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from sim.cluster.citations import ECS_GUIDE, cites
from sim.cluster.container_instances import ContainerInstance
from sim.cluster.tasks import Task

Matches = Callable[[ContainerInstance, Sequence[Task]], bool]
_PAGE: Final = ECS_GUIDE + "cluster-query-language.html"
_TOKEN: Final = re.compile(
    r"""\s*(?:(?P<sign>&&|\|\||==|!=|=~|!~|!in\b|!exists\b|>=|<=|>|<|[()\[\],!])|(?P<quote>'[^']*'|"[^"]*")|(?P<word>[^\s()\[\],!=<>&|'"]+))"""
)
_OPERATORS: Final = {
    "==": "equals",
    "!=": "not_equals",
    ">": "greater_than",
    ">=": "greater_than_equal",
    "<": "less_than",
    "<=": "less_than_equal",
    "=~": "matches",
    "!~": "not_matches",
    "!in": "not_in",
    "!exists": "not_exists",
}
_LISTS: Final = {"in", "not_in"}
_ORDERS: Final[dict[str, Callable[[int], bool]]] = {
    "greater_than": lambda sign: sign > 0,
    "greater_than_equal": lambda sign: sign >= 0,
    "less_than": lambda sign: sign < 0,
    "less_than_equal": lambda sign: sign <= 0,
}
_KNOWN: Final = {"equals", "not_equals", "in", "not_in", "exists", "not_exists", "matches", "not_matches", *_ORDERS}
_FIELDS: Final = ("agentConnected", "agentVersion", "ec2InstanceId", "registeredAt", "runningTasksCount", "task:group")


class InvalidExpression(ValueError):
    """An expression that is not of the cluster query language."""


@lru_cache(maxsize=256)
@cites(_PAGE)
def parse(expression: str) -> Matches:
    """An expression compares subjects with arguments, combined by and, or, not and parentheses.

    Raises InvalidExpression with the place that is wrong.
    """
    parser = _Parser(expression, _tokens(expression))
    matches = parser.expression()
    parser.end()
    return matches


def _tokens(expression: str) -> tuple[str, ...]:
    tokens, at, end = [], 0, len(expression.rstrip())
    while at < end:
        found = _TOKEN.match(expression, at)
        if not found:
            raise InvalidExpression(f"{expression!r} cannot be read from {expression[at:]!r} on")
        tokens.append(found.group().strip())
        at = found.end()
    return tuple(tokens)


@dataclass
class _Parser:
    text: str
    tokens: tuple[str, ...]
    at: int = 0

    def expression(self) -> Matches:
        matches = self._term()
        while self._take("or", "||"):
            matches = _either(matches, self._term())
        return matches

    def end(self) -> None:
        if self.at < len(self.tokens):
            raise InvalidExpression(f"{self.text!r} goes on after its end with {self.tokens[self.at]!r}")

    def _term(self) -> Matches:
        matches = self._factor()
        while self._take("and", "&&"):
            matches = _both(matches, self._factor())
        return matches

    def _factor(self) -> Matches:
        if self._take("not", "!"):
            inner = self._factor()
            return lambda instance, tasks: not inner(instance, tasks)
        if self._take("("):
            matches = self.expression()
            self._need(")")
            return matches
        return self._comparison()

    def _comparison(self) -> Matches:
        subject = self._next("a subject")
        if subject not in _FIELDS and not subject.startswith("attribute:"):
            raise InvalidExpression(
                f"{self.text!r} has the subject {subject!r}; {', '.join(_FIELDS)} and attribute:NAME exist"
            )
        sign = self._next("an operator")
        operator = _OPERATORS.get(sign, sign)
        if operator not in _KNOWN:
            raise InvalidExpression(f"{self.text!r} has the operator {sign!r}, which does not exist")
        if operator in {"exists", "not_exists"}:
            return lambda instance, tasks: bool(values(subject, instance, tasks)) == (operator == "exists")
        arguments = self._list() if operator in _LISTS else (_bare(self._next("an argument")),)
        return lambda instance, tasks: compare(operator, values(subject, instance, tasks), arguments)

    def _list(self) -> tuple[str, ...]:
        close = "]" if self._take("[") else ")" if self._take("(") else ""
        if not close:
            raise InvalidExpression(f"{self.text!r} has no list in brackets after `in`")
        found = [_bare(self._next("an argument"))]
        while self._take(","):
            found.append(_bare(self._next("an argument")))
        self._need(close)
        return tuple(found)

    def _take(self, *tokens: str) -> bool:
        here = self.at < len(self.tokens) and self.tokens[self.at] in tokens
        self.at += here
        return here

    def _need(self, token: str) -> None:
        if not self._take(token):
            raise InvalidExpression(f"{self.text!r} lacks a {token!r}")

    def _next(self, what: str) -> str:
        if self.at >= len(self.tokens):
            raise InvalidExpression(f"{self.text!r} ends where it needs {what}")
        self.at += 1
        return self.tokens[self.at - 1]


@cites(_PAGE)
def compare(operator: str, values: Sequence[str], arguments: Sequence[str]) -> bool:
    """The operators are equals, in, matches and exists with their opposites, and four comparisons of size."""
    match operator:
        case "equals" | "in":
            return any(each in arguments for each in values)
        case "not_equals" | "not_in":
            return not any(each in arguments for each in values)
        case "matches":
            return any(re.fullmatch(arguments[0], each) for each in values)
        case "not_matches":
            return not any(re.fullmatch(arguments[0], each) for each in values)
    return any(_ORDERS[operator](_sign(each, arguments[0])) for each in values)


@cites(_PAGE)
def values(subject: str, instance: ContainerInstance, tasks: Sequence[Task]) -> tuple[str, ...]:
    """The subjects are the instance's attributes, agent, EC2 id and age, and the number and groups of its tasks."""
    name = subject.removeprefix("attribute:")
    if name != subject:
        return (instance.attribute(name) or "",) if instance.has(name) else ()
    if subject == "task:group":
        return tuple(sorted({each.group for each in tasks if not each.stopped}))
    fields = {
        "agentConnected": str(instance.agent_connected).lower(),
        "agentVersion": instance.agent_version,
        "ec2InstanceId": instance.ec2_instance_id,
        "registeredAt": str(instance.registered_at),
        "runningTasksCount": str(sum(each.last_status == "RUNNING" for each in tasks)),
    }
    return (fields[subject],)


def _sign(value: str, argument: str) -> int:
    """Below, at or above 0 as the value is less than, equal to or greater than the argument; by number where it can."""
    left, right = _order(value), _order(argument)
    return (left > right) - (left < right)


def _order(text: str) -> tuple[tuple[float, str], ...]:
    return tuple((float(part), "") if part.isdigit() else (0.0, part) for part in re.split(r"[.\-]", text))


def _bare(token: str) -> str:
    return token[1:-1] if token[:1] in {"'", '"'} else token


def _either(left: Matches, right: Matches) -> Matches:
    return lambda instance, tasks: left(instance, tasks) or right(instance, tasks)


def _both(left: Matches, right: Matches) -> Matches:
    return lambda instance, tasks: left(instance, tasks) and right(instance, tasks)
