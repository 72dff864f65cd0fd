"""PutLifecycleHook, of which moto forgets some settings and makes up others."""

from __future__ import annotations

from typing import Any

from sim.cloud.control_plane.autoscaling.records import hook_of_moto
from sim.cloud.control_plane.call import Call, Operations, Values
from sim.cluster.desired import Place


def put_hook(call: Call) -> Values:
    """https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_PutLifecycleHook.html"""
    given = call.parameters
    answer = call.forward("PutLifecycleHook", given)
    place = Place(call.account, call.region)
    hook: Any = hook_of_moto(place, given["AutoScalingGroupName"], given["LifecycleHookName"])
    hook.role_arn = given.get("RoleARN")
    hook.notification_target_arn = given.get("NotificationTargetARN")
    hook.notification_metadata = given.get("NotificationMetadata")
    return answer


OPERATIONS: Operations = {"PutLifecycleHook": put_hook}
