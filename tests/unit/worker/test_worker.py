"""The worker before a queue and a bucket, by the hour: nothing lost, nothing deleted that is not stored."""

from __future__ import annotations

import json
import logging
from collections import Counter
from itertools import pairwise

import pytest

from services.pipeline.message import Email, Message
from services.worker.heartbeat import Heartbeat
from services.worker.settings import Settings
from services.worker.worker import Worker
from sim.world.virtual_time import WorldRuntime
from tests.unit import wire
from tests.unit.worker.cloud import S3_DOWN, Cloud, Fault, failing, no_fault

HOUR = 3600
OUTAGE = 600
"""Ten times the visibility timeout, twice what uses up all receives."""


@pytest.fixture
def bodies(email: Email) -> list[str]:
    """Two hundred messages, as the API has written them."""
    return [
        Message(
            id=f"{number:032x}", received_at=0, data=email.model_copy(update={"email_subject": str(number)})
        ).encode()
        for number in range(200)
    ]


def ids(bodies: list[str]) -> list[str]:
    return [json.loads(body)["id"] for body in bodies]


def assert_all_stored(cloud: Cloud, bodies: list[str]) -> None:
    """Each is one object with the e-mail in it, and none is in the queue."""
    stored = {key.rpartition("/")[2].removesuffix(".json"): json.loads(body) for key, body in cloud.objects.items()}
    assert stored == {json.loads(body)["id"]: json.loads(body)["data"] for body in bodies}
    assert cloud.messages == []


def takes(seconds: float, runtime: WorldRuntime) -> Fault:
    """S3 takes its time for every put."""

    def fault(operation: str, _body: str) -> None:
        if operation == "PutObject":
            runtime.sleep(seconds)

    return fault


def test_every_message_is_stored_and_then_deleted(cloud: Cloud, runtime: WorldRuntime, bodies: list[str]) -> None:
    cloud.send(*bodies)
    cloud.worker().start()
    runtime.sleep(60)
    assert_all_stored(cloud, bodies)
    assert len(cloud.done) == 2 * len(bodies)
    for id_ in ids(bodies):
        assert cloud.done.index(("put", id_)) < cloud.done.index(("delete", id_))


def test_a_message_is_not_deleted_while_its_object_is_not_confirmed(
    cloud: Cloud, runtime: WorldRuntime, bodies: list[str]
) -> None:
    [unlucky] = ids(bodies[3:4])

    def fault(operation: str, body: str) -> wire.Sent | None:
        return wire.READ_TIMEOUT if operation == "PutObject" and json.loads(body)["email_subject"] == "3" else None

    cloud.fault = fault
    cloud.send(*bodies[:10])
    worker = cloud.worker()
    worker.start()
    runtime.sleep(600)
    worker.stop()
    assert worker.wait_stopped(25)
    assert {id_ for _, id_ in cloud.done} == set(ids(bodies[:10])) - {unlucky}
    assert ids([message.body for message in cloud.messages]) == [unlucky]


def test_an_outage_of_s3_is_sat_out_with_the_messages_in_hand(
    cloud: Cloud, runtime: WorldRuntime, bodies: list[str]
) -> None:
    cloud.send(*bodies[:12])
    cloud.fault = failing("PutObject", S3_DOWN)
    cloud.worker().start()
    cloud.worker().start()
    runtime.sleep(OUTAGE)
    assert {message.receive_count for message in cloud.messages} == {1}, (
        "an outage must not use up a message's receives"
    )
    cloud.fault = no_fault
    runtime.sleep(15)
    assert_all_stored(cloud, bodies[:12])


def test_a_stored_message_stays_in_hand_until_the_rest_of_its_batch_is_done(
    cloud: Cloud, runtime: WorldRuntime, bodies: list[str]
) -> None:
    cloud.fault = lambda _operation, body: S3_DOWN if '"email_subject":"3"' in body else None
    cloud.send(*bodies[:10])
    cloud.worker().start()
    cloud.worker().start()
    runtime.sleep(OUTAGE)
    cloud.fault = no_fault
    runtime.sleep(15)
    assert_all_stored(cloud, bodies[:10])
    assert len(cloud.done) == 2 * 10, "each was put and deleted once, by the worker that had it first"


def test_puts_are_tried_again_ever_more_seldom(cloud: Cloud, runtime: WorldRuntime, bodies: list[str]) -> None:
    cloud.fault = failing("PutObject", S3_DOWN)
    cloud.send(bodies[0])
    cloud.worker().start()
    runtime.sleep(OUTAGE)
    tries = cloud.times("PutObject")
    assert 3 < len([at for at in tries if at < 10]) < 20
    assert OUTAGE / 10 < len(tries) < OUTAGE / 3


