"""How received messages are settled when SQS fails in whole or in part."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from services.pipeline import aws
from services.worker.queue import Queue, Received
from services.worker.settings import Settings
from sim.world.virtual_time import WorldRuntime
from tests.unit import wire

MESSAGES = [Received(f"id {letter}", f"handle {letter}", f"body {letter}", 1) for letter in "abc"]


class Sqs:
    """Fails those of the entries that `fails` names by receipt handle, and then forgets."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.fails: list[set[str] | wire.Sent] = []

    def answer(self, operation: str, request: Any) -> wire.Sent:
        call = wire.parameters(request)
        self.calls.append((operation, call))
        fails = self.fails.pop(0) if self.fails else set()
        if not isinstance(fails, set):
            return fails
        failed = [entry["Id"] for entry in call["Entries"] if entry["ReceiptHandle"] in fails]
        return wire.ok(
            {
                "Successful": [{"Id": entry["Id"]} for entry in call["Entries"] if entry["Id"] not in failed],
                "Failed": [{"Id": id_, "Code": "ReceiptHandleIsInvalid", "SenderFault": True} for id_ in failed],
            }
        )

    def handles(self) -> list[list[str]]:
        return [[entry["ReceiptHandle"] for entry in call["Entries"]] for _, call in self.calls]


@pytest.fixture
def sqs() -> Sqs:
    return Sqs()


@pytest.fixture
def connected(settings: Settings, runtime: WorldRuntime) -> Callable[[wire.Answer], Queue]:
    def connect(answer: wire.Answer) -> Queue:
        client = aws.client("sqs", wire.REGION, connections=1, attempts=1)
        wire.connect(client, answer)
        return Queue(client, settings, runtime)

    return connect


@pytest.fixture
def queue(sqs: Sqs, connected: Callable[[wire.Answer], Queue]) -> Queue:
    return connected(sqs.answer)


class Attempts:
    """Counts them."""

    def __init__(self) -> None:
        self.number = 0

    def __call__(self) -> None:
        self.number += 1


def test_a_receive_asks_as_it_is_set_and_gives_what_came(connected: Callable[[wire.Answer], Queue]) -> None:
    asked: list[dict[str, Any]] = []

    def answer(_operation: str, request: Any) -> wire.Sent:
        asked.append(wire.parameters(request))
        message = {"MessageId": "i", "ReceiptHandle": "h", "Body": "é", "Attributes": {"ApproximateReceiveCount": "3"}}
        return wire.ok({"Messages": [message]})

    assert connected(answer).receive() == [Received("i", "h", "é", 3)]
    [call] = asked
    assert (call["MaxNumberOfMessages"], call["WaitTimeSeconds"], call["VisibilityTimeout"]) == (10, 20, 60)


def test_a_receive_of_nothing_is_empty(connected: Callable[[wire.Answer], Queue]) -> None:
    assert connected(lambda *_: wire.ok({})).receive() == []


def test_all_are_deleted_in_one_call(sqs: Sqs, queue: Queue) -> None:
    attempts = Attempts()
    assert queue.delete(MESSAGES, attempts) == 3
    assert (sqs.handles(), attempts.number) == ([["handle a", "handle b", "handle c"]], 1)


def test_only_the_entries_that_failed_are_deleted_again(sqs: Sqs, queue: Queue) -> None:
    sqs.fails = [{"handle a", "handle c"}, {"handle c"}]
    assert queue.delete(MESSAGES, Attempts()) == 3
    assert sqs.handles() == [["handle a", "handle b", "handle c"], ["handle a", "handle c"], ["handle c"]]


@pytest.mark.parametrize(
    "failure", [wire.REFUSED_CONNECTION, wire.READ_TIMEOUT, wire.error(500, "x"), wire.Reply(200)], ids=wire.described
)
def test_after_a_call_that_failed_all_are_deleted_again(sqs: Sqs, queue: Queue, failure: wire.Sent) -> None:
    sqs.fails = [failure]
    assert queue.delete(MESSAGES, Attempts()) == 3
    assert sqs.handles() == [["handle a", "handle b", "handle c"]] * 2


def test_deleting_is_given_up_after_four_attempts_within_seconds(sqs: Sqs, queue: Queue, runtime: WorldRuntime) -> None:
    attempts = Attempts()
    sqs.fails = [{"handle b"}] * 9
    assert queue.delete(MESSAGES, attempts) == 2
    assert (len(sqs.calls), attempts.number) == (4, 4)
    assert 0 < runtime.monotonic() < 3


def test_nothing_to_settle_is_no_call(sqs: Sqs, queue: Queue) -> None:
    assert queue.delete([], Attempts()) == 0
    queue.keep([])
    queue.give_back([])
    assert sqs.calls == []


@pytest.mark.parametrize(("settle", "seconds"), [(Queue.keep, 60), (Queue.give_back, 0)])
def test_the_visibility_timeout_of_what_is_kept_starts_anew_and_of_what_is_given_back_ends(
    sqs: Sqs, queue: Queue, settle: Callable[[Queue, list[Received]], None], seconds: int
) -> None:
    settle(queue, MESSAGES)
    [(operation, call)] = sqs.calls
    assert operation == "ChangeMessageVisibilityBatch"
    assert [(entry["ReceiptHandle"], entry["VisibilityTimeout"]) for entry in call["Entries"]] == [
        (message.receipt_handle, seconds) for message in MESSAGES
    ]


@pytest.mark.parametrize("failure", [{"handle b"}, wire.READ_TIMEOUT], ids=["of an entry", "of the call"])
def test_a_visibility_timeout_that_cannot_be_changed_is_told_and_borne(
    sqs: Sqs, queue: Queue, failure: set[str] | wire.Sent, caplog: pytest.LogCaptureFixture
) -> None:
    sqs.fails = [failure]
    queue.keep(MESSAGES)
    [told] = caplog.records
    assert "ChangeMessageVisibilityBatch failed" in told.message
    assert "body" not in json.dumps(vars(told), default=str)
