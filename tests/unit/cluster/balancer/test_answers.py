"""What a Classic ELB answers by itself."""

from __future__ import annotations

import pytest

from sim.cluster.balancer import answers
from sim.cluster.balancer.answers import AT_CAPACITY, BAD_GATEWAY, BAD_REQUEST, GATEWAY_TIMEOUT, METHOD_NOT_ALLOWED
from tests.unit.cluster.proves import proves


@proves(answers.refused)
def test_a_long_method_and_connect_are_refused() -> None:
    assert answers.refused("A" * 127) is None
    assert answers.refused("A" * 128) == METHOD_NOT_ALLOWED
    assert answers.refused("CONNECT") == BAD_REQUEST


@proves(answers.unanswered)
@pytest.mark.parametrize(
    ("idle", "readable", "answer"),
    [(True, True, GATEWAY_TIMEOUT), (False, True, GATEWAY_TIMEOUT), (False, False, BAD_GATEWAY)],
)
def test_a_target_that_does_not_answer(idle: bool, readable: bool, answer: answers.OwnAnswer) -> None:
    assert answers.unanswered(idle=idle, readable=readable) == answer


def test_the_status_lines_are_those_that_accounts_see() -> None:
    assert (AT_CAPACITY.status, AT_CAPACITY.reason) == (503, "Service Unavailable: Back-end server is at capacity")
    assert (GATEWAY_TIMEOUT.status, GATEWAY_TIMEOUT.reason) == (504, "GATEWAY_TIMEOUT")
    assert ("Cache-Control", "proxy-revalidate") in GATEWAY_TIMEOUT.headers
    assert BAD_REQUEST.closes
    assert not AT_CAPACITY.closes
