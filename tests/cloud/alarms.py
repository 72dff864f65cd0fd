"""Alarms of an account, and the metrics that they are about."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from sim.host.waiting import until
from tests.cloud.agents import Values
from tests.cloud.shared import Client

_SECONDS = 20.0
_MINUTE = 60


class Alarms:
    """CloudWatch of an account."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def publish(self, name: str, value: float, minutes: int = 6) -> None:
        """A metric in the namespace `t` that had a value in each of the last minutes."""
        self._publish(name, {"Value": value}, minutes)

    def publish_set(self, name: str, value: float, count: int) -> None:
        """The same with a statistic set of equal values."""
        values = {"SampleCount": count, "Sum": count * value, "Minimum": value, "Maximum": value}
        self._publish(name, {"StatisticValues": values}, 6)

    def _publish(self, name: str, what: Values, minutes: int) -> None:
        now = time.time() // _MINUTE * _MINUTE
        moments = [datetime.fromtimestamp(now - _MINUTE * each + 1, UTC) for each in range(1, minutes + 1)]
        data = [{"MetricName": name, "Timestamp": each, **what} for each in moments]
        self.client.put_metric_data(Namespace="t", MetricData=data)

    def put(self, name: str, **more: Any) -> None:
        """An alarm above 10."""
        settings = {"ComparisonOperator": "GreaterThanThreshold", "Threshold": 10, "EvaluationPeriods": 2}
        self.client.put_metric_alarm(AlarmName=name, **settings | more)

    def metric(self, name: str) -> Values:
        """What an alarm says of a metric in the namespace `t`."""
        return {"Namespace": "t", "MetricName": name, "Statistic": "Average", "Period": _MINUTE}

    def described(self, name: str) -> Values:
        """The alarm as it is now."""
        asked = self.client.describe_alarms(AlarmNames=[name], AlarmTypes=["CompositeAlarm", "MetricAlarm"])
        found: list[Values] = asked["CompositeAlarms"] + asked["MetricAlarms"]
        [described] = found
        return described

    def await_state(self, name: str, state: str) -> None:
        """Waits until an alarm has a state."""
        until(lambda: self.described(name)["StateValue"] == state, f"{name} in {state}", seconds=_SECONDS)
