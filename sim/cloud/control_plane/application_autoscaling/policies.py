"""Scaling policies as AWS's API has them, as the core has them, and the alarms of a target tracking policy.

https://docs.aws.amazon.com/autoscaling/application/APIReference/API_PutScalingPolicy.html
"""

from __future__ import annotations

from typing import Final

from sim.cloud.control_plane.call import Values
from sim.cloud.control_plane.cloudwatch.alarms import math_of
from sim.cluster.autoscaling.scaling_policies import (
    Policy,
    StepAdjustment,
    StepScaling,
    TargetTracking,
    checked,
    tracking_alarms,
)
from sim.cluster.cloudwatch.metric_functions import InvalidMath

_PERIOD_SECONDS: Final = 60
_COOLDOWN_SECONDS: Final = 300.0
_PREDEFINED: Final = {
    "ECSServiceAverageCPUUtilization": "CPUUtilization",
    "ECSServiceAverageMemoryUtilization": "MemoryUtilization",
}


def policy_of(given: Values) -> Policy:
    """The policy of PutScalingPolicy's parameters. Raises InvalidMath, or Refused for steps that do not fit."""
    if steps := given.get("StepScalingPolicyConfiguration"):
        return checked(_steps(given["PolicyName"], steps))
    tracking = given.get("TargetTrackingScalingPolicyConfiguration")
    if not tracking:
        raise InvalidMath(f"the policy type {given.get('PolicyType')!r} is not supported")
    return TargetTracking(
        given["PolicyName"],
        math_of(queries(tracking, given["ResourceId"])),
        float(tracking["TargetValue"]),
        float(tracking.get("ScaleOutCooldown", _COOLDOWN_SECONDS)),
        float(tracking.get("ScaleInCooldown", _COOLDOWN_SECONDS)),
        not tracking.get("DisableScaleIn", False),
    )


def queries(tracking: Values, resource: str) -> list[Values]:
    """The metric that a target tracking policy follows, as MetricDataQueries. Raises InvalidMath."""
    if (custom := tracking.get("CustomizedMetricSpecification")) and custom.get("Metrics"):
        return [_query(each) for each in custom["Metrics"]]
    if custom:
        stat = {"Metric": custom, "Stat": custom["Statistic"], "Period": _PERIOD_SECONDS}
        return [{"Id": "m1", "MetricStat": stat}]
    kind = (tracking.get("PredefinedMetricSpecification") or {}).get("PredefinedMetricType")
    if kind not in _PREDEFINED:
        raise InvalidMath(f"the predefined metric {kind!r} is not supported; known are {', '.join(_PREDEFINED)}")
    _, cluster, service = resource.split("/")
    dimensions = [{"Name": "ClusterName", "Value": cluster}, {"Name": "ServiceName", "Value": service}]
    metric = {"Namespace": "AWS/ECS", "MetricName": _PREDEFINED[kind], "Dimensions": dimensions}
    return [{"Id": "m1", "MetricStat": {"Metric": metric, "Stat": "Average", "Period": _PERIOD_SECONDS}}]


def alarms_of(policy: TargetTracking, given: Values, arn: str) -> list[Values]:
    """The two alarms of a target tracking policy, as PutMetricAlarm's parameters."""
    metrics = queries(given["TargetTrackingScalingPolicyConfiguration"], given["ResourceId"])
    return [
        {
            "AlarmName": each.name,
            "AlarmDescription": f"DO NOT EDIT OR DELETE. For TargetTrackingScaling policy {arn}.",
            "Metrics": metrics,
            "Threshold": each.threshold,
            "ComparisonOperator": each.comparison,
            "EvaluationPeriods": each.periods,
            "AlarmActions": [arn],
        }
        for each in tracking_alarms(policy, given["ResourceId"])
    ]


def _query(given: Values) -> Values:
    if "MetricStat" not in given:
        return given
    return {**given, "MetricStat": {**given["MetricStat"], "Period": _PERIOD_SECONDS}}


def _steps(name: str, given: Values) -> StepScaling:
    return StepScaling(
        name,
        tuple(
            StepAdjustment(
                int(each["ScalingAdjustment"]),
                each.get("MetricIntervalLowerBound"),
                each.get("MetricIntervalUpperBound"),
            )
            for each in given.get("StepAdjustments") or ()
        ),
        given.get("AdjustmentType") or "ChangeInCapacity",
        float(given.get("Cooldown", _COOLDOWN_SECONDS)),
        int(given.get("MinAdjustmentMagnitude") or 1),
    )
