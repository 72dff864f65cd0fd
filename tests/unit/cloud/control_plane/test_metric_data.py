"""What is published to CloudWatch by this machine's clock and by AWS's."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from sim.cloud.control_plane.call import Call
from sim.cloud.control_plane.cloudwatch.provider import operations

NOW = 1_700_000_000.0
GIVEN = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("given", [[{}], [{"Timestamp": GIVEN}], [{"Timestamp": GIVEN}, {}]])
def test_data_without_a_time_have_awss_and_others_keep_theirs(given: list[dict[str, Any]]) -> None:
    data = [{"MetricName": "n", "Value": 1.0, **each} for each in given]
    call = Call("1", "r", {"Namespace": "t", "MetricData": data}, lambda *asked: {"put": asked[1] if asked else None})
    put = (operations(lambda: NOW)["PutMetricData"](call)["put"] or call.parameters)["MetricData"]
    assert [each["Timestamp"] for each in put] == [
        each.get("Timestamp", datetime.fromtimestamp(NOW, UTC)) for each in given
    ]
    assert all(each["Value"] == 1.0 for each in put)
