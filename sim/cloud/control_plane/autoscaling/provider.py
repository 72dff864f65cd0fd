"""Auto Scaling. moto keeps the settings of groups; this plugin keeps the life cycle of their instances."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from sim.cloud.control_plane.autoscaling.group_operations import GroupOperations
from sim.cloud.control_plane.autoscaling.groups import Groups, GroupSteps
from sim.cloud.control_plane.autoscaling.instance_operations import InstanceOperations
from sim.cloud.control_plane.autoscaling.known import KnownGroups
from sim.cloud.control_plane.autoscaling.policy_operations import OPERATIONS as POLICY_OPERATIONS
from sim.cloud.control_plane.autoscaling.refresh_operations import RefreshOperations
from sim.cloud.control_plane.call import Operations


class AutoScaling:
    """The operations that the plugin answers."""

    def __init__(self, groups: Groups, steps: GroupSteps, now: Callable[[], float], chance: Random) -> None:
        known = KnownGroups(groups, steps)
        self.operations: Operations = {
            **POLICY_OPERATIONS,
            **GroupOperations(known, now, chance).operations,
            **InstanceOperations(known, now, chance).operations,
            **RefreshOperations(known, now).operations,
        }
