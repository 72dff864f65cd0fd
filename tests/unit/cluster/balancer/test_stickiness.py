"""Cookies that bind a client to a target."""

from __future__ import annotations

from sim.cluster.balancer import stickiness
from sim.cluster.balancer.stickiness import (
    ALB_APPLICATION_COOKIE,
    ALB_COOKIE,
    Stickiness,
    bound_to,
    renewed,
    to_set,
    value_of,
)
from tests.unit.cluster.proves import proves

TARGETS = ("i-1", "i-2")
FOR_A_WHILE = Stickiness(seconds=60)
WITH_THE_APPLICATION = Stickiness(application_cookie="session")


@proves(stickiness.value_of)
def test_a_cookie_says_nothing_about_its_target_and_is_the_same_for_all() -> None:
    assert value_of("i-1") == value_of("i-1") != value_of("i-2")
    assert "i-1" not in value_of("i-1")


@proves(stickiness.bound_to)
def test_a_client_stays_with_its_target_while_that_is_routable() -> None:
    cookies = {"AWSELB": value_of("i-2")}
    assert bound_to(FOR_A_WHILE, cookies, TARGETS) == "i-2"
    assert bound_to(FOR_A_WHILE, cookies, ("i-1",)) is None
    assert bound_to(FOR_A_WHILE, {"AWSELB": "nonsense"}, TARGETS) is None
    assert bound_to(FOR_A_WHILE, {}, TARGETS) is None
    assert bound_to(WITH_THE_APPLICATION, cookies, TARGETS) is None
    assert bound_to(WITH_THE_APPLICATION, {**cookies, "session": "7"}, TARGETS) == "i-2"


@proves(stickiness.to_set)
def test_the_cookie_is_set_for_a_client_that_has_another_or_none() -> None:
    named = value_of("i-1")
    pair = f"={named};PATH=/;MAX-AGE=60"
    assert to_set(FOR_A_WHILE, None, "i-1", ()) == (f"AWSELB{pair}", f"AWSELBCORS{pair};SECURE;SAMESITE=None")
    assert to_set(FOR_A_WHILE, "i-1", "i-1", ()) == ()
    assert to_set(WITH_THE_APPLICATION, None, "i-1", ("theme",)) == ()
    assert to_set(WITH_THE_APPLICATION, None, "i-1", ("session",))[0] == f"AWSELB={named};PATH=/"


@proves(stickiness.renewed)
def test_an_alb_renews_its_cookie_with_every_answer() -> None:
    named = value_of("i-1:80")
    pair = f"={named}; Expires=Thu, 01 Jan 1970 00:01:10 GMT; Path=/"
    expected = (f"AWSALB{pair}", f"AWSALBCORS{pair}; SameSite=None; Secure")
    assert renewed(Stickiness(60, cookie=ALB_COOKIE), "i-1:80", (), 10) == expected
    beside = Stickiness(60, "session", ALB_APPLICATION_COOKIE)
    assert renewed(beside, "i-1:80", ("theme",), 10) == ()
    assert renewed(beside, "i-1:80", ("session",), 10) == (f"AWSALBAPP-0{pair}",)
