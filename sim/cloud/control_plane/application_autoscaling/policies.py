"""Scaling policies as AWS's API has them, as the core has them, and the alarms of a target tracking policy.

https://docs.aws.amazon.com/autoscaling/application/APIReference/API_PutScalingPolicy.html
"""

from __future__ import annotations

from typing import Final

from sim.cloud.control_plane.call import Values
from sim.cloud.control_plane.cloudwatch import scaling_alarms
from sim.cloud.control_plane.cloudwatch.alarms import math_of
from sim.cluster.autoscaling.scaling_policies import Policy, StepScaling, TargetTracking, checked
from sim.cluster.cloudwatch.metric_functions import InvalidMath

_COOLDOWN_SECONDS: Final = 300.0
_PREDEFINED: Final = {
    "ECSServiceAverageCPUUtilization": "CPUUtilization",
    "ECSServiceAverageMemoryUtilization": "MemoryUtilization",
}


def policy_of(given: Values) -> Policy:
    """The policy of PutScalingPolicy's parameters. Raises InvalidMath, or Refused for steps that do not fit."""
    if stepped := given.get("StepScalingPolicyConfiguration"):
        return checked(_steps(given["PolicyName"], stepped))
    tracking = given.get("TargetTrackingScalingPolicyConfiguration")
    if not tracking:
        raise InvalidMath(f"the policy type {given.get('PolicyType')!r} is not supported")
    return TargetTracking(
        given["PolicyName"],
        math_of(_queries(given)),
        float(tracking["TargetValue"]),
        float(tracking.get("ScaleOutCooldown", _COOLDOWN_SECONDS)),
        float(tracking.get("ScaleInCooldown", _COOLDOWN_SECONDS)),
        not tracking.get("DisableScaleIn", False),
    )


def alarms_of(policy: TargetTracking, given: Values, arn: str) -> list[Values]:
    """The two alarms of a policy with PutScalingPolicy's parameters, as PutMetricAlarm's parameters."""
    return scaling_alarms.alarms_of(policy, _queries(given), given["ResourceId"], arn)


def _queries(given: Values) -> list[Values]:
    _, cluster, service = given["ResourceId"].split("/")
    of = {"ClusterName": cluster, "ServiceName": service}
    predefined = {kind: scaling_alarms.metric("AWS/ECS", name, **of) for kind, name in _PREDEFINED.items()}
    return scaling_alarms.queries(given["TargetTrackingScalingPolicyConfiguration"], predefined)


def _steps(name: str, given: Values) -> StepScaling:
    return StepScaling(
        name,
        scaling_alarms.steps(given.get("StepAdjustments") or ()),
        given.get("AdjustmentType") or "ChangeInCapacity",
        float(given.get("Cooldown", _COOLDOWN_SECONDS)),
        int(given.get("MinAdjustmentMagnitude") or 1),
    )
