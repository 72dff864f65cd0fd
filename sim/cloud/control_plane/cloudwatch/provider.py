"""Corrections to LocalStack's CloudWatch."""

from __future__ import annotations

from sim.cloud.control_plane.call import Call, Operations, Values


def put_alarm(call: Call) -> Values:
    """Sets the tags of a new alarm only: "if you are updating an existing alarm, any tags you specify are ignored".

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html
    """
    name, tags = call.parameters["AlarmName"], call.parameters.get("Tags")
    types = ["CompositeAlarm", "MetricAlarm"]
    found = call.forward("DescribeAlarms", {"AlarmNames": [name], "AlarmTypes": types})
    is_new = not (found.get("MetricAlarms") or found.get("CompositeAlarms"))
    answer = call.forward()
    if tags and is_new:
        call.forward("TagResource", {"ResourceARN": call.arn("cloudwatch", f"alarm:{name}"), "Tags": tags})
    return answer


OPERATIONS: Operations = {"PutCompositeAlarm": put_alarm, "PutMetricAlarm": put_alarm}
