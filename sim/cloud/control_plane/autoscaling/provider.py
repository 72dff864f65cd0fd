"""Corrections to moto's Auto Scaling: instance refreshes, which moto lacks, and the deletion of a group."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime

from sim.cloud.control_plane.autoscaling.models import Refresh, cancel, describe, observe, start
from sim.cloud.control_plane.call import AwsError, Call, Operations, Regional, Values

_MOST = 100


class AutoScaling:
    """Keeps the instance refreshes of each group, by the group's name, the newest first."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._refreshes: Regional[defaultdict[str, list[Refresh]]] = Regional(lambda: defaultdict(list))
        self.operations: Operations = {
            "CancelInstanceRefresh": self.cancel,
            "DeleteAutoScalingGroup": self.delete_group,
            "DescribeInstanceRefreshes": self.describe,
            "StartInstanceRefresh": self.start,
        }

    def start(self, call: Call) -> Values:
        known, instances = self._observed(call)
        begun = start(str(uuid.uuid4()), call.parameters, instances, known, self._now())
        known[:] = [begun, *known][:_MOST]
        return {"InstanceRefreshId": begun.id}

    def cancel(self, call: Call) -> Values:
        known, _ = self._observed(call)
        cancelled = cancel(known, call.parameters["AutoScalingGroupName"], self._now())
        known[:] = [cancelled if each.id == cancelled.id else each for each in known]
        return {"InstanceRefreshId": cancelled.id}

    def describe(self, call: Call) -> Values:
        known, _ = self._observed(call)
        asked = call.parameters.get("InstanceRefreshIds")
        return {"InstanceRefreshes": [describe(each) for each in known if not asked or each.id in asked]}

    def delete_group(self, call: Call) -> Values:
        """Deletes a group. ForceDelete ends all its instances, where moto would leave those protected from scale-in.

        https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DeleteAutoScalingGroup.html
        """
        name = call.parameters["AutoScalingGroupName"]
        if call.parameters.get("ForceDelete"):
            _, instances = self._observed(call)
            if instances:
                call.forward(
                    "SetInstanceProtection",
                    {"AutoScalingGroupName": name, "InstanceIds": instances, "ProtectedFromScaleIn": False},
                )
        answer = call.forward()
        self._refreshes.of(call).pop(name, None)
        return answer

    def _observed(self, call: Call) -> tuple[list[Refresh], list[str]]:
        """The group's refreshes, brought up to date, and its instances. Raises AwsError: ValidationError."""
        name = call.parameters["AutoScalingGroupName"]
        found = call.forward("DescribeAutoScalingGroups", {"AutoScalingGroupNames": [name]})["AutoScalingGroups"]
        if not found:
            raise AwsError("ValidationError", f"AutoScalingGroup name not found - AutoScalingGroup {name} not found")
        instances = [each["InstanceId"] for each in found[0].get("Instances") or []]
        known = self._refreshes.of(call)[name]
        known[:] = [observe(each, instances, self._now()) for each in known]
        return known, instances
