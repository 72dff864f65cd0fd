"""Targets of a target group, and rules as the API has them."""

from __future__ import annotations

from typing import Any

import pytest

from sim.cloud.control_plane.call import AwsError
from sim.cloud.control_plane.elbv2.models import GROUP_ATTRIBUTES, TargetGroup, complete
from sim.cloud.control_plane.elbv2.rules import action_of, conditions_of
from sim.cloud.control_plane.elbv2.validation import (
    check_health_check,
    check_name,
    check_priority,
    check_zones,
    refuse_actions,
    refuse_attributes,
    refuse_conditions,
    refuse_group,
)
from sim.cluster.balancer.listener_rules import Condition, FixedResponse, Forward, Redirect
from sim.cluster.target_health import TargetHealth

HEALTHY = TargetHealth("InService", "", "")


def states(group: TargetGroup, now: float = 0, *, used: bool = True) -> dict[str, str]:
    return {name: f"{it.state} {it.reason}".strip() for name, it in group.health((), now, used=used).items()}


def test_an_instance_is_a_target_with_each_of_its_ports() -> None:
    group = TargetGroup()
    group.add(["i-1:1", "i-1:2", "i-2:1"])
    assert states(group, used=False) == dict.fromkeys(["i-1:1", "i-1:2", "i-2:1"], "unused Target.NotInUse")
    group.report("i-1:1", HEALTHY)
    group.add(["i-1:1"])
    assert states(group)["i-1:1"] == "healthy"
    assert states(group)["i-1:2"] == "initial Elb.RegistrationInProgress"
    assert group.of_instances({"i-1"}) == ["i-1:1", "i-1:2"]


def test_a_target_that_was_checked_drains_for_the_delay_at_most() -> None:
    group = TargetGroup()
    group.add(["i-1:1", "i-1:2", "i-1:3"])
    group.report("i-1:1", HEALTHY)
    group.report("i-1:2", TargetHealth("OutOfService", "Target.Timeout", "Request timed out"))
    group.deregister(["i-1:1", "i-1:2", "i-1:3", "i-9:9"], 0, 30)
    draining = dict.fromkeys(["i-1:1", "i-1:2"], "draining Target.DeregistrationInProgress")
    assert states(group, 29) == draining
    assert all(each.state == "OutOfService" for each in group.scheduled(29, used=True).values())
    group.drained("i-1:1")
    assert states(group, 29).keys() == {"i-1:2"}
    assert states(group, 30) == {}
    assert group.health(["i-1:1"], 30, used=True)["i-1:1"].reason == "Target.NotRegistered"


def test_a_target_that_leaves_without_a_delay_is_gone_at_once() -> None:
    group = TargetGroup()
    group.add(["i-1:1"])
    group.report("i-1:1", HEALTHY)
    group.deregister(["i-1:1"], 0, 0)
    assert states(group) == {}


def test_attributes_that_nobody_has_set_have_awss_defaults() -> None:
    given = [{"Key": "stickiness.enabled", "Value": "true"}]
    found = {each["Key"]: each["Value"] for each in complete(given, GROUP_ATTRIBUTES)}
    assert found == {**GROUP_ATTRIBUTES, "stickiness.enabled": "true"}


@pytest.mark.parametrize(
    ("given", "action"),
    [
        ([{"Type": "forward", "TargetGroupArn": "g"}], Forward((("g", 1),))),
        (
            [
                {
                    "Type": "forward",
                    "ForwardConfig": {
                        "TargetGroups": [{"TargetGroupArn": "a", "Weight": 9}, {"TargetGroupArn": "b", "Weight": 0}]
                    },
                }
            ],
            Forward((("a", 9), ("b", 0))),
        ),
        (
            [{"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_301", "Protocol": "HTTPS", "Query": ""}}],
            Redirect("HTTP_301", "HTTPS", query=""),
        ),
        ([{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "204"}}], FixedResponse(204)),
        (
            [{"Type": "forward", "TargetGroupArn": "g", "Order": 2}, {"Type": "authenticate-oidc", "Order": 1}],
            FixedResponse(500, body="The local cluster does not carry out the action authenticate-oidc."),
        ),
    ],
)
def test_actions(given: list[dict[str, Any]], action: object) -> None:
    assert action_of(given) == action


def test_conditions() -> None:
    given: list[dict[str, Any]] = [
        {"Field": "path-pattern", "Values": ["/a"]},
        {"Field": "host-header", "HostHeaderConfig": {"Values": ["b", "c"]}},
        {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X-D", "Values": ["e"]}},
        {"Field": "query-string", "QueryStringConfig": {"Values": [{"Key": "f", "Value": "g"}, {"Value": "h"}]}},
    ]
    assert conditions_of(given) == (
        Condition("path-pattern", ("/a",)),
        Condition("host-header", ("b", "c")),
        Condition("http-header", ("e",), "X-D"),
        Condition("query-string", ("f=g", "h")),
    )


def _refused(message: str, check: Any, *asked: Any) -> None:
    with pytest.raises(AwsError, match=message):
        check(*asked)


def test_what_is_refused() -> None:
    _refused("cannot be longer than '32'", check_name, "a" * 33)
    _refused("alphanumeric", check_name, "a_b")
    _refused("hyphen", check_name, "-a")
    _refused("'internal-'", check_name, "internal-a")
    _refused("two different Availability Zones", check_zones, ["a"])
    _refused("same Availability Zone", check_zones, ["a", "a"])
    _refused("'healthCheckIntervalSeconds' .* equal to 5", check_health_check, {"HealthCheckIntervalSeconds": 4})
    _refused("'unhealthyThresholdCount' .* equal to 10", check_health_check, {"UnhealthyThresholdCount": 11})
    _refused("enabled must be true", check_health_check, {"HealthCheckEnabled": False})
    _refused("'priority' .* equal to 1", check_priority, 0)
    _refused("equal to 50000", check_priority, 50_001)
    _refused("the protocol TCP", refuse_group, {"Protocol": "TCP"})
    _refused("version GRPC", refuse_group, {"Protocol": "HTTP", "ProtocolVersion": "GRPC"})
    _refused("jwt-validation", refuse_actions, [{"Type": "jwt-validation"}])
    sticky = {"Type": "forward", "ForwardConfig": {"TargetGroupStickinessConfig": {"Enabled": True}}}
    _refused("stickiness between", refuse_actions, [sticky])
    _refused("regular expressions", refuse_conditions, [{"Field": "path-pattern", "RegexValues": ["^/a"]}])
    mode = "routing.http.xff_header_processing.mode"
    _refused(f"{mode} = remove. Use append", refuse_attributes, [{"Key": mode, "Value": "remove"}])
