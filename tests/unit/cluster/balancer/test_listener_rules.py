"""The rules of an ALB's listener."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random

import pytest

from sim.cluster.balancer import listener_rules
from sim.cluster.balancer.listener_rules import (
    Arrived,
    Condition,
    FixedResponse,
    Forward,
    ListenerRule,
    Redirect,
    action_for,
    group_for,
    location,
    meets,
)
from tests.unit.cluster.proves import proves

REQUEST = Arrived(
    "HTTP",
    "Shop.example.com",
    80,
    "/img/a.png",
    (("v", "1"), ("", "flag")),
    "GET",
    {"user-agent": "Mozilla"},
    "10.1.2.3",
)


@proves(listener_rules.meets)
@pytest.mark.parametrize(
    ("condition", "met"),
    [
        (Condition("host-header", ("shop.EXAMPLE.com",)), True),
        (Condition("host-header", ("*.example.org", "shop.*")), True),
        (Condition("host-header", ("example.com",)), False),
        (Condition("path-pattern", ("/img/?.png",)), True),
        (Condition("path-pattern", ("/IMG/*",)), False),
        (Condition("path-pattern", ("/img",)), False),
        (Condition("path-pattern", ("/img/a.p.g",)), False),
        (Condition("http-header", ("mozilla*",), "User-Agent"), True),
        (Condition("http-header", ("*",), "X-Absent"), False),
        (Condition("http-request-method", ("GET", "HEAD")), True),
        (Condition("http-request-method", ("get",)), False),
        (Condition("query-string", ("v=1",)), True),
        (Condition("query-string", ("V=*",)), True),
        (Condition("query-string", ("flag",)), True),
        (Condition("query-string", ("v=2",)), False),
        (Condition("source-ip", ("192.168.0.0/16", "10.0.0.0/8")), True),
        (Condition("source-ip", ("10.1.2.4/32",)), False),
    ],
)
def test_conditions(condition: Condition, met: bool) -> None:
    assert meets(condition, REQUEST) is met


@proves(listener_rules.action_for)
def test_the_lowest_priority_whose_conditions_are_all_met_decides() -> None:
    images, gets = Condition("path-pattern", ("/img/*",)), Condition("http-request-method", ("GET",))
    first, second, default = FixedResponse(200), FixedResponse(404), FixedResponse(503)
    rules = (ListenerRule(20, (images,), second), ListenerRule(10, (images, gets), first))
    assert action_for(rules, default, REQUEST) == first
    assert action_for(rules, default, replace(REQUEST, method="POST")) == second
    assert action_for(rules, default, replace(REQUEST, path="/")) == default


@proves(listener_rules.group_for)
def test_weights_share_the_requests() -> None:
    chance = Random(1)
    went = Counter(group_for(Forward((("blue", 90), ("green", 10), ("red", 0))), chance) for _ in range(1000))
    assert 50 < went["green"] < 150
    assert "red" not in went
    assert group_for(Forward((("blue", 0),)), chance) == "blue"


@proves(listener_rules.location)
def test_a_redirect_keeps_what_it_does_not_name() -> None:
    assert location(Redirect("HTTP_301", protocol="HTTPS", port="443"), REQUEST) == (
        "https://Shop.example.com:443/img/a.png?v=1&flag"
    )
    moved = Redirect("HTTP_302", host="new.#{host}", port="8443", path="/old/#{path}", query="")
    assert location(moved, REQUEST) == "http://new.Shop.example.com:8443/old/img/a.png"