@pytest.mark.parametrize("body", [" ", "[]", '{"id": "../../outside"}', "s3cret"])
def test_poison_is_neither_stored_nor_deleted_nor_told(
    cloud: Cloud, runtime: WorldRuntime, bodies: list[str], body: str, caplog: pytest.LogCaptureFixture
) -> None:
    cloud.send(body, bodies[0], body)
    cloud.worker().start()
    runtime.sleep(cloud.settings.visibility_timeout_seconds - 1)
    assert {id_ for _, id_ in cloud.done} == {*ids(bodies[:1])}
    assert [(message.body, message.receive_count) for message in cloud.messages] == [(body, 1), (body, 1)]
    runtime.sleep(2)
    assert [message.receive_count for message in cloud.messages] == [2, 2], "SQS counts, and moves it in the end"
    [told, *_] = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert "poison" in told.message
    assert "s3cret" not in str(vars(told))


def test_what_could_not_be_deleted_comes_again_and_ends_as_the_same_object(
    cloud: Cloud, runtime: WorldRuntime, bodies: list[str]
) -> None:
    cloud.fault = failing("DeleteMessageBatch", wire.REFUSED_CONNECTION)
    cloud.send(*bodies[:3])
    cloud.worker().start()
    runtime.sleep(30)
    cloud.fault = no_fault
    runtime.sleep(90)
    assert_all_stored(cloud, bodies[:3])
    assert cloud.done.count(("put", ids(bodies)[0])) == 2


def test_an_outage_of_sqs_is_sat_out(cloud: Cloud, runtime: WorldRuntime, bodies: list[str]) -> None:
    cloud.fault = failing("ReceiveMessage", wire.REFUSED_CONNECTION)
    cloud.send(*bodies[:3])
    cloud.worker().start()
    runtime.sleep(OUTAGE)
    assert OUTAGE / 10 < len(cloud.times("ReceiveMessage")) < OUTAGE / 3
    cloud.fault = no_fault
    runtime.sleep(15)
    assert_all_stored(cloud, bodies[:3])


def test_an_answer_of_sqs_that_cannot_be_read_is_survived(
    cloud: Cloud, runtime: WorldRuntime, bodies: list[str]
) -> None:
    cloud.fault = failing("ReceiveMessage", wire.Reply(200, b'{"Messages": [{"Body": "\xc3'))
    cloud.send(*bodies[:3])
    cloud.worker().start()
    runtime.sleep(60)
    cloud.fault = no_fault
    runtime.sleep(15)
    assert_all_stored(cloud, bodies[:3])


@pytest.mark.parametrize("operation", ["ReceiveMessage", "PutObject", "DeleteMessageBatch"])
@pytest.mark.parametrize(
    "sent", [wire.EXPIRED_CREDENTIALS, KeyError("anything"), wire.Reply(400, b"<no XML")], ids=["expired", "any", "cut"]
)
def test_a_poller_goes_on_after_any_error_ever_more_seldom_and_reports_it(
    cloud: Cloud,
    runtime: WorldRuntime,
    bodies: list[str],
    caplog: pytest.LogCaptureFixture,
    operation: str,
    sent: wire.Sent,
) -> None:
    cloud.fault = failing(operation, sent)
    cloud.send(*bodies[:3])
    cloud.worker().start()
    runtime.sleep(OUTAGE)
    assert 0 < len(cloud.times(operation)) < OUTAGE
    assert f"{operation} failed" in caplog.messages
    cloud.fault = no_fault
    runtime.sleep(cloud.settings.visibility_timeout_seconds + 15)
    assert_all_stored(cloud, bodies[:3])
    assert not cloud.messages


