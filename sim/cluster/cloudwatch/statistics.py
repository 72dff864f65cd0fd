"""The statistics of a metric's data points, for each period.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Final

from sim.cluster.citations import CLOUDWATCH_GUIDE, cites, inferred
from sim.cluster.cloudwatch.metric_functions import InvalidMath, Series

_PAGE: Final = CLOUDWATCH_GUIDE + "Statistics-definitions.html"
_PLAIN: Final = frozenset({"SampleCount", "Average", "Sum", "Minimum", "Maximum"})
_PERCENTILE: Final = re.compile(r"p(\d{1,2}(?:\.\d{1,10})?|100)")


@dataclass(frozen=True, slots=True)
class Samples:
    """What was published at one second since 1970: a value, or the statistic set of several."""

    at: int
    count: float
    total: float
    minimum: float
    maximum: float


def known(statistic: str) -> str:
    """The statistic. Raises InvalidMath for one that is not evaluated here."""
    if statistic in _PLAIN or _PERCENTILE.fullmatch(statistic):
        return statistic
    raise InvalidMath(
        f"the statistic {statistic!r} is not supported; known are {', '.join(sorted(_PLAIN))}, p0 to p100"
    )


def series(statistic: str, samples: Iterable[Samples], period: int, times: Sequence[int]) -> Series:
    """The statistic of each period that begins at one of the times and has a value."""
    by_time: dict[int, list[Samples]] = {}
    for each in samples:
        by_time.setdefault(each.at // period * period, []).append(each)
    found = {time: _of_period(statistic, by_time[time]) for time in times if time in by_time}
    return {time: each for time, each in found.items() if each is not None}


def _of_period(statistic: str, samples: Sequence[Samples]) -> float | None:
    count = sum(each.count for each in samples)
    match statistic:
        case "SampleCount":
            return count
        case "Sum":
            return sum(each.total for each in samples)
        case "Average":
            return sum(each.total for each in samples) / count if count else None
        case "Minimum":
            return min(each.minimum for each in samples)
        case "Maximum":
            return max(each.maximum for each in samples)
    return percentile(float(statistic.removeprefix("p")), samples)


@cites(_PAGE)
def has_percentiles(samples: Samples) -> bool:
    """A statistic set has percentiles only if it is of one value, or of values that are all equal."""
    return samples.count == 1 or samples.minimum == samples.maximum


@inferred("CloudWatch does not say how it interpolates; the nearest rank is always a value that was published")
def percentile(percent: float, samples: Sequence[Samples]) -> float | None:
    """The value of the nearest rank; none where a statistic set hides its values."""
    if not all(has_percentiles(each) for each in samples):
        return None
    values = sorted((each.minimum, each.count) for each in samples)
    rank = max(1.0, ceil(percent / 100 * sum(count for _, count in values)))
    for found, count in values:
        rank -= count
        if rank <= 0:
            return found
    return values[-1][0] if values else None
