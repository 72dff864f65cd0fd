"""The metrics that target tracking policies follow."""

from __future__ import annotations

import pytest

from sim.cloud.control_plane.cloudwatch.scaling_alarms import queries
from sim.cluster.cloudwatch.metric_functions import InvalidMath


def tracking(label: str) -> dict[str, object]:
    """A policy's configuration, whose target is a number of requests for each target of an ALB."""
    named = {"PredefinedMetricType": "ALBRequestCountPerTarget", "ResourceLabel": label}
    return {"TargetValue": 100, "PredefinedMetricSpecification": named}


def test_the_requests_for_each_target_are_those_of_the_group_that_the_label_names() -> None:
    [query] = queries(tracking("app/front/50dc/targetgroup/web/73e2"), {})
    metric, statistic = query["MetricStat"]["Metric"], query["MetricStat"]["Stat"]
    assert (metric["Namespace"], metric["MetricName"], statistic) == (
        "AWS/ApplicationELB",
        "RequestCountPerTarget",
        "Sum",
    )
    assert metric["Dimensions"] == [
        {"Name": "TargetGroup", "Value": "targetgroup/web/73e2"},
        {"Name": "LoadBalancer", "Value": "app/front/50dc"},
    ]


@pytest.mark.parametrize("label", ["", "front", "net/front/50dc/targetgroup/web/73e2"])
def test_a_label_that_names_no_target_group_of_an_alb_is_refused(label: str) -> None:
    with pytest.raises(InvalidMath, match="is not of the form app/NAME/ID/targetgroup/NAME/ID"):
        queries(tracking(label), {})
