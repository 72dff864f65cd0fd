"""Operations on instance refreshes.

https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_StartInstanceRefresh.html
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace

from sim.cloud.control_plane.autoscaling.descriptions import refresh
from sim.cloud.control_plane.autoscaling.known import KnownGroups
from sim.cloud.control_plane.autoscaling.records import LaunchRefused, template_named
from sim.cloud.control_plane.call import AwsError, Call, Operations, Values, refusals
from sim.cluster.autoscaling.group_state import LaunchTemplate
from sim.cluster.autoscaling.instance_refresh import cancelled, rolled_back, started
from sim.cluster.autoscaling.refresh_preferences import preferences
from sim.cluster.desired import Place


class RefreshOperations:
    """Handles the operations that start, end and describe a refresh."""

    def __init__(self, known: KnownGroups, now: Callable[[], float]) -> None:
        self._known = known
        self._now = now
        self.operations: Operations = {
            "CancelInstanceRefresh": self.cancel,
            "DescribeInstanceRefreshes": self.describe,
            "RollbackInstanceRefresh": self.roll_back,
            "StartInstanceRefresh": self.start,
        }

    def start(self, call: Call) -> Values:
        kept, name = self._known.named(call), call.parameters["AutoScalingGroupName"]
        if (strategy := call.parameters.get("Strategy") or "Rolling") != "Rolling":
            raise AwsError("ValidationError", f"The strategy {strategy} is not supported. Use the strategy Rolling.")
        with refusals():
            chosen = preferences(call.parameters.get("Preferences") or {})
            begun, group = started(
                kept.group,
                chosen,
                _desired(call),
                kept.refreshes[0] if kept.refreshes else None,
                self._now(),
                str(uuid.uuid4()),
            )
        self._known.all(call)[name] = replace(kept, group=group).with_refresh(begun)
        return {"InstanceRefreshId": begun.id}

    def cancel(self, call: Call) -> Values:
        kept, name = self._known.named(call), call.parameters["AutoScalingGroupName"]
        with refusals():
            ended = cancelled(kept.refreshes[0] if kept.refreshes else None)
        self._known.all(call)[name] = kept.with_refresh(ended)
        return {"InstanceRefreshId": ended.id}

    def roll_back(self, call: Call) -> Values:
        kept, name = self._known.named(call), call.parameters["AutoScalingGroupName"]
        with refusals():
            turned, group = rolled_back(kept.refreshes[0] if kept.refreshes else None, kept.group, self._now())
        self._known.all(call)[name] = replace(kept, group=group).with_refresh(turned)
        return {"InstanceRefreshId": turned.id}

    def describe(self, call: Call) -> Values:
        kept, name = self._known.named(call), call.parameters["AutoScalingGroupName"]
        wanted = call.parameters.get("InstanceRefreshIds")
        return {
            "InstanceRefreshes": [refresh(each, name) for each in kept.refreshes if not wanted or each.id in wanted]
        }


def _desired(call: Call) -> LaunchTemplate | None:
    """The launch template that the call desires, None for the group's own. Raises AwsError: ValidationError."""
    configuration = call.parameters.get("DesiredConfiguration") or {}
    if "MixedInstancesPolicy" in configuration:
        raise AwsError("ValidationError", "A mixed instances policy is not supported. Name a launch template.")
    if not (given := configuration.get("LaunchTemplate")):
        return None
    try:
        return template_named(Place(call.account, call.region), given)
    except LaunchRefused as refused:
        raise AwsError("ValidationError", str(refused)) from None
