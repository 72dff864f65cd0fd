"""Which tokens are accepted while SSM answers, rotates, refuses or is away; and how seldom it is asked."""

from __future__ import annotations

import logging

import pytest
from botocore.awsrequest import AWSPreparedRequest

from services.api.problems import UNAVAILABLE, Rejection
from services.api.token import Token
from services.pipeline import aws
from sim.world.virtual_time import WorldRuntime
from tests.unit import wire

CACHE_SECONDS = 60
ACCESS_DENIED = wire.error(400, "AccessDeniedException")


class Ssm:
    """One parameter. While `failure` is set, that comes back instead of it."""

    def __init__(self, runtime: WorldRuntime) -> None:
        self.value = "first"
        self.failure: wire.Sent | None = None
        self.seconds = 0.0
        self.asked_at: list[float] = []
        self._runtime = runtime

    def answer(self, operation: str, request: AWSPreparedRequest) -> wire.Sent:
        assert (operation, wire.parameters(request)) == ("GetParameter", {"Name": "/token", "WithDecryption": True})
        self.asked_at.append(self._runtime.monotonic())
        answer = wire.ok({"Parameter": {"Value": self.value}})
        self._runtime.sleep(self.seconds)
        return self.failure or answer


@pytest.fixture
def ssm(runtime: WorldRuntime) -> Ssm:
    return Ssm(runtime)


@pytest.fixture
def token(ssm: Ssm, runtime: WorldRuntime) -> Token:
    client = aws.client("ssm", wire.REGION, connections=1, attempts=1)
    wire.connect(client, ssm.answer)
    return Token(client, "/token", CACHE_SECONDS, runtime)


def assert_cannot_tell(token: Token, candidate: str) -> None:
    with pytest.raises(Rejection) as caught:
        token.accepts(candidate)
    assert caught.value.problem.kind is UNAVAILABLE


def test_the_token_is_accepted(token: Token) -> None:
    assert token.accepts("first")


@pytest.mark.parametrize("candidate", ["", "firs", "first ", "First", "fırst", "\0"])
def test_anything_else_is_not(token: Token, candidate: str) -> None:
    assert not token.accepts(candidate)


def test_a_token_of_any_characters_is_accepted(token: Token, ssm: Ssm) -> None:
    ssm.value = "tøken ✓"
    assert token.accepts("tøken ✓")


def test_a_reading_is_good_for_its_time(token: Token, ssm: Ssm, runtime: WorldRuntime) -> None:
    for _ in range(CACHE_SECONDS * 10):
        assert token.accepts("first")
        runtime.sleep(0.1)
    assert token.accepts("first")
    assert ssm.asked_at == [0, pytest.approx(CACHE_SECONDS)]


def test_a_flood_of_wrong_tokens_asks_once_a_second(token: Token, ssm: Ssm, runtime: WorldRuntime) -> None:
    while runtime.monotonic() < 10:
        assert not token.accepts("wrong")
        assert token.accepts("first")
        runtime.sleep(0.01)
    assert 9 <= len(ssm.asked_at) <= 10


def test_a_rotated_token_works_within_a_second_and_the_old_one_ends(
    token: Token, ssm: Ssm, runtime: WorldRuntime
) -> None:
    assert token.accepts("first")
    ssm.value = "second"
    assert not token.accepts("second"), "SSM was asked in this very second"
    runtime.sleep(1)
    assert token.accepts("second")
    assert not token.accepts("first")


def test_a_token_rotated_while_nobody_comes_ends_with_its_time(token: Token, ssm: Ssm, runtime: WorldRuntime) -> None:
    assert token.accepts("first")
    ssm.value = "second"
    runtime.sleep(CACHE_SECONDS)
    assert not token.accepts("first")


@pytest.mark.parametrize(
    "failure",
    [
        wire.REFUSED_CONNECTION,
        wire.CONNECT_TIMEOUT,
        wire.READ_TIMEOUT,
        wire.EXPIRED_CREDENTIALS,
        KeyError("anything"),
        wire.CLOSED_CONNECTION,
        wire.error(500, "InternalServerError"),
        wire.error(503, "ServiceUnavailable"),
        wire.error(400, "ThrottlingException"),
    ],
    ids=wire.described,
)
def test_while_ssm_is_away_the_token_is_good_for_its_time_and_no_longer(
    token: Token, ssm: Ssm, runtime: WorldRuntime, failure: wire.Sent
) -> None:
    assert token.accepts("first")
    ssm.failure = failure
    while runtime.monotonic() < CACHE_SECONDS - 1:
        assert token.accepts("first")
        if runtime.monotonic() >= 1:
            assert_cannot_tell(token, "wrong")
        runtime.sleep(0.5)
    runtime.sleep(1)
    assert_cannot_tell(token, "first")
    ssm.failure = None
    runtime.sleep(1)
    assert token.accepts("first")


def test_an_ssm_that_is_away_is_asked_once_a_second(token: Token, ssm: Ssm, runtime: WorldRuntime) -> None:
    ssm.failure = wire.REFUSED_CONNECTION
    while runtime.monotonic() < 10:
        assert_cannot_tell(token, "first")
        assert_cannot_tell(token, "wrong")
        runtime.sleep(0.01)
    assert 9 <= len(ssm.asked_at) <= 10


@pytest.mark.parametrize("refusal", [ACCESS_DENIED, wire.error(400, "ParameterNotFound")], ids=wire.described)
def test_once_ssm_has_refused_the_token_is_good_no_more(
    token: Token, ssm: Ssm, runtime: WorldRuntime, refusal: wire.Sent
) -> None:
    assert token.accepts("first")
    runtime.sleep(1)
    ssm.failure = refusal
    assert_cannot_tell(token, "wrong")
    assert_cannot_tell(token, "first")


def test_requests_at_once_wait_for_one_reading(token: Token, ssm: Ssm, runtime: WorldRuntime) -> None:
    accepted: list[bool] = []
    ssm.seconds = 0.5
    for _ in range(20):
        runtime.spawn(lambda: accepted.append(token.accepts("first")))
    runtime.sleep(0.6)
    assert (accepted, ssm.asked_at) == ([True] * 20, [0])


def test_requests_at_once_wait_for_one_failure(token: Token, ssm: Ssm, runtime: WorldRuntime) -> None:
    told: list[str] = []

    def ask() -> None:
        assert_cannot_tell(token, "first")
        told.append("cannot tell")

    ssm.seconds, ssm.failure = 5, wire.READ_TIMEOUT
    for _ in range(20):
        runtime.spawn(ask)
    runtime.sleep(5.1)
    assert (len(told), ssm.asked_at) == (20, [0])


def test_check_tells_whether_the_token_is_known(token: Token, ssm: Ssm, runtime: WorldRuntime) -> None:
    token.check()
    ssm.failure = ACCESS_DENIED
    runtime.sleep(CACHE_SECONDS)
    with pytest.raises(Rejection):
        token.check()


def test_no_token_is_logged(token: Token, ssm: Ssm, runtime: WorldRuntime, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="services")
    assert token.accepts("first")
    runtime.sleep(1)
    ssm.failure = wire.REFUSED_CONNECTION
    assert_cannot_tell(token, "wrong")
    assert [record.message for record in caplog.records] == ["SSM did not give the token"]
    written = str(vars(caplog.records[0]))
    assert "/token" in written
    assert "first" not in written
    assert "wrong" not in written


def test_an_answer_that_was_cut_off_tells_nothing(token: Token, ssm: Ssm) -> None:
    ssm.failure = wire.ok({})
    assert_cannot_tell(token, "first")
