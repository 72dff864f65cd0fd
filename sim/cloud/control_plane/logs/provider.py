"""Metric filters: each counts those lines of its log group that its pattern matches.

LocalStack counts the lines of all groups, whatever the pattern, at the time of this machine.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutMetricFilter.html
https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_MetricTransformation.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from sim.aws.log_filters import InvalidPattern, matcher, values
from sim.cloud.control_plane.call import AwsError, Call, Operations, Values
from sim.cloud.control_plane.cloudwatch.metrics import Published
from sim.cluster.desired import Place

_UNIT = "None"


class Logs:
    """The operations of CloudWatch Logs that metric filters change."""

    def __init__(self, write: Callable[[Iterable[Published]], None], now: Callable[[], float]) -> None:
        """`write` publishes values of metrics, `now` returns AWS's time."""
        self._write = write
        self._now = now

    @property
    def operations(self) -> Operations:
        """The operations by name."""
        return {"PutLogEvents": self.put_log_events, "PutMetricFilter": self.put_metric_filter}

    def put_metric_filter(self, call: Call) -> Values:
        """Makes a filter, or replaces the one of its name. Raises AwsError if it is not evaluated here."""
        try:
            matcher(call.parameters["filterPattern"])
            for each in call.parameters["metricTransformations"]:
                values(each["metricValue"])
        except InvalidPattern as wrong:
            raise AwsError("InvalidParameterException", str(wrong)) from None
        named = {name: call.parameters[name] for name in ("logGroupName", "filterName")}
        if any(each["filterName"] == named["filterName"] for each in _filters(call)):
            call.forward("DeleteMetricFilter", named)
        return call.forward()

    def put_log_events(self, call: Call) -> Values:
        """Stores lines, and publishes what the filters of their group count."""
        answer = call.forward()
        lines = [str(each["message"]) for each in call.parameters["logEvents"]]
        self._write(
            published for each in _filters(call) for published in _counted(each, lines, _place(call), int(self._now()))
        )
        return answer


def _place(call: Call) -> Place:
    return Place(call.account, call.region)


def _filters(call: Call) -> list[Mapping[str, Any]]:
    """The metric filters of the group that a call is about."""
    from moto.logs.models import logs_backends  # noqa: PLC0415 - LocalStack loads its services late

    known = list(logs_backends[call.account][call.region].filters.metric_filters)
    return [each for each in known if each["logGroupName"] == call.parameters["logGroupName"]]


def _counted(found: Mapping[str, Any], lines: Iterable[str], place: Place, at: int) -> Iterator[Published]:
    matching = list(filter(matcher(found["filterPattern"]), lines))
    for each in found["metricTransformations"]:
        for value in map(values(each["metricValue"]), matching):
            if value is not None:
                yield Published(place, each["metricNamespace"], each["metricName"], (), at, value, _UNIT)
