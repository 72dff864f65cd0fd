"""The rules of composite alarms: an expression over the states of other alarms, as a tree.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Literal

from sim.cluster.citations import CLOUDWATCH_API, CLOUDWATCH_GUIDE, LeftOut, cites, inferred
from sim.cluster.cloudwatch.alarms import State

_PAGE: Final = CLOUDWATCH_API + "PutCompositeAlarm.html"
_TOKEN: Final = re.compile(r"\s*(?:(?P<sign>[()])|\"(?P<text>[^\"]*)\"|(?P<word>[^\s()\"]+))")
_STATES: Final[Mapping[str, State]] = {"ALARM": "ALARM", "OK": "OK", "INSUFFICIENT_DATA": "INSUFFICIENT_DATA"}
_MOST_CHILDREN: Final = 100
_MOST_ELEMENTS: Final = 500
_DEEPEST: Final = 50
_NOT_EVALUATED: Final = "AT_LEAST"

LEFT_OUT: Final = (
    LeftOut(
        f"The function {_NOT_EVALUATED} of a composite alarm's rule.",
        CLOUDWATCH_GUIDE + "Create_Composite_Alarm.html",
        "a rule with it is refused by name; AND and OR can say the same",
    ),
    LeftOut(
        f"Rules of composite alarms that are nested more than {_DEEPEST} deep.",
        _PAGE,
        "they are refused by name; nobody writes such a rule",
    ),
)

Kind = Literal["state", "TRUE", "FALSE", "NOT", "AND", "OR"]


class InvalidRule(ValueError):
    """A rule that CloudWatch, or this core, cannot evaluate."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A part of a rule. One of the kind `state` is true if the alarm of that name is in that state."""

    kind: Kind
    parts: tuple[Rule, ...] = ()
    state: State = "ALARM"
    alarm: str = ""


def parse(text: str) -> Rule:
    """The rule as a tree. Raises InvalidRule."""
    reader = _Reader(_tokens(text))
    rule = reader.level("OR")
    if reader.token.value:
        raise reader.unexpected("the end")
    if message := too_long(rule, reader.parentheses):
        raise InvalidRule(message)
    return rule


def children(rule: Rule) -> tuple[str, ...]:
    """The names of the alarms that a rule is about, each once, in their order."""
    return tuple(dict.fromkeys(each.alarm for each in _leaves(rule) if each.kind == "state"))


@cites(_PAGE)
def holds(rule: Rule, states: Mapping[str, State]) -> bool:
    """ALARM, OK and INSUFFICIENT_DATA are TRUE if the alarm is in that state; AND, OR and NOT join them."""
    match rule.kind:
        case "state":
            return states.get(rule.alarm) == rule.state
        case "NOT":
            return not holds(rule.parts[0], states)
        case "AND":
            return all(holds(each, states) for each in rule.parts)
        case "OR":
            return any(holds(each, states) for each in rule.parts)
    return rule.kind == "TRUE"


@cites(_PAGE)
def named(alarm: str) -> str:
    """A rule names an alarm by its name or by its ARN."""
    return alarm.partition(":alarm:")[2] or alarm if alarm.startswith("arn:") else alarm


@cites(_PAGE)
def too_long(rule: Rule, parentheses: int) -> str:
    """A rule has 100 alarms at most, and 500 elements: alarms, TRUE, FALSE and parentheses."""
    if (count := len(children(rule))) > _MOST_CHILDREN:
        return f"AlarmRule has {count} alarms, and {_MOST_CHILDREN} are the most"
    if (count := sum(1 for _ in _leaves(rule)) + parentheses) > _MOST_ELEMENTS:
        return f"AlarmRule has {count} elements, and {_MOST_ELEMENTS} are the most"
    return ""


@cites(_PAGE)
def constant(word: str) -> Rule | None:
    """TRUE and FALSE are always so; AWS's page writes them in capitals and in small letters."""
    return {"TRUE": Rule("TRUE"), "FALSE": Rule("FALSE")}.get(word.upper())


@inferred("AWS's page has parentheses wherever it mixes AND and OR; this is the usual order")
def tighter(operator: Literal["OR", "AND"]) -> Literal["AND", "NOT"]:
    """NOT binds before AND, and AND before OR."""
    return "AND" if operator == "OR" else "NOT"


def _leaves(rule: Rule) -> Iterator[Rule]:
    if not rule.parts:
        yield rule
    for each in rule.parts:
        yield from _leaves(each)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    value: str
    at: int


def _tokens(text: str) -> tuple[_Token, ...]:
    found, at = list[_Token](), 0
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise InvalidRule(f"Error in AlarmRule [a double quote at char {at} has no end]")
        found.append(_Token(match.lastgroup, match[match.lastgroup], match.start(match.lastgroup)))
        at = match.end()
    return (*found, _Token("end", "", len(text)))


class _Reader:
    """Goes through the tokens once."""

    def __init__(self, tokens: tuple[_Token, ...]) -> None:
        self.tokens, self.at, self.parentheses, self.depth = tokens, 0, 0, 0

    @property
    def token(self) -> _Token:
        return self.tokens[self.at]

    def take(self, kind: str, value: str) -> bool:
        """Whether the next token is this one, which is read then."""
        if (self.token.kind, self.token.value) != (kind, value):
            return False
        self.at += 1
        return True

    def need(self, sign: str) -> None:
        if not self.take("sign", sign):
            raise self.unexpected(f"'{sign}'")

    def level(self, operator: Literal["OR", "AND", "NOT"]) -> Rule:
        if operator == "NOT":
            return self.one()
        parts = [self.level(tighter(operator))]
        while self.take("word", operator):
            parts.append(self.level(tighter(operator)))
        return parts[0] if len(parts) == 1 else Rule(operator, tuple(parts))

    def one(self) -> Rule:
        if self.take("word", "NOT"):
            with self.deeper():
                return Rule("NOT", (self.one(),))
        if self.take("sign", "("):
            with self.deeper():
                rule = self.level("OR")
            self.need(")")
            self.parentheses += 2
            return rule
        return self.leaf()

    @contextmanager
    def deeper(self) -> Iterator[None]:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise InvalidRule(f"AlarmRule is nested more than {_DEEPEST} deep, which is not supported")
        yield
        self.depth -= 1

    def leaf(self) -> Rule:
        token = self.token
        if token.kind == "word" and (found := constant(token.value)):
            self.at += 1
            return found
        if token.kind == "word" and token.value == _NOT_EVALUATED:
            raise InvalidRule(f"AlarmRule has the function {_NOT_EVALUATED}, which is not supported")
        if token.kind != "word" or token.value not in _STATES:
            raise self.unexpected("'(', 'NOT', TRUE or FALSE, ALARM, OK, or INSUFFICIENT_DATA")
        self.at += 1
        return self.of_alarm(_STATES[token.value])

    def of_alarm(self, state: State) -> Rule:
        self.need("(")
        if self.token.kind not in {"text", "word"}:
            raise self.unexpected("the name or the ARN of an alarm")
        name = self.token.value
        self.at += 1
        self.need(")")
        return Rule("state", state=state, alarm=named(name))

    def unexpected(self, wanted: str) -> InvalidRule:
        """The form of AWS's own error."""
        token = self.token
        what = f"Unsupported token '{token.value}' at char {token.at}" if token.value else "The rule ends too soon"
        return InvalidRule(f"Error in AlarmRule [{what}, must be: {wanted}]")
