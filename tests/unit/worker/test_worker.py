"""The worker before a queue and a bucket, by the hour: nothing lost, nothing deleted that is not stored."""

from __future__ import annotations

import json
import logging

import pytest

from services.worker.heartbeat import Heartbeat
from services.worker.worker import Worker
from sim.world.virtual_time import WorldRuntime
from tests.unit import wire
from tests.unit.worker.cloud import OUTAGE, S3_DOWN, Cloud, assert_all_stored, failing, ids, no_fault


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
def test_poison_is_neither_stored_nor_deleted_and_its_text_is_not_logged(
    cloud: Cloud, runtime: WorldRuntime, bodies: list[str], body: str, caplog: pytest.LogCaptureFixture
) -> None:
    cloud.send(body, bodies[0], body)
    cloud.worker().start()
    runtime.sleep(cloud.settings.visibility_timeout_seconds - 1)
    assert {id_ for _, id_ in cloud.done} == {*ids(bodies[:1])}
    assert [(message.body, message.receive_count) for message in cloud.messages] == [(body, 1), (body, 1)]
    runtime.sleep(2)
    assert [message.receive_count for message in cloud.messages] == [2, 2], "SQS counts, and moves it in the end"
    [warning, *_] = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert "poison" in warning.message
    assert "s3cret" not in str(vars(warning))


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


def test_the_log_reports_what_was_done(
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
