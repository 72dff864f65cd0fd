"""The syntax of metric math: an expression as a tree. What cannot be evaluated is refused here, by name.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html#metric-math-syntax
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from sim.cluster.citations import CLOUDWATCH_GUIDE, LeftOut, cites
from sim.cluster.cloudwatch.metric_functions import ARGUMENTS, InvalidMath

_PAGE: Final = CLOUDWATCH_GUIDE + "using-metric-math.html"
_TOKEN: Final = re.compile(
    r"\s*(?:(?P<number>\d+\.?\d*|\.\d+)|(?P<text>\"[^\"]*\"|'[^']*')|(?P<word>[A-Za-z_]\w*)"
    r"|(?P<sign>==|!=|<=|>=|&&|\|\||[-+*/^<>()\[\],]))"
)
_NOT_EVALUATED: Final = (
    "ANOMALY_DETECTION_BAND",
    "DB_PERF_INSIGHTS",
    "INSIGHT_RULE_METRIC",
    "LAMBDA",
    "SEARCH",
    "SERVICE_QUOTA",
    "SLICE",
    "SORT",
)
_LEVELS: Final = (("OR",), ("AND",), ("==", "!=", "<", "<=", ">", ">="), ("+", "-"), ("*", "/"))
_SAME: Final = {"&&": "AND", "||": "OR"}
_WORDS: Final = ("REPEAT", "LINEAR")

LEFT_OUT: Final = tuple(
    LeftOut(
        f"The function {name} of metric math.",
        _PAGE,
        "an alarm or a policy with it is refused by name: "
        + ("an alarm needs one series" if name in {"SEARCH", "SLICE", "SORT"} else "its data is not of a metric here"),
    )
    for name in _NOT_EVALUATED
)

Kind = Literal["number", "text", "name", "word", "call", "array", "minus", "operator"]


@dataclass(frozen=True, slots=True)
class Node:
    """A part of an expression. `text` is the whole expression, for what an error says."""

    kind: Kind
    name: str
    parts: tuple[Node, ...]
    text: str


def parse(text: str) -> Node:
    """The expression as a tree. Raises InvalidMath."""
    reader = _Reader(text, _tokens(text))
    node = reader.level(0)
    if reader.at < len(reader.tokens):
        raise InvalidMath(f"{text!r} goes on after its end with {reader.tokens[reader.at][1]!r}")
    return node


def names_in(node: Node) -> set[str]:
    """The ids that the expression uses."""
    if node.kind == "name":
        return {node.name}
    return set[str]().union(*(names_in(each) for each in node.parts))


@cites(_PAGE)
def refused(function: str) -> str:
    """Functions are in upper case; one that cannot be evaluated is refused when it is declared, never ignored."""
    if function in _NOT_EVALUATED:
        return f"the function {function} is not supported"
    if function in ARGUMENTS:
        return ""
    hint = f"; did you mean {function.upper()}?" if function.upper() in ARGUMENTS else ""
    return f"there is no function {function}{hint}"


def _tokens(text: str) -> list[tuple[str, str]]:
    found, at = list[tuple[str, str]](), 0
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise InvalidMath(f"{text!r} cannot be read from {text[at:]!r} on")
        value = match[match.lastgroup]
        kind = "sign" if value in {"AND", "OR"} else match.lastgroup
        found.append((kind, _SAME.get(value, value)))
        at = match.end()
    if not found:
        raise InvalidMath("an expression is empty")
    return found


class _Reader:
    """Goes through the tokens once, by precedence."""

    def __init__(self, text: str, tokens: list[tuple[str, str]]) -> None:
        self.text, self.tokens, self.at = text, tokens, 0

    def peek(self) -> tuple[str, str]:
        return self.tokens[self.at] if self.at < len(self.tokens) else ("end", "")

    def take(self, sign: str) -> bool:
        """Whether the next token is this sign, which is read then."""
        if self.peek() != ("sign", sign):
            return False
        self.at += 1
        return True

    def need(self, sign: str) -> None:
        if not self.take(sign):
            raise InvalidMath(f"{self.text!r} lacks a {sign!r}")

    def node(self, kind: Kind, name: str, *parts: Node) -> Node:
        return Node(kind, name, parts, self.text)

    def level(self, number: int) -> Node:
        if number == len(_LEVELS):
            return self.unary()
        left = self.level(number + 1)
        while self.peek()[0] == "sign" and self.peek()[1] in _LEVELS[number]:
            sign = self.tokens[self.at][1]
            self.at += 1
            left = self.node("operator", sign, left, self.level(number + 1))
        return left

    def unary(self) -> Node:
        if self.take("-"):
            return self.node("minus", "-", self.unary())
        base = self.primary()
        return self.node("operator", "^", base, self.unary()) if self.take("^") else base

    def primary(self) -> Node:
        kind, value = self.peek()
        self.at += 1
        if kind == "number":
            return self.node("number", value)
        if kind == "word":
            return self.word(value)
        if (kind, value) == ("sign", "("):
            node = self.level(0)
            self.need(")")
            return node
        if (kind, value) == ("sign", "["):
            return self.node("array", "[]", *self.arguments("]"))
        raise InvalidMath(
            f"{self.text!r} has {value!r} where a value should be" if value else f"{self.text!r} ends too soon"
        )

    def word(self, value: str) -> Node:
        if self.take("("):
            return self.call(value)
        if value in _WORDS:
            return self.node("word", value)
        return self.node("name", value)

    def call(self, function: str) -> Node:
        if message := refused(function):
            raise InvalidMath(f"{self.text!r}: {message}")
        if function == "METRICS" and self.peek()[0] == "text":
            part = self.node("text", self.tokens[self.at][1][1:-1])
            self.at += 1
            self.need(")")
            return self.node("call", function, part)
        parts = self.arguments(")")
        if len(parts) not in ARGUMENTS[function]:
            raise InvalidMath(f"{self.text!r}: {function} has {len(parts)} arguments")
        return self.node("call", function, *parts)

    def arguments(self, end: str) -> tuple[Node, ...]:
        if self.take(end):
            return ()
        parts = [self.level(0)]
        while self.take(","):
            parts.append(self.level(0))
        self.need(end)
        return tuple(parts)
