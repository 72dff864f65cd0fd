"""Operations on scaling policies and lifecycle hooks, of which moto forgets some settings and makes up others."""

from __future__ import annotations

from typing import Any

from sim.cloud.control_plane.autoscaling.records import hook_of_moto, policy_of_moto
from sim.cloud.control_plane.call import Call, Operations, Values
from sim.cluster.desired import Place


def _place(call: Call) -> Place:
    return Place(call.account, call.region)


def put_policy(call: Call) -> Values:
    """https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_PutScalingPolicy.html"""
    answer = call.forward()
    policy: Any = policy_of_moto(_place(call), call.parameters["PolicyName"])
    policy.enabled = call.parameters.get("Enabled", True)
    # An empty one would be shown as one that was given.
    policy.predictive_scaling_configuration = call.parameters.get("PredictiveScalingConfiguration")
    return answer


def put_hook(call: Call) -> Values:
    """https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_PutLifecycleHook.html"""
    given = call.parameters
    answer = call.forward("PutLifecycleHook", given)
    hook: Any = hook_of_moto(_place(call), given["AutoScalingGroupName"], given["LifecycleHookName"])
    hook.role_arn = given.get("RoleARN")
    hook.notification_target_arn = given.get("NotificationTargetARN")
    hook.notification_metadata = given.get("NotificationMetadata")
    return answer


OPERATIONS: Operations = {"PutLifecycleHook": put_hook, "PutScalingPolicy": put_policy}
