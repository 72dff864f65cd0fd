"""Auto Scaling. moto keeps the settings of groups; this plugin keeps the life cycle of their instances."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from sim.cloud.control_plane.autoscaling.group_operations import GroupOperations
from sim.cloud.control_plane.autoscaling.hook_operations import OPERATIONS as HOOK_OPERATIONS
from sim.cloud.control_plane.autoscaling.instance_operations import InstanceOperations
from sim.cloud.control_plane.autoscaling.known import KnownGroups
from sim.cloud.control_plane.autoscaling.metrics import MetricOperations
from sim.cloud.control_plane.autoscaling.refresh_operations import RefreshOperations
from sim.cloud.control_plane.autoscaling.schedule_operations import ScheduleOperations
from sim.cloud.control_plane.call import Operations


class AutoScaling:
    """The operations that the plugin answers, but for those on scaling policies."""

    def __init__(self, known: KnownGroups, now: Callable[[], float], chance: Random) -> None:
        self.operations: Operations = {
            **HOOK_OPERATIONS,
            **GroupOperations(known, now, chance).operations,
            **InstanceOperations(known, now, chance).operations,
            **MetricOperations(known).operations,
            **RefreshOperations(known, now).operations,
            **ScheduleOperations(known, now).operations,
        }
