"""Alarms are evaluated on the table of metrics that LocalStack keeps."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from sim.cloud.control_plane.cloudwatch.composites import CompositeEvaluation, notification
from sim.cloud.control_plane.cloudwatch.evaluation import Evaluation, ScalingAlarm
from sim.cloud.control_plane.cloudwatch.metrics import Metrics, Published, PublishedSet
from sim.cloud.control_plane.cloudwatch.stored import Stored
from sim.cluster.cloudwatch.alarms import State
from sim.cluster.cloudwatch.metric_math import Metric
from sim.cluster.cloudwatch.statistics import Samples
from sim.cluster.desired import Place

PLACE = Place("1", "r")
NOW = 6000.0
COMMON = "account_id, region, metric_name, namespace, timestamp, dimensions, unit, storage_resolution"
POLICY = "arn:aws:autoscaling:r:1:scalingPolicy:p"


@pytest.fixture
def metrics(tmp_path: Path) -> Metrics:
    """LocalStack's two tables."""
    path = tmp_path / "metrics.db"
    with sqlite3.connect(path) as connection:
        connection.execute(f"CREATE TABLE SINGLE_METRICS ({COMMON}, value)")
        connection.execute(f"CREATE TABLE AGGREGATED_METRICS ({COMMON}, sample_count, sum, min, max)")
        connection.execute(
            "INSERT INTO AGGREGATED_METRICS (account_id, region, metric_name, namespace, timestamp, sample_count, sum, "
            "min, max) VALUES ('1', 'r', 'set', 'n', 5940, 2, 6, 1, 5)"
        )
    return Metrics(lambda: str(path))


def published(name: str, value: float, *, at: int = 5940, **dimensions: str) -> Published:
    return Published(PLACE, "n", name, tuple(dimensions.items()), at, value)


def metric(name: str, **dimensions: str) -> Metric:
    return Metric("n", name, tuple(dimensions.items()), "Sum")


def test_a_metric_is_found_by_all_its_dimensions(metrics: Metrics) -> None:
    metrics.write([published("m", 1.0), published("m", 2.0, A="a"), published("m", 4.0, A="a", B="b")])
    assert metrics.read(PLACE, metric("m"), 5940, 6000) == [Samples(5940, 1, 1.0, 1.0, 1.0)]
    assert metrics.read(PLACE, metric("m", A="a"), 5940, 6000) == [Samples(5940, 1, 2.0, 2.0, 2.0)]
    assert metrics.read(PLACE, metric("m", B="b", A="a"), 5940, 6000) == [Samples(5940, 1, 4.0, 4.0, 4.0)]
    assert metrics.read(PLACE, metric("m"), 6000, 6060) == []
    assert metrics.read(PLACE, metric("set"), 5940, 6000) == [Samples(5940, 2, 6.0, 1.0, 5.0)]
    seconds = Samples(5940, 99, 0.99, 0.01, 0.01)
    metrics.write_sets([PublishedSet(PLACE, "n", "time", (("A", "a"),), seconds, "Seconds")])
    assert metrics.read(PLACE, metric("time", A="a"), 5940, 6000) == [seconds]


class Bench:
    """One alarm above 10 on the sum of `m` in a minute, and what becomes of it."""

    def __init__(self, metrics: Metrics) -> None:
        self.now = NOW
        self.values: dict[str, Any] = {
            "AlarmName": "a",
            "AlarmArn": "arn:a",
            "AlarmConfigurationUpdatedTimestamp": 1,
            "StateValue": "OK",
            "Namespace": "n",
            "MetricName": "m",
            "Statistic": "Sum",
            "Period": 60,
            "EvaluationPeriods": 1,
            "Threshold": 10.0,
            "ComparisonOperator": "GreaterThanThreshold",
            "TreatMissingData": "notBreaching",
            "AlarmActions": [POLICY, "arn:aws:sns:r:1:topic"],
        }
        self.calls: list[tuple[str, float | None]] = []
        self.evaluation = Evaluation(
            lambda: [Stored(PLACE, self.values)], metrics, self._set, self._act, lambda: self.now
        )

    def _set(self, place: Place, name: str, state: State, reason: str) -> None:
        assert (place, name, reason.startswith("Threshold Crossed: ")) == (PLACE, "a", True)
        self.values["StateValue"] = state

    def _act(self, calls: list[ScalingAlarm]) -> None:
        self.calls += [(each.policy, each.value) for each in calls]


