"""The functions of metric math, over scalars, time series and arrays of them.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html#metric-math-syntax-functions-list
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor, isnan, log, log10, nan
from statistics import fmean, pstdev
from typing import Final

from sim.cluster.citations import CLOUDWATCH_GUIDE, cites, inferred

Series = dict[int, float]
"""The value of each period that has one, by the second in which the period begins."""
Value = float | Series | list[Series]
_PAGE: Final = CLOUDWATCH_GUIDE + "using-metric-math.html"


class InvalidMath(ValueError):
    """An expression, or a set of queries, that CloudWatch or this core cannot evaluate."""


@dataclass(frozen=True, slots=True)
class Window:
    """What an evaluation looks at: the periods by their beginnings, their length in seconds, the ids of the metrics."""

    times: tuple[int, ...]
    period: int
    metrics: tuple[str, ...]


Function = Callable[[Sequence[Value], Window, str], Value]


def spread(function: Callable[[float], float], value: Value) -> Value:
    """A function of numbers, on each value of whatever it is."""
    if isinstance(value, list):
        return [_each(function, series) for series in value]
    return _each(function, value) if isinstance(value, dict) else function(value)


def _each(function: Callable[[float], float], series: Series) -> Series:
    return {time: function(value) for time, value in series.items()}


def _pointwise(function: Callable[[float], float]) -> Function:
    return lambda arguments, _, __: spread(function, arguments[0])


@inferred("a logarithm of what has none is no number; the page says that of a division alone")
def logarithm(function: Callable[[float], float], value: float) -> float:
    """The logarithm of 0 or less has no value."""
    return function(value) if value > 0 else nan


def _along(function: Callable[[Series], Series]) -> Function:
    def applied(arguments: Sequence[Value], _: Window, text: str) -> Value:
        (value,) = arguments
        if isinstance(value, float):
            raise InvalidMath(f"{text!r}: a time series is needed, not a scalar")
        return [function(each) for each in value] if isinstance(value, list) else function(value)

    return applied


@cites(_PAGE)
def difference(series: Series) -> Series:
    """DIFF is the difference to the value before, RATE that by the seconds between; the first value has neither."""
    times = sorted(series)
    return {time: series[time] - series[before] for before, time in pairwise(times)}


def _difference_of_times(series: Series) -> Series:
    times = sorted(series)
    return {time: float(time - before) for before, time in pairwise(times)}


def _rate(series: Series) -> Series:
    seconds = _difference_of_times(series)
    return {time: change / seconds[time] for time, change in difference(series).items()}


def _running_sum(series: Series) -> Series:
    total, found = 0.0, Series()
    for time in sorted(series):
        total += series[time]
        found[time] = total
    return found


@cites(_PAGE)
def reduced(function: Callable[[Sequence[float]], float], value: Value, *, zeros: bool, text: str) -> Value:
    """SUM, AVG, MIN, MAX and STDDEV of a series are a scalar, of an array a series; AVG takes a missing value for 0."""
    if isinstance(value, float):
        raise InvalidMath(f"{text!r}: a time series is needed, not a scalar")
    if isinstance(value, dict):
        return function(list(value.values())) if value else nan
    times = sorted(set[int]().union(*value))
    at = {time: [each[time] for each in value if time in each] for time in times}
    padding = {time: [0.0] * (len(value) - len(found)) if zeros else [] for time, found in at.items()}
    return {time: function([*found, *padding[time]]) for time, found in at.items()}


def _reducing(function: Callable[[Sequence[float]], float], *, zeros: bool = False) -> Function:
    return lambda arguments, _, text: reduced(function, arguments[0], zeros=zeros, text=text)


def filled(arguments: Sequence[Value], how: str, window: Window, text: str) -> Value:
    """FILL: a series, or each of an array, with a value in every period."""
    value = arguments[0]
    if isinstance(value, float):
        raise InvalidMath(f"{text!r}: FILL takes a time series, not a scalar")
    filler = how or arguments[1]
    if isinstance(filler, list):
        raise InvalidMath(f"{text!r}: FILL takes a scalar or a time series to fill with")
    if isinstance(value, list):
        return [fill(each, filler, window.times) for each in value]
    return fill(value, filler, window.times)


@cites(_PAGE)
def fill(series: Series, filler: str | float | Series, times: Sequence[int]) -> Series:
    """FILL puts a value where none is: a scalar, another series, the value before (REPEAT), or what lies between."""
    found = Series()
    for time in times:
        value = series.get(time, _filler(series, filler, time))
        if value is not None and not isnan(value):
            found[time] = value
    return found


def _filler(series: Series, filler: str | float | Series, time: int) -> float | None:
    if isinstance(filler, float):
        return filler
    if isinstance(filler, dict):
        return filler.get(time)
    before = max((each for each in series if each < time), default=None)
    after = min((each for each in series if each > time), default=None)
    if before is None:
        return None
    if filler == "REPEAT":
        return series[before]
    if after is None:
        return None
    return series[before] + (series[after] - series[before]) * (time - before) / (after - before)


def _if(arguments: Sequence[Value], _: Window, text: str) -> Value:
    condition, then, *rest = arguments
    other = rest[0] if rest else Series()
    if isinstance(condition, list) or isinstance(then, list) or isinstance(other, list):
        raise InvalidMath(f"{text!r}: IF takes scalars and time series, no arrays")
    if isinstance(condition, float):
        return then if condition else other
    found = {time: chosen(value, then, other, time) for time, value in condition.items()}
    return {time: value for time, value in found.items() if value is not None}


@cites(_PAGE)
def chosen(condition: float, then: float | Series, other: float | Series, time: int) -> float | None:
    """IF: where it is true a missing value is 0; where it is false, or there is no condition, it is dropped."""
    if condition:
        return then.get(time, 0.0) if isinstance(then, dict) else then
    return other.get(time) if isinstance(other, dict) else other


def _count(arguments: Sequence[Value], _: Window, text: str) -> Value:
    return reduced(lambda found: float(len(found)), arguments[0], zeros=False, text=text)


def _metric_count(arguments: Sequence[Value], _: Window, text: str) -> Value:
    return float(len(_listed(arguments[0], text)))


def _first(arguments: Sequence[Value], _: Window, text: str) -> Value:
    return _listed(arguments[0], text)[0]


def _last(arguments: Sequence[Value], _: Window, text: str) -> Value:
    return _listed(arguments[0], text)[-1]


def _not_empty(arguments: Sequence[Value], _: Window, text: str) -> Value:
    return [each for each in _listed(arguments[0], text) if each]


def _time_series(arguments: Sequence[Value], window: Window, text: str) -> Value:
    if not isinstance(arguments[0], float):
        raise InvalidMath(f"{text!r}: TIME_SERIES takes a scalar")
    return dict.fromkeys(window.times, arguments[0])


def _epoch(_: Sequence[Value], window: Window, __: str) -> Value:
    return {time: float(time) for time in window.times}


def _listed(value: Value, text: str) -> list[Series]:
    if not isinstance(value, list) or not value:
        raise InvalidMath(f"{text!r}: an array of time series is needed")
    return value


FUNCTIONS: Final[Mapping[str, Function]] = {
    "ABS": _pointwise(abs),
    "AVG": _reducing(fmean, zeros=True),
    "CEIL": _pointwise(lambda value: value if isnan(value) else float(ceil(value))),
    "DATAPOINT_COUNT": _count,
    "DIFF": _along(difference),
    "DIFF_TIME": _along(_difference_of_times),
    "EPOCH": _epoch,
    "FIRST": _first,
    "FLOOR": _pointwise(lambda value: value if isnan(value) else float(floor(value))),
    "IF": _if,
    "LAST": _last,
    "LOG": _pointwise(lambda value: logarithm(log, value)),
    "LOG10": _pointwise(lambda value: logarithm(log10, value)),
    "MAX": _reducing(max),
    "METRIC_COUNT": _metric_count,
    "MIN": _reducing(min),
    "RATE": _along(_rate),
    "REMOVE_EMPTY": _not_empty,
    "RUNNING_SUM": _along(_running_sum),
    "STDDEV": _reducing(pstdev),
    "SUM": _reducing(sum),
    "TIME_SERIES": _time_series,
}
ARGUMENTS: Final[Mapping[str, range]] = {
    **dict.fromkeys(FUNCTIONS, range(1, 2)),
    "IF": range(2, 4),
    "FILL": range(2, 3),
    "METRICS": range(1),
    "PERIOD": range(1, 2),
}
"""How many arguments each function takes."""
