"""Scaling policies of Auto Scaling groups as AWS's API has them, as the core has them.

https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_PutScalingPolicy.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sim.cloud.control_plane.call import Values
from sim.cloud.control_plane.cloudwatch import scaling_alarms
from sim.cloud.control_plane.cloudwatch.alarms import math_of
from sim.cluster.autoscaling.group_policies import GroupPolicy
from sim.cluster.autoscaling.scaling_policies import (
    Adjustment,
    StepAdjustment,
    StepScaling,
    TargetTracking,
    checked,
)
from sim.cluster.cloudwatch.metric_functions import InvalidMath

_DEFAULTS: Final[dict[str, Values]] = {
    "SimpleScaling": {},
    "StepScaling": {"MetricAggregationType": "Average"},
    "TargetTrackingScaling": {},
}


@dataclass(frozen=True)
class KeptPolicy:
    """A policy: its ARN, PutScalingPolicy's parameters, and what they mean."""

    arn: str
    values: Values
    policy: GroupPolicy

    @property
    def name(self) -> str:
        """The name of the policy."""
        return self.policy.rule.name

    @property
    def alarms(self) -> list[Values]:
        """The alarms that a target tracking policy makes, as PutMetricAlarm's parameters."""
        if not isinstance(self.policy.rule, TargetTracking):
            return []
        group = self.values["AutoScalingGroupName"]
        return scaling_alarms.alarms_of(self.policy.rule, _queries(self.values), group, self.arn)

    def described(self, alarms: list[Values]) -> Values:
        """As DescribePolicies returns it, with the alarms that call it."""
        kind = _kind(self.values)
        given = {"PolicyType": kind, "Enabled": True, **_DEFAULTS[kind], **self.values}
        return {**given, "PolicyARN": self.arn, "Alarms": alarms}


def policy_of(given: Values) -> GroupPolicy:
    """The policy of PutScalingPolicy's parameters. Raises InvalidMath, or Refused for steps that do not fit."""
    kind = _kind(given)
    if kind not in _DEFAULTS:
        raise InvalidMath(f"the policy type {kind} is not supported; known are {', '.join(_DEFAULTS)}")
    return GroupPolicy(
        _tracking(given) if kind == "TargetTrackingScaling" else _stepping(given, simple=kind == "SimpleScaling"),
        kind == "SimpleScaling",
        _seconds(given, "EstimatedInstanceWarmup"),
        _seconds(given, "Cooldown"),
        bool(given.get("Enabled", True)),
    )


def _kind(given: Values) -> str:
    return given.get("PolicyType") or "SimpleScaling"


def _seconds(given: Values, name: str) -> float | None:
    return None if given.get(name) is None else float(given[name])


def _tracking(given: Values) -> TargetTracking:
    tracking = given.get("TargetTrackingConfiguration")
    if not tracking:
        raise InvalidMath("it has no TargetTrackingConfiguration")
    scales_in = not tracking.get("DisableScaleIn", False)
    return TargetTracking(
        given["PolicyName"], math_of(_queries(given)), float(tracking["TargetValue"]), scales_in=scales_in
    )


def _queries(given: Values) -> list[Values]:
    cpu = scaling_alarms.metric("AWS/EC2", "CPUUtilization", AutoScalingGroupName=given["AutoScalingGroupName"])
    return scaling_alarms.queries(given["TargetTrackingConfiguration"], {"ASGAverageCPUUtilization": cpu})


def _stepping(given: Values, *, simple: bool) -> StepScaling:
    kind: Adjustment | None = given.get("AdjustmentType")
    if kind is None:
        raise InvalidMath("it has no AdjustmentType")
    if simple and given.get("ScalingAdjustment") is None:
        raise InvalidMath("it has no ScalingAdjustment")
    steps = (
        (StepAdjustment(int(given["ScalingAdjustment"])),)
        if simple
        else scaling_alarms.steps(given.get("StepAdjustments") or ())
    )
    magnitude = given.get("MinAdjustmentMagnitude") or given.get("MinAdjustmentStep") or 1
    return checked(StepScaling(given["PolicyName"], steps, kind, magnitude=int(magnitude)))
