"""What scaling policies of services and of Auto Scaling groups have in common in AWS's API: metrics, alarms and steps.

https://docs.aws.amazon.com/autoscaling/application/APIReference/API_CustomizedMetricSpecification.html
https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_CustomizedMetricSpecification.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from sim.cloud.control_plane.call import Values
from sim.cluster.autoscaling.scaling_policies import StepAdjustment, TargetTracking, tracking_alarms
from sim.cluster.cloudwatch.metric_functions import InvalidMath

_PERIOD_SECONDS: Final = 60
_OF_ALB: Final = "ALBRequestCountPerTarget"
_METRIC: Final = ("Namespace", "MetricName", "Dimensions")


def queries(tracking: Values, predefined: Mapping[str, Values]) -> list[Values]:
    """The metric that a target tracking policy follows, as MetricDataQueries. Raises InvalidMath.

    `predefined` has the metrics that the policy may name by a type.
    """
    if (custom := tracking.get("CustomizedMetricSpecification")) and custom.get("Metrics"):
        return [_with_period(each) for each in custom["Metrics"]]
    if custom:
        return [_query({name: custom[name] for name in _METRIC if name in custom}, custom["Statistic"])]
    given = tracking.get("PredefinedMetricSpecification") or {}
    kind = str(given.get("PredefinedMetricType"))
    if kind == _OF_ALB:
        return [_query(_requests_per_target(given.get("ResourceLabel") or ""), "Sum")]
    if kind not in predefined:
        known = ", ".join((*predefined, _OF_ALB))
        raise InvalidMath(f"the predefined metric {kind!r} is not supported; known are {known}")
    return [_query(predefined[kind], "Average")]


def _requests_per_target(label: str) -> Values:
    """https://docs.aws.amazon.com/autoscaling/application/APIReference/API_PredefinedMetricSpecification.html"""
    balancer, found, group = label.partition("/targetgroup/")
    if not found or not balancer.startswith("app/"):
        raise InvalidMath(f"the resource label {label!r} is not of the form app/NAME/ID/targetgroup/NAME/ID")
    return metric(
        "AWS/ApplicationELB", "RequestCountPerTarget", TargetGroup=f"targetgroup/{group}", LoadBalancer=balancer
    )


def _query(metric: Values, statistic: str) -> Values:
    return {"Id": "m1", "MetricStat": {"Metric": metric, "Stat": statistic, "Period": _PERIOD_SECONDS}}


def _with_period(given: Values) -> Values:
    if "MetricStat" not in given:
        return given
    return {**given, "MetricStat": {**given["MetricStat"], "Period": _PERIOD_SECONDS}}


def metric(namespace: str, name: str, **dimensions: str) -> Values:
    """A metric as CloudWatch's API has it."""
    pairs = [{"Name": each, "Value": value} for each, value in dimensions.items()]
    return {"Namespace": namespace, "MetricName": name, "Dimensions": pairs}


def alarms_of(policy: TargetTracking, metrics: list[Values], resource: str, arn: str) -> list[Values]:
    """The two alarms of a target tracking policy, as PutMetricAlarm's parameters. The ARN is the policy's."""
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
        for each in tracking_alarms(policy, resource)
    ]


def steps(given: Iterable[Values]) -> tuple[StepAdjustment, ...]:
    """The step adjustments of a policy."""
    return tuple(
        StepAdjustment(
            int(each["ScalingAdjustment"]),
            each.get("MetricIntervalLowerBound"),
            each.get("MetricIntervalUpperBound"),
        )
        for each in given
    )