def test_an_alarm_follows_its_metric_and_calls_its_policy_each_minute(metrics: Metrics) -> None:
    bench = Bench(metrics)
    metrics.write(
        [published("m", 8.0), published("m", 4.0), published("m", 11.0, at=6000), published("m", 1.0, at=6060)]
    )
    states = []
    for _ in range(3):
        bench.evaluation.take()
        bench.evaluation.take()
        states.append(bench.values["StateValue"])
        bench.now += 60
    assert states == ["ALARM", "ALARM", "OK"]
    assert bench.calls == [(POLICY, 12.0), (POLICY, 11.0)]


def test_a_state_that_somebody_set_lasts_until_the_next_evaluation(metrics: Metrics) -> None:
    bench = Bench(metrics)
    bench.evaluation.take()
    bench.values["StateValue"] = "ALARM"
    bench.evaluation.take()
    assert bench.values["StateValue"] == "ALARM"
    bench.now += 60
    bench.evaluation.take()
    assert bench.values["StateValue"] == "OK"


def test_an_alarm_that_is_put_anew_is_evaluated_at_once(metrics: Metrics) -> None:
    bench = Bench(metrics)
    metrics.write([published("m", 8.0)])
    bench.evaluation.take()
    assert bench.values["StateValue"] == "OK"
    bench.values = {**bench.values, "Threshold": 7.0, "AlarmConfigurationUpdatedTimestamp": 2}
    bench.evaluation.take()
    assert bench.values["StateValue"] == "ALARM"


def kept(name: str, state: State, rule: str = "", account: str = "1") -> Stored:
    values = {"AlarmName": name, "AlarmArn": f"arn:{account}:alarm:{name}", "StateValue": state}
    more = {"AlarmConfigurationUpdatedTimestamp": 1} | ({"AlarmRule": rule} if rule else {})
    return Stored(Place(account, "r"), {**values, **more})


class Composites:
    """Alarms of two accounts, and what becomes of the composite ones."""

    def __init__(self, *alarms: Stored) -> None:
        self.alarms = {(each.place.account, each.values["AlarmName"]): each.values for each in alarms}
        self.changes: list[tuple[str, str, State]] = []
        self.evaluation = CompositeEvaluation(lambda: list(alarms), self._set, lambda: NOW)

    def _set(self, place: Place, name: str, state: State, reason: str, data: str) -> None:
        self.alarms[place.account, name] |= {"StateValue": state, "StateReason": reason, "StateReasonData": data}
        self.changes.append((place.account, name, state))


def test_a_composite_alarm_follows_those_of_its_own_account_and_others_follow_it() -> None:
    both, outer = kept("both", "OK", "ALARM(a) AND NOT OK(b)"), kept("outer", "OK", "ALARM(both)")
    bench = Composites(kept("a", "ALARM"), kept("b", "OK"), both, outer, kept("b", "ALARM", account="2"))
    bench.evaluation.take()
    assert bench.changes == []
    bench.alarms["1", "b"]["StateValue"] = "INSUFFICIENT_DATA"
    bench.evaluation.take()
    assert bench.changes == [("1", "both", "ALARM"), ("1", "outer", "ALARM")]
    assert both.values["StateReason"].startswith("arn:1:alarm:b transitioned to INSUFFICIENT_DATA at ")


def test_composite_alarms_in_a_circle_are_not_evaluated() -> None:
    bench = Composites(kept("x", "OK", "NOT ALARM(y)"), kept("y", "OK", "ALARM(x)"), kept("z", "OK", "TRUE"))
    bench.evaluation.take()
    assert bench.changes == [("1", "z", "ALARM")]


def test_a_topic_gets_the_rule_of_a_composite_alarm_and_the_children_that_changed() -> None:
    message = json.dumps({"AlarmName": "both", "Trigger": {"Period": 0}})
    assert notification(message, kept("a", "OK").values) == message
    both = kept("both", "OK", "ALARM(a)")
    Composites(kept("a", "ALARM"), both).evaluation.take()
    assert json.loads(notification(message, both.values)) == {
        "AlarmName": "both",
        "AlarmRule": "ALARM(a)",
        "TriggeringChildren": [
            {"Arn": "arn:1:alarm:a", "State": {"Value": "ALARM", "Timestamp": "1970-01-01T01:40:00.000+0000"}}
        ],
    }
