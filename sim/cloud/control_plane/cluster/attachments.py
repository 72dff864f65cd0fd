"""Target groups that are attached to Auto Scaling groups: an instance is a target while it is in service.

So one that is to end begins to drain before its hooks are over.
https://docs.aws.amazon.com/autoscaling/ec2/userguide/attach-load-balancer-asg.html
"""

from __future__ import annotations

from sim.cloud.control_plane.autoscaling.groups import Groups
from sim.cloud.control_plane.autoscaling.records import Record
from sim.cloud.control_plane.cluster.target_groups import TargetGroupSteps
from sim.cluster.desired import Place

_Attached = tuple[Place, str, str]
"""Where, the ARN of a target group, and the id of an instance."""


class Attachments:
    """Registers what has come into service since the step before, and deregisters what no longer is."""

    def __init__(self, groups: Groups, target_groups: TargetGroupSteps) -> None:
        self._groups = groups
        self._target_groups = target_groups
        self._known: frozenset[_Attached] = frozenset()

    def take(self) -> None:
        """One step of all groups."""
        wanted = frozenset(
            (place, arn, instance.id)
            for place, groups in self._groups.everywhere()
            for name, kept in groups.items()
            for arn in Record(place, name).target_groups
            for instance in kept.group.instances.values()
            if instance.in_service
        )
        for place, arn, instance in self._known - wanted:
            self._target_groups.detach(place, arn, instance)
        for place, arn, instance in wanted - self._known:
            self._target_groups.attach(place, arn, instance)
        self._known = wanted
