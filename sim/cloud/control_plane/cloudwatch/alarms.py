"""Alarms as AWS's API has them, as the core has them.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
"""

from __future__ import annotations

from typing import Final, get_args

from sim.cloud.control_plane.call import Values
from sim.cluster.cloudwatch.alarms import Alarm, Comparison, Missing, checked
from sim.cluster.cloudwatch.metric_functions import InvalidMath
from sim.cluster.cloudwatch.metric_math import Math, Metric, Query, declared, of_metric
from sim.cluster.cloudwatch.statistics import known

_DEFAULT_PERIOD: Final = 60


def alarm_of(given: Values) -> Alarm:
    """The alarm of PutMetricAlarm's parameters, or of DescribeAlarms' answer. Raises InvalidMath."""
    comparison: Comparison = given["ComparisonOperator"]
    missing: Missing = given.get("TreatMissingData") or "missing"
    if comparison not in get_args(Comparison):
        raise InvalidMath(f"the comparison {comparison}, of anomaly detection, is not supported")
    if missing not in get_args(Missing):
        raise InvalidMath(f"missing data cannot be treated as {missing!r}")
    if given.get("Threshold") is None:
        raise InvalidMath("it has no threshold")
    datapoints = given.get("DatapointsToAlarm")
    return checked(
        Alarm(
            given["AlarmName"],
            _math(given),
            float(given["Threshold"]),
            comparison,
            int(given["EvaluationPeriods"]),
            None if datapoints is None else int(datapoints),
            missing,
            {
                "ALARM": tuple(given.get("AlarmActions") or ()),
                "OK": tuple(given.get("OKActions") or ()),
                "INSUFFICIENT_DATA": tuple(given.get("InsufficientDataActions") or ()),
            },
            bool(given.get("ActionsEnabled", True)),
        )
    )


def _math(given: Values) -> Math:
    if given.get("Metrics"):
        return math_of(given["Metrics"])
    statistic = given.get("Statistic") or given.get("ExtendedStatistic") or ""
    return of_metric(_metric(given, statistic, given.get("Period")))


def math_of(queries: list[Values]) -> Math:
    """The metric math of MetricDataQueries. Raises InvalidMath."""
    return declared(_query(each) for each in queries)


def _query(given: Values) -> Query:
    returns = bool(given.get("ReturnData", True))
    if expression := given.get("Expression"):
        return Query(given["Id"], expression=expression, returns=returns)
    stat = given.get("MetricStat")
    if not stat:
        raise InvalidMath(f"the query {given['Id']!r} has neither a metric nor an expression")
    return Query(given["Id"], _metric(stat["Metric"], stat["Stat"], stat.get("Period")), returns=returns)


def _metric(given: Values, statistic: str, period: int | None) -> Metric:
    dimensions = tuple(sorted((each["Name"], each["Value"]) for each in given.get("Dimensions") or ()))
    return Metric(
        given.get("Namespace") or "",
        given.get("MetricName") or "",
        dimensions,
        known(statistic),
        int(period or _DEFAULT_PERIOD),
    )
