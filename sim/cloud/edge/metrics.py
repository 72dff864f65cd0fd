"""A load balancer's metrics: a statistic set for each metric, zone and minute. Pure.

CloudWatch can compute a percentile only where it knows the values. So a metric that is a time has a set for each value:
times are rounded to two digits, and equal ones share a set.

https://docs.aws.amazon.com/elasticloadbalancing/latest/classic/elb-cloudwatch-metrics.html
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sim.cloud.edge.record import Record

NAMESPACE: Final = "AWS/ELB"
_BACKEND: Final = tuple(f"HTTPCode_Backend_{kind}XX" for kind in range(10))
_SERVER_ERROR: Final = 500
_SECONDS: Final = frozenset({"Latency", "TargetResponseTime"})
_DIGITS: Final = 2

Kind = tuple[str, float | None]
"""The name of a metric, and, if the metric is a time, the value."""


@dataclass(slots=True)
class Statistics:
    """What CloudWatch needs of many samples."""

    count: int = 0
    total: float = 0.0
    minimum: float = float("inf")
    maximum: float = float("-inf")

    def add(self, value: float) -> None:
        """One sample more."""
        self.count += 1
        self.total += value
        self.minimum = min(self.minimum, value)
        self.maximum = max(self.maximum, value)

    def merge(self, other: Statistics) -> None:
        """The samples of another set, too."""
        self.count += other.count
        self.total += other.total
        self.minimum = min(self.minimum, other.minimum)
        self.maximum = max(self.maximum, other.maximum)


class Minutes:
    """Collects the samples of the present minute, by zone and metric."""

    def __init__(self) -> None:
        self._sets: defaultdict[str, dict[Kind, Statistics]] = defaultdict(dict)

    def sample(self, zone: str, metric: str, value: float) -> None:
        """One sample of a metric."""
        if metric in _SECONDS:
            value = float(f"{value:.{_DIGITS}g}")
            self._statistics(zone, (metric, value)).add(value)
        else:
            self._statistics(zone, (metric, None)).add(value)

    def count(self, zone: str, metric: str) -> None:
        """One more of what the metric counts."""
        self.sample(zone, metric, 1)

    def connection_failed(self, zone: str) -> None:
        """A target could not be connected to for a request."""
        self.count(zone, "BackendConnectionErrors")

    def check_failed_to_connect(self, zone: str) -> None:
        """A target could not be connected to for a health check."""
        self.count(zone, "BackendConnectionErrors")

    def request(self, zone: str, record: Record) -> None:
        """A request over HTTP that was answered, by an instance or by the balancer."""
        if record.target_status:
            self.count(zone, "RequestCount")
            self.sample(zone, "Latency", record.target_seconds)
            self.count(zone, _BACKEND[record.target_status // 100])
        elif record.status:
            self.count(zone, "HTTPCode_ELB_5XX" if record.status >= _SERVER_ERROR else "HTTPCode_ELB_4XX")

    def take(self) -> Mapping[str, Mapping[Kind, Statistics]]:
        """What was collected, by zone and metric; the next minute begins empty."""
        taken, self._sets = self._sets, defaultdict(dict)
        return taken

    def _statistics(self, zone: str, kind: Kind) -> Statistics:
        of_zone = self._sets[zone]
        found = of_zone.get(kind)
        if found is None:
            found = of_zone[kind] = Statistics()
        return found


def merged(taken: Iterable[Mapping[Kind, Statistics]]) -> Mapping[Kind, Statistics]:
    """What several zones have seen together, by metric."""
    together: defaultdict[Kind, Statistics] = defaultdict(Statistics)
    for of_zone in taken:
        for kind, each in of_zone.items():
            together[kind].merge(each)
    return together


def data(
    dimensions: Mapping[str, str], taken: Mapping[str, Mapping[Kind, Statistics]], at: float
) -> list[dict[str, Any]]:
    """The entries of PutMetricData with these dimensions, one for each metric of each zone, and of all together.

    `at` is in Unix seconds.
    """
    together = entries(dimensions, merged(taken.values()), at)
    return together + [
        entry
        for zone, of_zone in taken.items()
        for entry in entries({**dimensions, "AvailabilityZone": zone}, of_zone, at)
    ]


def entries(dimensions: Mapping[str, str], of: Mapping[Kind, Statistics], at: float) -> list[dict[str, Any]]:
    """The entries of PutMetricData with these dimensions, one for each metric."""
    return [
        {
            "MetricName": metric,
            "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items()],
            "Timestamp": datetime.fromtimestamp(at, UTC),
            "Unit": "Seconds" if metric in _SECONDS else "Count",
            "StatisticValues": {
                "SampleCount": each.count,
                "Sum": each.total,
                "Minimum": each.minimum,
                "Maximum": each.maximum,
            },
        }
        for (metric, _), each in of.items()
    ]
