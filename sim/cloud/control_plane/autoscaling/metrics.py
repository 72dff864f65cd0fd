"""The metrics of Auto Scaling groups: which of them a group publishes, and what they are.

https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_EnableMetricsCollection.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sim.cloud.control_plane.autoscaling.groups import Groups
from sim.cloud.control_plane.autoscaling.known import KnownGroups
from sim.cloud.control_plane.autoscaling.records import Record
from sim.cloud.control_plane.call import AwsError, Call, Operations, Values
from sim.cloud.control_plane.cloudwatch.metrics import Published
from sim.cluster.autoscaling.group_metrics import METRICS, metrics

_NAMESPACE: Final = "AWS/AutoScaling"


class MetricOperations:
    """Handles the operations that switch a group's metrics on and off; without names they mean all of them."""

    def __init__(self, known: KnownGroups) -> None:
        self._known = known
        self.operations: Operations = {
            "DisableMetricsCollection": self.disable,
            "EnableMetricsCollection": self.enable,
        }

    def enable(self, call: Call) -> Values:
        self._known.named(call)
        record, asked = self._known.record(call), _asked(call)
        record.publish_metrics([each for each in METRICS if each in {*record.enabled_metrics, *asked}])
        return {}

    def disable(self, call: Call) -> Values:
        self._known.named(call)
        record, asked = self._known.record(call), _asked(call)
        record.publish_metrics([each for each in record.enabled_metrics if each not in asked])
        return {}


def published(groups: Groups, at: int) -> Iterator[Published]:
    """The metrics of each group that has enabled them, as of a second since 1970."""
    for place, of_place in groups.everywhere():
        for name, kept in list(of_place.items()):
            values, dimensions = metrics(kept.group), (("AutoScalingGroupName", name),)
            for each in Record(place, name).enabled_metrics:
                yield Published(place, _NAMESPACE, each, dimensions, at, float(values[each]), "None")


def _asked(call: Call) -> list[str]:
    """Raises AwsError: ValidationError."""
    asked: list[str] = call.parameters.get("Metrics") or list(METRICS)
    if unknown := [each for each in asked if each not in METRICS]:
        raise AwsError("ValidationError", f"The metrics {', '.join(unknown)} are not supported.")
    return asked
