"""Corrections to LocalStack's CloudWatch."""

from __future__ import annotations

from sim.cloud.control_plane.call import Call, Operations, Values


def put_metric_alarm(call: Call) -> Values:
    """Sets the tags of a new alarm only: "if you are updating an existing alarm, any tags you specify are ignored".

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
    """
    name, tags = call.parameters["AlarmName"], call.parameters.get("Tags")
    is_new = not call.forward("DescribeAlarms", {"AlarmNames": [name]}).get("MetricAlarms")
    answer = call.forward()
    if tags and is_new:
        call.forward("TagResource", {"ResourceARN": call.arn("cloudwatch", f"alarm:{name}"), "Tags": tags})
    return answer


OPERATIONS: Operations = {"PutMetricAlarm": put_metric_alarm}
