"""What is published to CloudWatch by this machine's clock and by AWS's."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from sim.cloud.control_plane.call import Call
from sim.cloud.control_plane.cloudwatch.metrics import PublishedSet
from sim.cloud.control_plane.cloudwatch.provider import operations
from sim.cluster.cloudwatch.statistics import Samples
from sim.cluster.desired import Place

NOW = 1_700_000_000.0
GIVEN = datetime(2026, 1, 1, tzinfo=UTC)


def published(data: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[PublishedSet]]:
    """What LocalStack gets, and what is written past it."""
    sets = list[PublishedSet]()
    call = Call("1", "r", {"Namespace": "t", "MetricData": data}, lambda *asked: {"put": asked[1]})
    answer = operations(lambda: NOW, sets.extend)["PutMetricData"](call)
    return answer["put"]["MetricData"] if answer else [], sets


@pytest.mark.parametrize("given", [[{}], [{"Timestamp": GIVEN}], [{"Timestamp": GIVEN}, {}]])
def test_data_without_a_time_have_awss_and_others_keep_theirs(given: list[dict[str, Any]]) -> None:
    data = [{"MetricName": "n", "Value": 1.0, **each} for each in given]
    put, sets = published(data)
    assert not sets
    assert [each["Timestamp"] for each in put] == [
        each.get("Timestamp", datetime.fromtimestamp(NOW, UTC)) for each in given
    ]
    assert all(each["Value"] == 1.0 for each in put)


def test_statistic_sets_are_written_past_localstack_which_writes_each_by_itself() -> None:
    values = {"SampleCount": 2, "Sum": 0.5, "Minimum": 0.25, "Maximum": 0.25}
    one = {"MetricName": "n", "Value": 1.0}
    put, sets = published(
        [{"MetricName": "n", "StatisticValues": values, "Dimensions": [{"Name": "A", "Value": "a"}]}, one]
    )
    assert [each["Value"] for each in put] == [1.0]
    samples = Samples(int(NOW), 2.0, 0.5, 0.25, 0.25)
    assert sets == [PublishedSet(Place("1", "r"), "t", "n", (("A", "a"),), samples, None)]
    assert published([{"MetricName": "n", "StatisticValues": values}])[0] == []
