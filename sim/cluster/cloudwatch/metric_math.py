"""CloudWatch metric math: `declared(queries)` checks what a user declares, `Math.evaluate` works it out.

# Theory of operation

A set of queries has metrics and expressions over them, by id, and one that returns data. Declaring it parses every
expression, puts them in the order in which they need each other, and works the whole set out once on made-up data: a
function that is not known, a wrong type or a circle is refused then, not when an alarm is evaluated.

A value is a scalar, a time series, or an array of them, as in AWS's tables. A series maps the second in which a period
begins to the value of the period; a period without data is not in it. NaN stands for a scalar of a series without data,
and whatever it comes into has no value.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isnan
from typing import Final

from sim.cluster.citations import CLOUDWATCH_API, CLOUDWATCH_GUIDE, cites
from sim.cluster.cloudwatch.metric_functions import FUNCTIONS, InvalidMath, Series, Value, Window, filled, spread
from sim.cluster.cloudwatch.metric_syntax import Node, names_in, parse

_PAGE: Final = CLOUDWATCH_GUIDE + "using-metric-math.html"
_TRIAL_TIMES: Final = (0, 60, 120)
_MOST_METRICS: Final = 10


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric of CloudWatch; the period in seconds."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]
    stat: str
    period: int = 60


@dataclass(frozen=True, slots=True)
class Query:
    """A metric or an expression, by the id that others know it by."""

    id: str
    metric: Metric | None = None
    expression: str = ""
    returns: bool = True


@dataclass(frozen=True, slots=True)
class Math:
    """A declared set of queries. `order` has the expressions, each after those that it needs."""

    metrics: Mapping[str, Metric]
    order: tuple[tuple[str, Node], ...]
    returned: str

    @property
    def period(self) -> int:
        """That of its metrics, in seconds."""
        return next(iter(self.metrics.values())).period

    def evaluate(self, data: Mapping[str, Series], times: Sequence[int]) -> Series:
        """The returned series for these periods, of the series of each metric by its id."""
        found = self.work_out(data, times)[self.returned]
        if not isinstance(found, dict):
            raise InvalidMath(f"{self.returned} must be one time series, and is {_kind(found)}")
        return {time: value for time, value in found.items() if not isnan(value)}

    def work_out(self, data: Mapping[str, Series], times: Sequence[int]) -> dict[str, Value]:
        """The value of every query."""
        window = Window(tuple(times), self.period, tuple(self.metrics))
        wanted = set(times)
        values: dict[str, Value] = {
            each: {time: float(value) for time, value in data.get(each, {}).items() if time in wanted}
            for each in self.metrics
        }
        for name, node in self.order:
            values[name] = _value(node, values, window)
        return values


def declared(queries: Iterable[Query]) -> Math:
    """The queries, checked. Raises InvalidMath with what is wrong, or what cannot be evaluated."""
    queries = tuple(queries)
    metrics = {each.id: each.metric for each in queries if each.metric is not None}
    if message := wrong_set(queries, metrics):
        raise InvalidMath(message)
    nodes = {each.id: parse(each.expression) for each in queries if each.metric is None}
    returned = next(each.id for each in queries if each.returns)
    math = Math(metrics, _ordered(nodes, metrics), returned)
    math.evaluate({each: dict.fromkeys(_TRIAL_TIMES, 1.0) for each in metrics}, _TRIAL_TIMES)
    return math


def of_metric(metric: Metric) -> Math:
    """One metric alone, as an alarm without metric math has it."""
    return declared([Query("m1", metric)])


@cites(CLOUDWATCH_API + "PutMetricAlarm.html")
def wrong_set(queries: Sequence[Query], metrics: Mapping[str, Metric]) -> str:
    """An alarm has one query that returns data, ten metrics at most, and all of one period; ids are lower case."""
    ids = [each.id for each in queries]
    if len(set(ids)) < len(ids):
        return f"two queries have one id: {', '.join(ids)}"
    if bad := [each for each in ids if not (each[:1].islower() and each.replace("_", "").isalnum())]:
        return f"the id {bad[0]!r} must begin with a lower-case letter and have letters, digits and underscores alone"
    if sum(each.returns for each in queries) != 1:
        return "exactly one query must return data"
    if not 1 <= len(metrics) <= _MOST_METRICS:
        return f"there must be from 1 to {_MOST_METRICS} metrics, not {len(metrics)}"
    if len({each.period for each in metrics.values()}) > 1:
        return "all metrics must have the same period"
    return ""


def _ordered(nodes: Mapping[str, Node], metrics: Mapping[str, Metric]) -> tuple[tuple[str, Node], ...]:
    order: dict[str, Node] = {}
    while len(order) < len(nodes):
        ready = [
            name
            for name, node in nodes.items()
            if name not in order and names_in(node) <= order.keys() | metrics.keys()
        ]
        if not ready:
            left = sorted(nodes.keys() - order.keys())
            unknown = set[str]().union(*(names_in(nodes[each]) for each in left)) - nodes.keys() - metrics.keys()
            what = f"has no query {sorted(unknown)[0]!r}" if unknown else "goes round in a circle"
            raise InvalidMath(f"{nodes[left[0]].text!r} {what}")
        order |= {name: nodes[name] for name in ready}
    return tuple(order.items())


def _value(node: Node, values: Mapping[str, Value], window: Window) -> Value:
    match node.kind:
        case "number":
            return float(node.name)
        case "name":
            return values[node.name]
        case "array":
            return _array(node, values, window)
        case "call":
            return _call(node, values, window)
        case "minus":
            return spread(lambda value: -value, _value(node.parts[0], values, window))
    left, right = (_value(each, values, window) for each in node.parts)
    return combined(node.name, left, right)


def _array(node: Node, values: Mapping[str, Value], window: Window) -> list[Series]:
    members = list[Series]()
    for each in node.parts:
        found = _value(each, values, window)
        if isinstance(found, float):
            raise InvalidMath(f"{node.text!r}: an array has time series, and {each.text!r} is a scalar")
        members += found if isinstance(found, list) else [found]
    return members


def _call(node: Node, values: Mapping[str, Value], window: Window) -> Value:
    if node.name == "METRICS":
        return metrics_named(node.parts[0].name if node.parts else "", values, window)
    if node.name == "PERIOD":
        if len(node.parts) != 1 or node.parts[0].name not in window.metrics:
            raise InvalidMath(f"{node.text!r}: PERIOD takes the id of a metric")
        return float(window.period)
    if node.name == "FILL":
        how = node.parts[1].name if len(node.parts) > 1 and node.parts[1].kind == "word" else ""
        arguments = [_value(each, values, window) for each in node.parts if each.kind != "word"]
        return filled(arguments, how, window, node.text)
    function = FUNCTIONS[node.name]
    return function([_value(each, values, window) for each in node.parts], window, node.text)


@cites(_PAGE)
def metrics_named(part: str, values: Mapping[str, Value], window: Window) -> list[Series]:
    """METRICS() has all metrics of the request, METRICS("x") those with x in their ids, and neither an expression."""
    found = (values[each] for each in window.metrics if part in each)
    return [each for each in found if isinstance(each, dict)]


_OPERATORS: Final[Mapping[str, Callable[[float, float], float]]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "^": operator.pow,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "AND": lambda left, right: bool(left) and bool(right),
    "OR": lambda left, right: bool(left) or bool(right),
}


def combined(sign: str, left: Value, right: Value) -> Value:
    """Two values under an operator; with an array each of its series by itself."""
    if isinstance(left, list) and isinstance(right, list):
        raise InvalidMath(f"two arrays cannot stand beside {sign!r}")
    if isinstance(left, list):
        return [_single(combined(sign, each, right)) for each in left]
    if isinstance(right, list):
        return [_single(combined(sign, left, each)) for each in right]
    if isinstance(left, float) and isinstance(right, float):
        found = operated(sign, left, right)
        return float("nan") if found is None else found
    return _pointwise(sign, left, right)


def _pointwise(sign: str, left: Series | float, right: Series | float) -> Series:
    times = sorted({*(left if isinstance(left, dict) else ()), *(right if isinstance(right, dict) else ())})
    found = {time: operated(sign, missing_is_zero(left, time), missing_is_zero(right, time)) for time in times}
    return {time: value for time, value in found.items() if value is not None}


@cites(_PAGE)
def missing_is_zero(value: Series | float, time: int) -> float:
    """Beside a series that has a value, a missing value of the other one is 0."""
    return value.get(time, 0.0) if isinstance(value, dict) else value


@cites(_PAGE)
def operated(sign: str, left: float, right: float) -> float | None:
    """A comparison is 1 or 0; a value that would be divided by zero is dropped."""
    if isnan(left) or isnan(right):
        return None
    try:
        found = float(_OPERATORS[sign](left, right))
    except (ZeroDivisionError, OverflowError, TypeError):
        return None
    return found


def _single(value: Value) -> Series:
    """A series of an array."""
    if not isinstance(value, dict):
        raise InvalidMath("an array has time series alone")
    return value


def _kind(value: Value) -> str:
    return "a scalar" if isinstance(value, float) else f"an array of {len(value)}"
