"""AWS cannot be reached, and then it can: clear answers meanwhile, and recovery without a restart."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from services.pipeline.message import Email
from sim.client.api import ApiAnswer, Client
from sim.client.tracker import EmailTracker
from sim.faults.plan import AwsService
from sim.host.waiting import until
from sim.targets.target import CALLS, FAST, SERVICES, Capability, Target

pytestmark = [pytest.mark.needs(Capability.OBJECTS, Capability.QUEUE, Capability.CUT_AWS), pytest.mark.timeout(180)]


@contextmanager
def outage(target: Target, aws: AwsService) -> Iterator[None]:
    cut_off = [service for service in SERVICES if aws in CALLS[service]]
    for service in cut_off:
        target.cut(service, aws)
    yield
    for service in cut_off:
        target.mend(service, aws)


def assert_unavailable(answer: ApiAnswer) -> None:
    assert (answer.status, answer.document["type"]) == (503, "urn:email-api:problem:unavailable")
    assert int(answer.headers["retry-after"]) > 0


def test_without_sqs_nothing_is_accepted_and_nothing_restarts(
    target: Target, tracker: EmailTracker, client: Client, email: Email
) -> None:
    with outage(target, "sqs"):
        # A call that was under way when the partition began may be answered by a 504: nobody knows.
        until(lambda: client.publish(email).status == 503, "a clear refusal", seconds=30)
        assert_unavailable(client.publish(email))
        assert client.request("GET", "/health").status == 200
        until(lambda: client.request("GET", "/ready").status == 503, "the API not to be ready", seconds=10)
        checks = client.request("GET", "/ready").document["checks"]
        assert isinstance(checks, dict)
        assert checks["queue"] != checks["token"] == "ok"
    until(lambda: client.request("GET", "/ready").status == 200, "the API to be ready", seconds=10)
    tracker.publish(email)
    tracker.verify()


def test_without_ssm_a_token_is_good_no_longer_than_its_time(target: Target, client: Client, email: Email) -> None:
    assert client.publish(email).status == 200
    with outage(target, "ssm"):
        # In the second after SSM was asked, its answer stands for a wrong token too.
        another = Client(target.url, "another")
        until(lambda: another.publish(email).status == 503, "SSM to be asked about another token", seconds=10)
        until(lambda: client.publish(email).status == 503, "the token to be good no more", seconds=10)
    until(lambda: client.publish(email).accepted, "the token to be read again", seconds=10)


@pytest.mark.needs(Capability.DEAD_LETTERS)
def test_an_outage_of_s3_longer_than_all_receives_loses_nothing(
    target: Target, tracker: EmailTracker, emails: list[Email]
) -> None:
    with outage(target, "s3"):
        tracker.publish_all(emails[:30])
        over = time.monotonic() + FAST.visibility_timeout * (FAST.max_receive_count + 1)
        until(lambda: time.monotonic() > over, "every receive to be used up", seconds=60)
        assert not tracker.object_keys()
        assert not target.data_plane.depth().empty
    tracker.verify()


def test_the_worker_comes_back_after_an_outage_of_sqs(
    target: Target, tracker: EmailTracker, emails: list[Email]
) -> None:
    tracker.publish_all(emails[:50])
    with outage(target, "sqs"):
        until(lambda: "ReceiveMessage failed" in target.logs()["worker"], "the worker to see the outage", seconds=20)
    tracker.verify()
