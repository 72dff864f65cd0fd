"""A load balancer's metrics: one statistic set for each metric, zone and minute. Pure.

https://docs.aws.amazon.com/elasticloadbalancing/latest/classic/elb-cloudwatch-metrics.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sim.cloud.edge.record import Record

NAMESPACE: Final = "AWS/ELB"
_FIRST_CLASS, _LAST_CLASS = 2, 5
_SERVER_ERROR: Final = 500
_SECONDS: Final = frozenset({"Latency"})


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
        self.minimum = min(value, self.minimum)
        self.maximum = max(value, self.maximum)


class Minutes:
    """Collects the samples of the present minute, by zone and metric."""

    def __init__(self) -> None:
        self._sets: dict[tuple[str, str], Statistics] = {}

    def sample(self, zone: str, metric: str, value: float) -> None:
        """One sample of a metric."""
        found = self._sets.get((zone, metric))
        if found is None:
            found = self._sets[zone, metric] = Statistics()
        found.add(value)

    def count(self, zone: str, metric: str) -> None:
        """One more of what the metric counts."""
        self.sample(zone, metric, 1)

    def latency(self, zone: str, seconds: float) -> None:
        """From the request's way to the instance to the head of the answer."""
        self.sample(zone, "Latency", seconds)

    def request(self, zone: str, record: Record) -> None:
        """A request over HTTP that was answered, by an instance or by the balancer."""
        if not record.status:
            return
        if record.target_status:
            self.count(zone, "RequestCount")
            kind = record.target_status // 100
            if _FIRST_CLASS <= kind <= _LAST_CLASS:
                self.count(zone, f"HTTPCode_Backend_{kind}XX")
        else:
            self.count(zone, "HTTPCode_ELB_5XX" if record.status >= _SERVER_ERROR else "HTTPCode_ELB_4XX")

    def take(self) -> Mapping[tuple[str, str], Statistics]:
        """What was collected, by zone and metric; the next minute begins empty."""
        taken, self._sets = self._sets, {}
        return taken


def data(name: str, taken: Mapping[tuple[str, str], Statistics], at: float) -> Sequence[Mapping[str, Any]]:
    """The arguments of PutMetricData for the load balancer of this name; `at` is in Unix seconds."""
    return [
        {
            "MetricName": metric,
            "Dimensions": [
                {"Name": "LoadBalancerName", "Value": name},
                *([{"Name": "AvailabilityZone", "Value": zone}] if zone else []),
            ],
            "Timestamp": at,
            "Unit": "Seconds" if metric in _SECONDS else "Count",
            "StatisticValues": {
                "SampleCount": each.count,
                "Sum": each.total,
                "Minimum": each.minimum,
                "Maximum": each.maximum,
            },
        }
        for (zone, metric), each in taken.items()
    ]
