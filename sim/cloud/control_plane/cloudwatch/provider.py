"""Corrections to LocalStack's CloudWatch."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sim.cloud.control_plane.call import AwsError, Call, Operations, Values, moment
from sim.cloud.control_plane.cloudwatch.alarms import alarm_of
from sim.cloud.control_plane.cloudwatch.composites import delete_alarms, put_composite_alarm
from sim.cloud.control_plane.cloudwatch.metrics import PublishedSet
from sim.cloud.control_plane.cloudwatch.stored import keep_state
from sim.cluster.cloudwatch.metric_functions import InvalidMath
from sim.cluster.cloudwatch.statistics import Samples
from sim.cluster.desired import Place


def put_metric_alarm(call: Call) -> Values:
    """Refuses an alarm that cannot be evaluated. One that is there already keeps its state.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
    """
    try:
        alarm_of(call.parameters)
    except InvalidMath as wrong:
        raise AwsError("ValidationError", f"The alarm {call.parameters['AlarmName']} is not valid: {wrong}.") from None
    with keep_state(Place(call.account, call.region), call.arn("cloudwatch", f"alarm:{call.parameters['AlarmName']}")):
        return put_alarm(call)


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


WriteSets = Callable[[Iterable[PublishedSet]], None]
"""Publishes statistic sets."""


def put_metric_data(call: Call, now: float, write_sets: WriteSets) -> Values:
    """Data without a time are of the time at which they come, by AWS's clock. Statistic sets are written together.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDatum.html
    """
    place, namespace = Place(call.account, call.region), call.parameters["Namespace"]
    given = [{"Timestamp": moment(now), **each} for each in call.parameters.get("MetricData") or []]
    write_sets(_published_set(place, namespace, each) for each in given if _is_set(each))
    others = [each for each in given if not _is_set(each)]
    return call.forward("PutMetricData", {**call.parameters, "MetricData": others}) if others else {}


def _is_set(datum: Values) -> bool:
    return "StatisticValues" in datum and not datum.keys() & {"Value", "Values"}


def _published_set(place: Place, namespace: str, datum: Values) -> PublishedSet:
    of = datum["StatisticValues"]
    at = int(datum["Timestamp"].timestamp())
    samples = Samples(at, *(float(of[each]) for each in ("SampleCount", "Sum", "Minimum", "Maximum")))
    dimensions = tuple((each["Name"], each["Value"]) for each in datum.get("Dimensions") or ())
    return PublishedSet(place, namespace, datum["MetricName"], dimensions, samples, datum.get("Unit"))


def operations(now: Callable[[], float], write_sets: WriteSets) -> Operations:
    """The operations. `now` is AWS's time in seconds since 1970."""
    return {
        "DeleteAlarms": delete_alarms,
        "PutCompositeAlarm": lambda call: put_composite_alarm(call, put_alarm),
        "PutMetricAlarm": put_metric_alarm,
        "PutMetricData": lambda call: put_metric_data(call, now(), write_sets),
    }
