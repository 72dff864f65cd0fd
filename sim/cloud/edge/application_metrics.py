"""What an ALB counts, under the names that its metrics have. Pure.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sim.cloud.edge import metrics
from sim.cloud.edge.metrics import Kind, Minutes, Statistics
from sim.cloud.edge.record import Record

NAMESPACE: Final = "AWS/ApplicationELB"
_OF_ACTIONS: Final = {"redirect": "HTTP_Redirect_Count", "fixed-response": "HTTP_Fixed_Response_Count"}
_ALONE: Final = frozenset({500, 502, 503, 504})
"""The statuses of its own that have a metric each."""


class ApplicationMinutes(Minutes):
    """Collects the samples of the present minute of an ALB, or of one of its target groups."""

    def connection_failed(self, zone: str) -> None:
        """See Minutes."""
        self.count(zone, "TargetConnectionErrorCount")

    def check_failed_to_connect(self, zone: str) -> None:
        """An ALB does not count it."""

    def request(self, zone: str, record: Record) -> None:
        """A request that is over."""
        self.request_of_target(zone, record)
        if record.target_status:
            return
        if record.action in _OF_ACTIONS:
            self.count(zone, _OF_ACTIONS[record.action])
        elif record.status:
            self.count(zone, f"HTTPCode_ELB_{record.status // 100}XX_Count")
            if record.status in _ALONE:
                self.count(zone, f"HTTPCode_ELB_{record.status}_Count")

    def request_of_target(self, zone: str, record: Record) -> None:
        """What a target group counts of a request. One for which no target was chosen counts for nothing."""
        if record.target_status or record.chosen:
            self.count(zone, "RequestCount")
        if record.target_status:
            self.sample(zone, "TargetResponseTime", record.target_seconds)
            self.count(zone, f"HTTPCode_Target_{record.target_status // 100}XX_Count")


def name_of(arn: str) -> str:
    """A load balancer or a target group as dimensions name it: `app/NAME/ID`, `targetgroup/NAME/ID`."""
    return arn.rpartition(":")[2].removeprefix("loadbalancer/")


def per_target(seen: Mapping[Kind, Statistics]) -> Mapping[Kind, Statistics]:
    """How many requests of a target group a target had on average: of the healthy ones, or of all if none is healthy.

    Its only valid statistic is Sum, so it is one sample. There is none without a request.
    """
    requests = seen.get(("RequestCount", None))
    counts = (seen.get((name, None)) for name in ("HealthyHostCount", "UnHealthyHostCount"))
    targets = next((each.maximum for each in counts if each and each.maximum), 0)
    if requests is None or not targets:
        return {}
    average = Statistics()
    average.add(requests.total / targets)
    return {("RequestCountPerTarget", None): average}


def data(arn: str, own: Minutes, groups: Mapping[str, Minutes], at: float) -> list[dict[str, Any]]:
    """The entries of PutMetricData for an ALB and its target groups, which are named by their ARNs.

    `at` is in Unix seconds.
    """
    balancer = {"LoadBalancer": name_of(arn)}
    entries = metrics.data(balancer, own.take(), at)
    for group, minutes in groups.items():
        taken = minutes.take()
        of_group = {"TargetGroup": name_of(group)}
        entries += metrics.data({**of_group, **balancer}, taken, at)
        average = per_target(metrics.merged(taken.values()))
        for dimensions in (of_group, {**of_group, **balancer}):
            entries += metrics.entries(dimensions, average, at)
    return entries