def test_a_poller_goes_on_after_an_error_of_its_own(
    cloud: Cloud, runtime: WorldRuntime, bodies: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud.send(*bodies[:3])
    with monkeypatch.context() as broken:
        broken.setattr(Worker, "_handle", lambda *_: 1 / 0)
        worker = cloud.worker()
        worker.start()
        runtime.sleep(30)
    runtime.sleep(cloud.settings.visibility_timeout_seconds + 15)
    assert_all_stored(cloud, bodies[:3])
    worker.stop()
    assert worker.wait_stopped(1)


def test_a_worker_that_cannot_show_that_it_lives_does_not_go_on(
    cloud: Cloud, runtime: WorldRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(Heartbeat, "beat", fail)
    cloud.worker().start()
    with pytest.raises(OSError, match="no space"):
        runtime.sleep(1)


def test_stop_ends_an_idle_worker_at_once(cloud: Cloud, runtime: WorldRuntime) -> None:
    worker = cloud.worker()
    worker.start()
    runtime.sleep(1)
    worker.stop()
    assert worker.wait_stopped(25)
    assert runtime.monotonic() == 1, "a long poll was under way"


def test_stop_lets_what_is_being_stored_be_finished(cloud: Cloud, runtime: WorldRuntime, bodies: list[str]) -> None:
    cloud.fault = takes(3, runtime)
    cloud.send(*bodies[:5])
    worker = cloud.worker()
    worker.start()
    runtime.sleep(1)
    worker.stop()
    assert worker.wait_stopped(25)
    assert runtime.monotonic() == 3
    assert_all_stored(cloud, bodies[:5])


def test_stop_gives_back_what_cannot_be_stored(cloud: Cloud, runtime: WorldRuntime, bodies: list[str]) -> None:
    cloud.fault = failing("PutObject", S3_DOWN)
    cloud.send(*bodies[:5])
    worker = cloud.worker()
    worker.start()
    runtime.sleep(300)
    worker.stop()
    assert worker.wait_stopped(25)
    assert runtime.monotonic() == 300
    assert [message.visible_at for message in cloud.messages] == [300] * 5, "another worker can have them now"
    assert cloud.done == []


def test_stop_gives_back_what_a_long_poll_still_brings(cloud: Cloud, runtime: WorldRuntime, bodies: list[str]) -> None:
    worker = cloud.worker()
    worker.start()
    runtime.sleep(5)
    worker.stop()
    cloud.send(*bodies[:5])
    runtime.sleep(20)
    assert [(message.receive_count, message.visible_at) for message in cloud.messages] == [(1, 5)] * 5
    assert cloud.done == []
    assert cloud.times("ReceiveMessage") == [0], "no new receive"


def test_hands_that_are_not_empty_in_time_are_told(cloud: Cloud, runtime: WorldRuntime, bodies: list[str]) -> None:
    cloud.fault = takes(HOUR, runtime)
    cloud.send(bodies[0])
    worker = cloud.worker()
    worker.start()
    runtime.sleep(1)
    worker.stop()
    assert not worker.wait_stopped(25)
    assert runtime.monotonic() == 26


def test_a_deep_queue_is_drained_by_all_pollers_at_once(cloud: Cloud, runtime: WorldRuntime, bodies: list[str]) -> None:
    cloud.fault = takes(1, runtime)
    cloud.send(*bodies)
    cloud.worker().start()
    runtime.sleep(10)
    assert_all_stored(cloud, bodies)
    at_once = cloud.settings.pollers * cloud.settings.receive_batch_size
    assert Counter(cloud.times("PutObject")) == dict.fromkeys(range(len(bodies) // at_once), at_once)


def test_a_full_receive_opens_another_poller_and_an_empty_one_closes_it(
    cloud: Cloud, runtime: WorldRuntime, bodies: list[str]
) -> None:
    cloud.fault = takes(15, runtime)
    cloud.send(*bodies[:10])
    cloud.worker().start()
    runtime.sleep(60)
    assert cloud.times("ReceiveMessage") == [0, 0, 15, 35, 55]


def test_a_receive_that_is_not_full_opens_none(cloud: Cloud, runtime: WorldRuntime, bodies: list[str]) -> None:
    cloud.fault = takes(15, runtime)
    cloud.send(*bodies[:9])
    cloud.worker().start()
    runtime.sleep(20)
    assert cloud.times("ReceiveMessage") == [0, 15]


def test_a_message_that_cannot_be_stored_holds_up_no_other(
    cloud: Cloud, runtime: WorldRuntime, bodies: list[str]
) -> None:
    def fault(operation: str, body: str) -> wire.Sent | None:
        return S3_DOWN if operation == "PutObject" and '"email_subject":"0"' in body else None

    cloud.fault = fault
    cloud.send(bodies[0])
    cloud.worker().start()
    runtime.sleep(cloud.settings.visibility_timeout_seconds)
    cloud.send(*bodies[1:])
    runtime.sleep(cloud.settings.receive_wait_seconds)
    assert len(cloud.objects) == len(bodies) - 1


def test_an_empty_queue_is_polled_by_one_that_never_ends(
    cloud: Cloud, runtime: WorldRuntime, bodies: list[str]
) -> None:
    cloud.send(*bodies)
    cloud.worker().start()
    runtime.sleep(60)
    polls = len(cloud.times("ReceiveMessage"))
    runtime.sleep(HOUR)
    assert len(cloud.times("ReceiveMessage")) - polls == HOUR / cloud.settings.receive_wait_seconds
    assert runtime.monotonic() - cloud.signs[-1] <= cloud.settings.receive_wait_seconds, "the others have ended well"
    cloud.send(bodies[0])
    runtime.sleep(20)
    assert_all_stored(cloud, bodies)


def test_the_poll_interval_is_kept(runtime: WorldRuntime, settings: Settings) -> None:
    slow = settings.model_copy(update={"poll_interval_seconds": 7, "receive_wait_seconds": 3})
    cloud = Cloud(runtime, slow)
    cloud.worker().start()
    runtime.sleep(35)
    assert cloud.times("ReceiveMessage") == [0, 10, 20, 30]


@pytest.mark.parametrize(
    ("operation", "read_timeout"), [("PutObject", 5), ("ReceiveMessage", 25), ("DeleteMessageBatch", 25)]
)
def test_an_outage_does_not_look_like_a_stuck_worker(
    cloud: Cloud, runtime: WorldRuntime, bodies: list[str], operation: str, read_timeout: float
) -> None:
    def fault(called: str, _body: str) -> wire.Sent | None:
        if called != operation:
            return None
        runtime.sleep(read_timeout)
        return wire.READ_TIMEOUT

    cloud.fault = fault
    cloud.send(*bodies[:12])
    cloud.worker().start()
    runtime.sleep(OUTAGE)
    silences = [after - before for before, after in pairwise([*cloud.signs, runtime.monotonic()])]
    assert max(silences) < cloud.settings.heartbeat_seconds


@pytest.mark.parametrize(("status", "code"), [(403, "AccessDenied"), (404, "NoSuchBucket")])
def test_a_worker_whose_writes_s3_refuses_for_good_falls_silent_until_they_are_taken(
    cloud: Cloud, runtime: WorldRuntime, bodies: list[str], status: int, code: str
) -> None:
    cloud.fault = failing("PutObject", wire.s3_error(status, code))
    cloud.send(*bodies[:12])
    cloud.worker().start()
    limit = cloud.settings.refused_seconds
    runtime.sleep(limit + cloud.settings.heartbeat_seconds)
    assert limit - 10 < cloud.signs[-1] <= limit + 1, "it lives on while the refusals are young"
    cloud.fault = no_fault
    runtime.sleep(30)
    assert_all_stored(cloud, bodies[:12])
    assert cloud.signs[-1] > limit + cloud.settings.heartbeat_seconds


@pytest.mark.parametrize(
    "answer",
    [
        S3_DOWN,
        wire.s3_error(500, "InternalError"),
        wire.s3_error(503, "SlowDown"),
        wire.s3_error(400, "RequestTimeout"),
        wire.READ_TIMEOUT,
    ],
)
def test_an_outage_of_s3_never_silences_a_worker_even_after_refusals(
    cloud: Cloud, runtime: WorldRuntime, bodies: list[str], answer: wire.Sent
) -> None:
    cloud.fault = failing("PutObject", wire.s3_error(403, "AccessDenied"))
    cloud.send(*bodies[:12])
    cloud.worker().start()
    runtime.sleep(cloud.settings.refused_seconds / 2)
    cloud.fault = failing("PutObject", answer)
    runtime.sleep(4 * cloud.settings.refused_seconds)
    silences = [after - before for before, after in pairwise([*cloud.signs, runtime.monotonic()])]
    assert max(silences) < cloud.settings.heartbeat_seconds


def test_a_poller_that_is_stuck_silences_the_worker(cloud: Cloud, runtime: WorldRuntime, bodies: list[str]) -> None:
    stuck = runtime.event()

    def fault(operation: str, body: str) -> None:
        if operation == "PutObject" and '"email_subject":"3"' in body:
            stuck.wait()

    cloud.fault = fault
    cloud.send(*bodies)
    cloud.worker().start()
    runtime.sleep(HOUR)
    assert cloud.signs[-1] <= cloud.settings.heartbeat_seconds
    assert len(cloud.objects) == len(bodies) - 1, "the others went on"


def test_the_log_tells_what_was_done(
    cloud: Cloud, runtime: WorldRuntime, bodies: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="services.worker")
    cloud.send(*bodies[:3], "poison")
    worker = cloud.worker()
    worker.start()
    runtime.sleep(10)
    worker.stop()
    assert worker.wait_stopped(25)
    told = vars(caplog.records[-1])
    counters = {name: told[name] for name in ("received", "stored", "deleted", "poison", "given_back", "failed_puts")}
    assert counters == {"received": 4, "stored": 3, "deleted": 3, "poison": 1, "given_back": 0, "failed_puts": 0}
    stored = [vars(record) for record in caplog.records if record.message == "stored"]
    assert [record["message_id"] for record in stored] == ids(bodies[:3])
    assert [record["key"] for record in stored] == list(cloud.objects)
