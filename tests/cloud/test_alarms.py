"""Alarms on what CloudWatch of the local cloud holds: states, actions, and scaling policies."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from sim.host.waiting import until
from tests.cloud.agents import CLUSTER, Fleet, Values
from tests.cloud.alarms import Alarms
from tests.cloud.scaled import Scaled
from tests.cloud.shared import Client

_SECONDS = 20.0
_MINUTE = 60


class Topic:
    """A topic of SNS, and the queue that hears it."""

    def __init__(self, aws: Callable[[str], Client]) -> None:
        sns, self._sqs = aws("sns"), aws("sqs")
        self.arn = sns.create_topic(Name="alarms")["TopicArn"]
        self._queue = self._sqs.create_queue(QueueName="heard")["QueueUrl"]
        asked = self._sqs.get_queue_attributes(QueueUrl=self._queue, AttributeNames=["QueueArn"])
        sns.subscribe(TopicArn=self.arn, Protocol="sqs", Endpoint=asked["Attributes"]["QueueArn"])

    def heard(self) -> Values:
        """The next message about an alarm."""
        [message] = self._sqs.receive_message(QueueUrl=self._queue, WaitTimeSeconds=10)["Messages"]
        self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])
        found: Values = json.loads(json.loads(message["Body"])["Message"])
        return found


@pytest.fixture
def topic(aws: Callable[[str], Client]) -> Topic:
    return Topic(aws)


def test_an_alarm_publishes_to_its_topic(alarms: Alarms, topic: Topic) -> None:
    alarms.publish("depth", 11)
    alarms.put("deep", **alarms.metric("depth"), AlarmActions=[topic.arn])
    alarms.await_state("deep", "ALARM")
    assert alarms.described("deep")["StateReason"].startswith("Threshold Crossed: 2 datapoints [11.0 (")
    heard = topic.heard()
    assert (heard["AlarmName"], heard["NewStateValue"]) == ("deep", "ALARM")


def test_a_composite_alarm_follows_its_rule_and_publishes_to_its_topic(alarms: Alarms, topic: Topic) -> None:
    alarms.publish("depth", 11)
    alarms.publish("errors", 5)
    for name in ("depth", "errors"):
        alarms.put(name, **alarms.metric(name))
    rule = "ALARM(depth) AND NOT (ALARM(errors) OR INSUFFICIENT_DATA(errors))"
    alarms.client.put_composite_alarm(AlarmName="slow", AlarmRule=rule, AlarmActions=[topic.arn])
    alarms.await_state("slow", "ALARM")
    heard = topic.heard()
    assert (heard["AlarmName"], heard["AlarmRule"], heard["NewStateValue"]) == ("slow", rule, "ALARM")
    assert "Trigger" not in heard
    alarms.client.put_composite_alarm(AlarmName="slow", AlarmRule=f"({rule}) AND FALSE")
    assert alarms.described("slow")["StateValue"] == "ALARM", "put again, it keeps its state at first"
    alarms.await_state("slow", "OK")
    with pytest.raises(alarms.client.exceptions.ClientError, match="Cannot delete depth as there are composite alarm"):
        alarms.client.delete_alarms(AlarmNames=["depth"])
    alarms.client.delete_alarms(AlarmNames=["slow"])
    alarms.client.delete_alarms(AlarmNames=["depth", "errors"])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"AlarmRule": "ALARM(nowhere)"}, r"as alarms \[nowhere\] in the alarm rule do not exist"),
        ({"AlarmRule": "TRUE AND"}, r"Error in AlarmRule \[The rule ends too soon"),
        ({"AlarmRule": "TRUE", "ActionsSuppressor": "quiet"}, "ActionsSuppressor is not supported"),
    ],
)
def test_a_composite_alarm_that_cannot_be_evaluated_is_refused(alarms: Alarms, settings: Values, message: str) -> None:
    with pytest.raises(alarms.client.exceptions.ClientError, match=message):
        alarms.client.put_composite_alarm(AlarmName="wrong", **settings)
    assert alarms.client.describe_alarms(AlarmNames=["wrong"], AlarmTypes=["CompositeAlarm"])["CompositeAlarms"] == []


def test_an_alarm_on_a_percentile_follows_the_statistic_sets_of_a_load_balancer(alarms: Alarms) -> None:
    alarms.publish_set("Latency", 0.012, 98)
    alarms.publish_set("Latency", 12, 2)
    metric = {"Namespace": "t", "MetricName": "Latency", "Period": _MINUTE}
    alarms.put("p99", **metric, ExtendedStatistic="p99")
    alarms.put("p90", **metric, ExtendedStatistic="p90")
    alarms.await_state("p99", "ALARM")
    alarms.await_state("p90", "OK")
    begin, end = datetime.fromtimestamp(time.time() - 600, UTC), datetime.fromtimestamp(time.time() + 60, UTC)
    found = alarms.client.get_metric_statistics(
        Namespace="t", MetricName="Latency", StartTime=begin, EndTime=end, Period=3600, Statistics=["SampleCount"]
    )["Datapoints"]
    assert sum(each["SampleCount"] for each in found) == 600


def test_an_alarm_on_metric_math_is_evaluated(alarms: Alarms) -> None:
    alarms.publish("requests", 100)
    alarms.publish("errors", 20)
    queries: list[Values] = [{"Id": "percent", "Expression": "IF(FILL(requests, 0) > 0, 100 * errors / requests, 0)"}]
    for name in ("requests", "errors"):
        stat = {"Metric": {"Namespace": "t", "MetricName": name}, "Period": _MINUTE, "Stat": "Sum"}
        queries.append({"Id": name, "MetricStat": stat, "ReturnData": False})
    alarms.put("failing", Metrics=queries)
    alarms.await_state("failing", "ALARM")
    assert "[20.0 (" in alarms.described("failing")["StateReason"]
    alarms.put("failing", Metrics=queries, AlarmDescription="put again, it keeps its state")
    assert alarms.described("failing")["StateValue"] == "ALARM"
    alarms.put("failing", Metrics=queries, Threshold=50)
    alarms.await_state("failing", "OK")


def test_a_metric_filter_counts_the_lines_of_its_group_that_it_names_and_no_others(
    aws: Callable[[str], Client], alarms: Alarms
) -> None:
    logs = aws("logs")
    for group in ("g", "another"):
        logs.create_log_group(logGroupName=group)
        logs.create_log_stream(logGroupName=group, logStreamName="s")
    alarms.put("failed", Namespace="t", MetricName="Failed", Statistic="Sum", Period=60)
    made = {"metricNamespace": "t", "metricName": "Failed", "metricValue": "1"}
    asked = {"logGroupName": "g", "filterName": "f", "metricTransformations": [made]}
    with pytest.raises(logs.exceptions.InvalidParameterException, match="is not evaluated"):
        logs.put_metric_filter(**asked, filterPattern="[ip, user]")
    logs.put_metric_filter(**asked, filterPattern='{ $.message = "failed" }')
    lines = [json.dumps({"message": each}) for each in ("failed", "stored", "failed", "stored", "stored")]
    now = int(1000 * time.time())
    events = [{"timestamp": now, "message": each} for each in lines]
    logs.put_metric_filter(**asked, filterPattern='{ $.message = "failed" }')
    for group in ("g", "another"):
        logs.put_log_events(logGroupName=group, logStreamName="s", logEvents=events)
    begin, end = datetime.fromtimestamp(time.time() - 600, UTC), datetime.fromtimestamp(time.time() + 60, UTC)
    found = alarms.client.get_metric_statistics(
        Namespace="t", MetricName="Failed", StartTime=begin, EndTime=end, Period=3600, Statistics=["Sum"]
    )["Datapoints"]
    assert sum(each["Sum"] for each in found) == 2


def test_metric_math_that_cannot_be_evaluated_is_refused(alarms: Alarms) -> None:
    stat = {"Metric": {"Namespace": "t", "MetricName": "m"}, "Period": _MINUTE, "Stat": "Sum"}
    metric = {"Id": "m", "MetricStat": stat, "ReturnData": False}
    for expression in ("SEARCH('{t} m', 'Sum', 60)", "m +", "m + other"):
        with pytest.raises(alarms.client.exceptions.ClientError, match="The alarm wrong is not valid"):
            alarms.put("wrong", Metrics=[{"Id": "e", "Expression": expression}, metric])
    assert alarms.client.describe_alarms(AlarmNames=["wrong"])["MetricAlarms"] == []


def test_queues_capacity_providers_and_groups_publish_every_minute(
    fleet: Fleet, scaled: Scaled, clients: Callable[[str], Client]
) -> None:
    cloudwatch, sqs = clients("cloudwatch"), clients("sqs")
    cloudwatch.describe_alarms()
    fleet.desired()
    scaled.create()
    scaled.provide(managedScaling={"status": "ENABLED"})
    scaled.client.enable_metrics_collection(AutoScalingGroupName="g", Granularity="1Minute")
    queue = sqs.create_queue(QueueName="q")["QueueUrl"]
    for _ in range(3):
        sqs.send_message(QueueUrl=queue, MessageBody="m")

    def maximum(namespace: str, name: str, **dimensions: str) -> float:
        found = cloudwatch.get_metric_statistics(
            Namespace=namespace,
            MetricName=name,
            Dimensions=[{"Name": each, "Value": value} for each, value in dimensions.items()],
            StartTime=datetime.fromtimestamp(time.time() - 600, UTC),
            EndTime=datetime.fromtimestamp(time.time() + 60, UTC),
            Period=_MINUTE,
            Statistics=["Maximum"],
        )
        return max((float(each["Maximum"]) for each in found["Datapoints"]), default=-1.0)

    def depth() -> float:
        return maximum("AWS/SQS", "ApproximateNumberOfMessagesVisible", QueueName="q")

    until(lambda: depth() == 3, "the depth", seconds=_MINUTE + _SECONDS, seen=depth)
    assert 0 <= maximum("AWS/SQS", "ApproximateAgeOfOldestMessage", QueueName="q") < _MINUTE + _SECONDS
    reservation = maximum(
        "AWS/ECS/ManagedScaling", "CapacityProviderReservation", CapacityProviderName="p", ClusterName=CLUSTER
    )
    assert reservation == 0
    assert maximum("AWS/AutoScaling", "GroupInServiceInstances", AutoScalingGroupName="g") == 1


class Service:
    """A service of an account, whose desired count scales between 0 and 10."""

    def __init__(self, aws: Callable[[str], Client], count: int) -> None:
        self.ecs, self.scaling = aws("ecs"), aws("application-autoscaling")
        self.named = {
            "ServiceNamespace": "ecs",
            "ResourceId": "service/c/worker",
            "ScalableDimension": "ecs:service:DesiredCount",
        }
        self.ecs.create_cluster(clusterName="c")
        container = {"name": "worker", "image": "worker:1", "memory": 64}
        self.ecs.register_task_definition(family="worker", containerDefinitions=[container])
        self.ecs.create_service(cluster="c", serviceName="worker", taskDefinition="worker", desiredCount=count)
        self.scaling.register_scalable_target(**self.named, MinCapacity=0, MaxCapacity=10)

    def desired(self) -> int:
        """The desired count."""
        [found] = self.ecs.describe_services(cluster="c", services=["worker"])["services"]
        return int(found["desiredCount"])

    def track(self, target: float) -> Values:
        """A target tracking policy on the backlog of each of two workers."""
        stat = {"Metric": {"Namespace": "t", "MetricName": "visible"}, "Stat": "Average"}
        metrics = [
            {"Id": "backlog", "Expression": "visible / 2"},
            {"Id": "visible", "MetricStat": stat, "ReturnData": False},
        ]
        put: Values = self.scaling.put_scaling_policy(
            **self.named,
            PolicyName="backlog",
            PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration={
                "TargetValue": target,
                "CustomizedMetricSpecification": {"Metrics": metrics},
            },
        )
        return put


def test_a_backlog_scales_a_service_out(aws: Callable[[str], Client], alarms: Alarms) -> None:
    service = Service(aws, 2)
    alarms.publish("visible", 80)
    policy = service.track(10)
    high, low = (each["AlarmName"] for each in policy["Alarms"])
    assert (high, low) == (
        "TargetTracking-service/c/worker-AlarmHigh-backlog",
        "TargetTracking-service/c/worker-AlarmLow-backlog",
    )
    until(lambda: service.desired() == 8, "eight tasks", seconds=_SECONDS, seen=service.desired)
    assert (alarms.described(high)["StateValue"], alarms.described(low)["StateValue"]) == ("ALARM", "OK")
    [activity] = service.scaling.describe_scaling_activities(ServiceNamespace="ecs")["ScalingActivities"]
    assert activity["Cause"] == f"monitor alarm {high} in state ALARM triggered policy backlog"
    assert service.track(12)["PolicyARN"] == policy["PolicyARN"]
    service.scaling.delete_scaling_policy(**service.named, PolicyName="backlog")
    assert alarms.client.describe_alarms(AlarmNames=[high, low])["MetricAlarms"] == []


def test_a_quarter_of_an_hour_without_a_backlog_scales_a_service_in(
    aws: Callable[[str], Client], alarms: Alarms
) -> None:
    service = Service(aws, 4)
    alarms.publish("visible", 4, minutes=18)
    service.track(10)
    until(lambda: service.desired() == 1, "one task", seconds=_SECONDS, seen=service.desired)


def test_an_alarm_wakes_a_service_that_has_no_task(aws: Callable[[str], Client], alarms: Alarms) -> None:
    service = Service(aws, 0)
    step = {"AdjustmentType": "ChangeInCapacity", "Cooldown": 120}
    policy = service.scaling.put_scaling_policy(
        **service.named,
        PolicyName="wake",
        PolicyType="StepScaling",
        StepScalingPolicyConfiguration=step
        | {"StepAdjustments": [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}]},
    )
    alarms.publish("visible", 11)
    alarms.put("wake", **alarms.metric("visible"), AlarmActions=[policy["PolicyARN"]])
    until(lambda: service.desired() == 1, "the first task", seconds=_SECONDS, seen=service.desired)


def test_a_scaling_policy_that_cannot_be_evaluated_is_refused(aws: Callable[[str], Client]) -> None:
    service = Service(aws, 1)
    overlap = [
        {"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1},
        {"MetricIntervalLowerBound": 5, "ScalingAdjustment": 2},
    ]
    refused = service.scaling.exceptions.ValidationException
    with pytest.raises(refused, match="can't overlap or have a gap"):
        service.scaling.put_scaling_policy(
            **service.named,
            PolicyName="wake",
            PolicyType="StepScaling",
            StepScalingPolicyConfiguration={"AdjustmentType": "ChangeInCapacity", "StepAdjustments": overlap},
        )
    with pytest.raises(refused, match="the resource label '' is not of the form"):
        service.scaling.put_scaling_policy(
            **service.named,
            PolicyName="track",
            PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration={
                "TargetValue": 1,
                "PredefinedMetricSpecification": {"PredefinedMetricType": "ALBRequestCountPerTarget"},
            },
        )
