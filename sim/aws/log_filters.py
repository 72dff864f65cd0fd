"""Filter patterns of CloudWatch Logs: which log lines a metric filter counts.

A pattern is empty, words, or an expression in braces over a line that is JSON: comparisons of fields, joined by && or
||. Regular expressions, lists of fields, parentheses, IS and NOT EXISTS are not evaluated here.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/matching-terms-json-log-events.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/matching-terms-unstructured-log-events.html
"""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from typing import Any, Final

from sim.errors import SimError

Matches = Callable[[str], bool]
"""True for a line that the pattern matches."""
_WORD: Final = re.compile(r'([-?]?)(?:"([^"]*)"|([^\s"]+))')
_FIELD: Final = re.compile(r"\$\.([\w.-]+)")
_COMPARISON: Final = re.compile(rf'{_FIELD.pattern}\s*(=|!=|<=|>=|<|>)\s*("[^"]*"|[\w.*:/-]+)')
_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?")
_ORDERS: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class InvalidPattern(SimError):
    """The filter pattern is not one that can be evaluated here."""


def matcher(pattern: str) -> Matches:
    """What the pattern matches. Raises InvalidPattern."""
    pattern = pattern.strip()
    if pattern.startswith("{") and pattern.endswith("}"):
        return _of_json(pattern[1:-1])
    if pattern.startswith(("{", "[", "%")):
        raise InvalidPattern(f"the filter pattern {pattern!r} is not evaluated: give words, or comparisons in braces")
    return _of_words(pattern)


def values(metric_value: str) -> Callable[[str], float | None]:
    """What a line counts by a metric filter's value: a number, or that of a field; None if the line has none.

    Raises InvalidPattern.
    """
    if _NUMBER.fullmatch(metric_value):
        return lambda _: float(metric_value)
    found = _FIELD.fullmatch(metric_value)
    if found is None:
        raise InvalidPattern(f"the metric value {metric_value!r} is not evaluated: give a number or $.FIELD")
    path = found[1].split(".")

    def value(line: str) -> float | None:
        field = _field(_parsed(line), path)
        return float(field) if isinstance(field, int | float) else None

    return value


def _of_words(pattern: str) -> Matches:
    """Every word has to be in the line, none with `-`, and of those with `?` any."""
    found = [(kind, quoted or plain) for kind, quoted, plain in _WORD.findall(pattern)]
    every, none, some = ([word for kind, word in found if kind == of] for of in ("", "-", "?"))

    def matches(line: str) -> bool:
        excluded = any(word in line for word in none)
        return not excluded and all(word in line for word in every) and (not some or any(word in line for word in some))

    return matches


def _of_json(expression: str) -> Matches:
    """&& binds stronger than ||. A line that is no JSON object matches nothing."""
    alternatives = [[_comparison(each) for each in one.split("&&")] for one in expression.split("||")]

    def matches(line: str) -> bool:
        value = _parsed(line)
        return isinstance(value, dict) and any(all(each(value) for each in one) for one in alternatives)

    return matches


def _parsed(line: str) -> Any:
    """The value of a line that is JSON; None for another one."""
    try:
        return json.loads(line)
    except ValueError:
        return None


def _comparison(text: str) -> Callable[[Mapping[str, Any]], bool]:
    """A field that is not there compares as nothing does."""
    found = _COMPARISON.fullmatch(text.strip())
    if found is None:
        raise InvalidPattern(
            f"the condition {text.strip()!r} of a filter pattern is not evaluated: give $.FIELD, one of "
            f"{' '.join(_ORDERS)}, and a text or a number"
        )
    path, order, wanted = found[1].split("."), found[2], found[3]
    if _NUMBER.fullmatch(wanted):
        return lambda value: isinstance(is_ := _field(value, path), int | float) and _ORDERS[order](is_, float(wanted))
    if order not in {"=", "!="}:
        raise InvalidPattern(f"the condition {text.strip()!r} of a filter pattern orders a text: only numbers are")
    shape = wanted.strip('"').replace("[", "[[]").replace("?", "[?]")
    return lambda value: isinstance(is_ := _field(value, path), str) and fnmatchcase(is_, shape) == (order == "=")


def _field(value: Any, path: list[str]) -> Any:
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value
