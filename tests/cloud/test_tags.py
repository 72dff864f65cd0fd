"""Tags of alarms and launch templates."""

from __future__ import annotations

from collections.abc import Callable

from tests.cloud.shared import Client


def test_an_alarm_keeps_the_tags_it_was_created_with(aws: Callable[[str], Client]) -> None:
    cloudwatch = aws("cloudwatch")
    alarm = {
        "AlarmName": "depth",
        "Namespace": "AWS/SQS",
        "MetricName": "ApproximateNumberOfMessagesVisible",
        "ComparisonOperator": "GreaterThanThreshold",
        "EvaluationPeriods": 1,
        "Period": 60,
        "Statistic": "Sum",
        "Threshold": 0,
    }
    cloudwatch.put_metric_alarm(**alarm, Tags=[{"Key": "stage", "Value": "test"}])
    arn = cloudwatch.describe_alarms(AlarmNames=["depth"])["MetricAlarms"][0]["AlarmArn"]
    cloudwatch.put_metric_alarm(**alarm, Tags=[{"Key": "stage", "Value": "production"}])
    assert cloudwatch.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "stage", "Value": "test"}]


def test_a_composite_alarm_keeps_the_tags_that_it_was_made_with(aws: Callable[[str], Client]) -> None:
    cloudwatch = aws("cloudwatch")
    cloudwatch.put_composite_alarm(AlarmName="both", AlarmRule="FALSE", Tags=[{"Key": "stage", "Value": "test"}])
    [alarm] = cloudwatch.describe_alarms(AlarmNames=["both"], AlarmTypes=["CompositeAlarm"])["CompositeAlarms"]
    assert cloudwatch.list_tags_for_resource(ResourceARN=alarm["AlarmArn"])["Tags"] == [
        {"Key": "stage", "Value": "test"}
    ]


def test_a_launch_template_and_its_instances_have_separate_tags(
    aws: Callable[[str], Client],
) -> None:
    ec2 = aws("ec2")
    of_instances = [{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "node"}]}]
    of_template = [{"ResourceType": "launch-template", "Tags": [{"Key": "stage", "Value": "test"}]}]
    data = {"InstanceType": "t3.small", "TagSpecifications": of_instances}
    ec2.create_launch_template(LaunchTemplateName="nodes", LaunchTemplateData=data, TagSpecifications=of_template)
    version = ec2.describe_launch_template_versions(LaunchTemplateName="nodes")["LaunchTemplateVersions"][0]
    assert version["LaunchTemplateData"]["TagSpecifications"] == of_instances
    template = ec2.describe_launch_templates(LaunchTemplateNames=["nodes"])["LaunchTemplates"][0]
    assert template["Tags"] == of_template[0]["Tags"]
