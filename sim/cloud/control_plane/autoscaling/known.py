"""The groups that calls name."""

from __future__ import annotations

from dataclasses import replace

from sim.cloud.control_plane.autoscaling.groups import Groups, GroupSteps, Kept
from sim.cloud.control_plane.autoscaling.records import Record
from sim.cloud.control_plane.call import AwsError, Call
from sim.cluster.autoscaling.group_state import Group
from sim.cluster.autoscaling.group_turn import GroupAction
from sim.cluster.desired import Place


class KnownGroups:
    """Finds the group of a call, and keeps what the call makes of it."""

    def __init__(self, groups: Groups, steps: GroupSteps) -> None:
        self._groups = groups
        self._steps = steps

    def all(self, call: Call) -> dict[str, Kept]:
        """The groups of the caller's account and region, by name."""
        return self._groups.of(call)

    def record(self, call: Call, name: str = "") -> Record:
        """moto's record of the group that the call names."""
        return Record(Place(call.account, call.region), name or call.parameters["AutoScalingGroupName"])

    def named(self, call: Call) -> Kept:
        """The group that the call names. Raises AwsError: ValidationError."""
        name = call.parameters["AutoScalingGroupName"]
        found = self.all(call).get(name)
        if found is None:
            raise AwsError("ValidationError", f"AutoScalingGroup name not found - AutoScalingGroup {name} not found")
        return found

    def with_instance(self, call: Call) -> str:
        """The name of the group that has the call's instance. Raises AwsError: ValidationError."""
        instance = call.parameters["InstanceId"]
        for name, kept in self.all(call).items():
            if instance in kept.group.instances:
                return name
        raise AwsError(
            "ValidationError", f"Instance Id not found - No managed instance found for instance ID: {instance}"
        )

    def put(self, call: Call, name: str, group: Group, actions: list[GroupAction] | None = None) -> Group:
        """Keeps another state of a group, once EC2 has done what it asks for."""
        group = self._steps.carry_out(self.record(call, name), group, actions or [])
        self.all(call)[name] = replace(self.all(call)[name], group=group)
        return group
