"""What an Auto Scaling group publishes of itself every minute, once its metrics are enabled, in `AWS/AutoScaling`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sim.cluster.autoscaling.group_state import Group
from sim.cluster.citations import ASG_API, ASG_GUIDE, LeftOut, cites

LEFT_OUT: Final = (
    LeftOut(
        "Metrics of warm pools and of capacity units.",
        ASG_API + "EnableMetricsCollection.html",
        "a group has neither",
    ),
)
METRICS: Final = (
    "GroupMinSize",
    "GroupMaxSize",
    "GroupDesiredCapacity",
    "GroupInServiceInstances",
    "GroupPendingInstances",
    "GroupStandbyInstances",
    "GroupTerminatingInstances",
    "GroupTotalInstances",
)


@cites(ASG_GUIDE + "ec2-auto-scaling-metrics.html")
def metrics(group: Group) -> Mapping[str, int]:
    """A group's metrics are its limits, and how many instances it has in each state and in all."""
    instances = group.instances.values()
    counts = (
        group.settings.min_size,
        group.settings.max_size,
        group.desired,
        sum(each.in_service for each in instances),
        sum(each.arriving for each in instances),
        0,
        sum(each.leaving for each in instances),
        len(instances),
    )
    return dict(zip(METRICS, counts, strict=True))
