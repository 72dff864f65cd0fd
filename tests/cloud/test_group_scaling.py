"""An Auto Scaling group's own scaling policies and scheduled actions."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import pytest

from sim.host.waiting import until
from tests.cloud.alarms import Alarms
from tests.cloud.groups import Group

_SECONDS = 20.0
_SOON_SECONDS = 6
NAMED = {"AutoScalingGroupName": "g"}


def put(group: Group, name: str, kind: str, **settings: Any) -> dict[str, Any]:
    """A scaling policy of the group."""
    answer: dict[str, Any] = group.client.put_scaling_policy(**NAMED, PolicyName=name, PolicyType=kind, **settings)
    return answer


def put_steps(group: Group, **more: Any) -> str:
    """A step policy `steps` that adds an instance; its ARN."""
    steps = [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}]
    adjusts = {"AdjustmentType": "ChangeInCapacity", "StepAdjustments": steps}
    return str(put(group, "steps", "StepScaling", **adjusts, **more)["PolicyARN"])


def track(group: Group, target: float) -> dict[str, Any]:
    """A target tracking policy `load` on a metric in the namespace `t`."""
    metric = {"Namespace": "t", "MetricName": "load", "Statistic": "Average"}
    tracking = {"TargetValue": target, "CustomizedMetricSpecification": metric}
    return put(group, "load", "TargetTrackingScaling", TargetTrackingConfiguration=tracking)


def await_desired(group: Group, count: int) -> None:
    """Waits until so many instances of the group are desired and serve."""

    def serving() -> tuple[int, int]:
        found = group.described()
        return found["DesiredCapacity"], sum(each["LifecycleState"] == "InService" for each in found["Instances"])

    until(lambda: serving() == (count, count), f"{count} instances", seconds=_SECONDS, seen=serving)


def test_an_alarm_of_a_step_policy_adds_an_instance(group: Group, alarms: Alarms) -> None:
    arn = put_steps(group)
    alarms.publish("depth", 11)
    alarms.put("deep", **alarms.metric("depth"), AlarmActions=[arn])
    await_desired(group, 3)
    assert group.causes()[0].startswith(
        "a monitor alarm deep in state ALARM triggered policy steps changing the desired capacity from 2 to 3."
    )
    [policy] = group.client.describe_policies(**NAMED)["ScalingPolicies"]
    assert (policy["PolicyARN"], [each["AlarmName"] for each in policy["Alarms"]]) == (arn, ["deep"])


def test_target_tracking_makes_its_two_alarms_and_follows_them(group: Group, alarms: Alarms) -> None:
    alarms.publish("load", 50)
    policy = track(group, 40)
    high, low = (each["AlarmName"] for each in policy["Alarms"])
    assert (high, low) == ("TargetTracking-g-AlarmHigh-load", "TargetTracking-g-AlarmLow-load")
    await_desired(group, 3)
    assert (alarms.described(high)["EvaluationPeriods"], alarms.described(low)["EvaluationPeriods"]) == (3, 15)
    assert track(group, 45)["PolicyARN"] == policy["PolicyARN"]
    assert alarms.described(high)["Threshold"] == 45
    group.client.delete_policy(**NAMED, PolicyName="load")
    assert alarms.client.describe_alarms(AlarmNames=[high, low])["MetricAlarms"] == []
    assert group.client.describe_policies(**NAMED)["ScalingPolicies"] == []


def test_a_quarter_of_an_hour_under_the_target_scales_a_group_in(group: Group, alarms: Alarms) -> None:
    group.client.update_auto_scaling_group(**NAMED, MinSize=1)
    alarms.publish("load", 10, minutes=18)
    track(group, 40)
    await_desired(group, 1)
    group.client.delete_auto_scaling_group(**NAMED, ForceDelete=True)
    named = alarms.client.describe_alarms(AlarmNamePrefix="TargetTracking-g-")["MetricAlarms"]
    assert named == [], "its alarms go with the group"


def test_simple_scaling_waits_for_its_cool_down(group: Group) -> None:
    put(group, "less", "SimpleScaling", AdjustmentType="ExactCapacity", ScalingAdjustment=3, Cooldown=600)
    busy = group.client.exceptions.ScalingActivityInProgressFault
    with pytest.raises(busy):
        group.client.execute_policy(**NAMED, PolicyName="less", HonorCooldown=True)
    group.client.execute_policy(**NAMED, PolicyName="less")
    cause = "a user request executed policy less changing the desired capacity from 2 to 3."
    assert group.causes()[0].startswith(cause)
    with pytest.raises(busy):
        group.client.set_desired_capacity(**NAMED, DesiredCapacity=2, HonorCooldown=True)
    assert len(group.states()) == 3


def test_a_step_policy_is_executed_with_a_value_that_a_step_covers(group: Group) -> None:
    arn = put_steps(group, EstimatedInstanceWarmup=60)
    with pytest.raises(group.client.exceptions.ClientError, match="needs MetricValue and BreachThreshold"):
        group.client.execute_policy(PolicyName=arn)
    with pytest.raises(group.client.exceptions.ClientError, match="within no step adjustment"):
        group.client.execute_policy(PolicyName=arn, MetricValue=40, BreachThreshold=50)
    group.client.execute_policy(PolicyName=arn, MetricValue=60, BreachThreshold=50)
    assert len(group.states()) == 3


def test_a_policy_that_cannot_be_evaluated_is_refused(group: Group) -> None:
    tracking = {"TargetValue": 1, "PredefinedMetricSpecification": {"PredefinedMetricType": "ASGAverageNetworkIn"}}
    refused = group.client.exceptions.ClientError
    with pytest.raises(refused, match="'ASGAverageNetworkIn' is not supported"):
        put(group, "p", "TargetTrackingScaling", TargetTrackingConfiguration=tracking)
    with pytest.raises(refused, match="PredictiveScaling is not supported"):
        put(group, "p", "PredictiveScaling")
    with pytest.raises(refused, match="At least one step adjustment"):
        put(group, "p", "StepScaling", AdjustmentType="ChangeInCapacity")
    assert group.client.describe_policies(**NAMED)["ScalingPolicies"] == []


def test_a_scheduled_action_sets_the_sizes_at_its_time(group: Group) -> None:
    at = datetime.fromtimestamp(int(time.time()) + _SOON_SECONDS, UTC)
    group.client.put_scheduled_update_group_action(
        **NAMED, ScheduledActionName="night", StartTime=at, MinSize=0, MaxSize=1, DesiredCapacity=1
    )
    [planned] = group.client.describe_scheduled_actions(**NAMED)["ScheduledUpdateGroupActions"]
    assert (planned["StartTime"], planned["DesiredCapacity"]) == (at, 1)
    await_desired(group, 1)
    assert (group.described()["MinSize"], group.described()["MaxSize"]) == (0, 1)
    assert group.causes()[0].startswith("a scheduled action update of AutoScalingGroup constraints to min: 0, max: 1")
    assert group.client.describe_scheduled_actions(**NAMED)["ScheduledUpdateGroupActions"] == []


def test_a_recurring_action_is_described_with_its_next_time_in_its_zone(group: Group) -> None:
    group.client.put_scheduled_update_group_action(
        **NAMED, ScheduledActionName="day", Recurrence="0 9 * * *", TimeZone="Asia/Tokyo", DesiredCapacity=3
    )
    [planned] = group.client.describe_scheduled_actions(**NAMED)["ScheduledUpdateGroupActions"]
    assert (planned["Recurrence"], planned["TimeZone"]) == ("0 9 * * *", "Asia/Tokyo")
    assert (planned["StartTime"].hour, planned["StartTime"] > datetime.now(UTC)) == (0, True)
    actions = [{"ScheduledActionName": "never", "Recurrence": "0 0 30 2 *", "DesiredCapacity": 3}]
    failed = group.client.batch_put_scheduled_update_group_action(**NAMED, ScheduledUpdateGroupActions=actions)
    assert [each["ScheduledActionName"] for each in failed["FailedScheduledUpdateGroupActions"]] == ["never"]
    group.client.delete_scheduled_action(**NAMED, ScheduledActionName="day")
    with pytest.raises(group.client.exceptions.ClientError, match="Scheduled action name not found: day"):
        group.client.delete_scheduled_action(**NAMED, ScheduledActionName="day")
