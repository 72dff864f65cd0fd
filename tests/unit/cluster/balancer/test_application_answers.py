"""What an ALB answers by itself."""

from __future__ import annotations

import pytest

from sim.cluster.balancer import application_answers
from sim.cluster.balancer.answers import OwnAnswer
from sim.cluster.balancer.application_answers import (
    BAD_GATEWAY,
    BAD_REQUEST,
    GATEWAY_TIMEOUT,
    METHOD_NOT_ALLOWED,
    UNAVAILABLE,
    URI_TOO_LONG,
    fixed,
    forwarded_too_often,
    nowhere,
    redirected,
    refused,
    too_large,
    unanswered,
    unconnected,
)
from sim.cluster.balancer.listener_rules import Arrived, FixedResponse, Redirect
from tests.unit.cluster.proves import proves

REQUEST = Arrived("HTTP", "shop", 80, "/a", (("b", "c"),))


@proves(application_answers.refused, application_answers._of_a_tunnel)
def test_methods_that_are_not_passed_on() -> None:
    assert refused("TRACE") is METHOD_NOT_ALLOWED
    assert refused("CONNECT") is BAD_REQUEST
    assert refused("PURGE") is None


@proves(application_answers.too_large)
def test_a_request_line_and_a_header_have_16_k_each() -> None:
    assert too_large(16_384, 16_384) is None
    assert too_large(16_385, 0) is URI_TOO_LONG
    assert too_large(1, 16_385) is BAD_REQUEST


@proves(application_answers.forwarded_too_often)
def test_30_addresses_may_have_forwarded_a_request() -> None:
    assert forwarded_too_often(30) is None
    answer = forwarded_too_often(31)
    assert answer is not None
    assert answer.status == 463


@proves(application_answers.unanswered, application_answers.unconnected, application_answers.nowhere)
def test_what_a_target_that_fails_makes() -> None:
    assert unanswered(idle=True, readable=True) is GATEWAY_TIMEOUT
    assert unanswered(idle=False, readable=True) is unanswered(idle=False, readable=False) is BAD_GATEWAY
    assert unconnected(timed_out=True) is GATEWAY_TIMEOUT
    assert unconnected(timed_out=False) is BAD_GATEWAY
    assert nowhere() is UNAVAILABLE


@pytest.mark.parametrize(("answer", "length"), [(UNAVAILABLE, 162), (BAD_GATEWAY, 122), (GATEWAY_TIMEOUT, 132)])
def test_pages_are_as_long_as_accounts_see_them(answer: OwnAnswer, length: int) -> None:
    assert dict(answer.headers)["Content-Length"] == str(len(answer.body)) == str(length)


@proves(application_answers.fixed)
def test_a_fixed_response_is_as_its_action_says() -> None:
    answer = fixed(FixedResponse(404, "application/json", "{}"))
    assert (answer.status, answer.reason, answer.body) == (404, "Not Found", b"{}")
    assert dict(answer.headers)["Content-Type"] == "application/json; charset=utf-8"
    assert fixed(FixedResponse(299)).reason == ""


@proves(application_answers.redirected)
def test_a_redirect_names_the_place() -> None:
    answer = redirected(Redirect("HTTP_301", protocol="HTTPS", port="443"), REQUEST)
    assert (answer.status, answer.reason, len(answer.body)) == (301, "Moved Permanently", 134)
    assert dict(answer.headers)["Location"] == "https://shop:443/a?b=c"
