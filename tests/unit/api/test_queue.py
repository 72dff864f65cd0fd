"""What each of a batch's e-mails is answered, whatever SQS does with the batch."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from botocore.awsrequest import AWSPreparedRequest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.api.problems import INTERNAL, UNAVAILABLE, UNKNOWN, Kind, Rejection
from services.api.queue import Answer, Queue
from services.pipeline import aws
from sim.world.virtual_time import WorldRuntime
from tests.unit import wire
from tests.unit.virtual import virtual_runtime

URL = "http://sqs.invalid/queue"

CONFIRMED = "confirmed"
SENDER_FAULT = "sender fault"
RECEIVER_FAULT = "receiver fault"
OMITTED = "omitted"
FATES = st.sampled_from([CONFIRMED, SENDER_FAULT, RECEIVER_FAULT, OMITTED])


def batch(*entries: str) -> wire.Reply:
    """200, with what became of each entry in turn."""
    places: dict[str, list[str]] = {each: [] for each in (CONFIRMED, SENDER_FAULT, RECEIVER_FAULT, OMITTED)}
    for place, entry in enumerate(entries):
        places[entry].append(str(place))
    failed = [(id_, True) for id_ in places[SENDER_FAULT]] + [(id_, False) for id_ in places[RECEIVER_FAULT]]
    return wire.ok(
        {
            "Successful": [{"Id": id_, "MessageId": "m", "MD5OfMessageBody": "d"} for id_ in places[CONFIRMED]],
            "Failed": [{"Id": id_, "SenderFault": fault, "Code": "c"} for id_, fault in failed],
        }
    )


class Sqs:
    """Answers each call with the next of `replies`, and the last again and again; `batches` are the bodies sent."""

    def __init__(self, *replies: wire.Sent) -> None:
        self.batches: list[list[str]] = []
        self._replies = replies

    def answer(self, operation: str, request: AWSPreparedRequest) -> wire.Sent:
        if operation == "SendMessageBatch":
            self.batches.append([entry["MessageBody"] for entry in wire.parameters(request)["Entries"]])
        return self._replies[min(len(self.batches), len(self._replies)) - 1]

    def queue(self, runtime: WorldRuntime) -> Queue:
        client = aws.client("sqs", wire.REGION, connections=1, attempts=1)
        wire.connect(client, self.answer)
        return Queue(client, URL, runtime)


def kinds(answers: Sequence[Answer]) -> list[Kind | None]:
    return [None if answer is None else answer.kind for answer in answers]


def test_what_sqs_confirms_is_accepted_in_one_call(runtime: WorldRuntime) -> None:
    sqs = Sqs(batch(CONFIRMED, CONFIRMED))
    assert sqs.queue(runtime).send(["a", "b"]) == [None, None]
    assert sqs.batches == [["a", "b"]]


def test_credentials_that_have_expired_are_no_fault_of_the_api(runtime: WorldRuntime) -> None:
    queue = Sqs(wire.EXPIRED_CREDENTIALS).queue(runtime)
    assert kinds(queue.send(["a", "b"])) == [UNAVAILABLE, UNAVAILABLE]
    with pytest.raises(Rejection):
        queue.check()


def test_after_any_other_error_nobody_knows_whether_sqs_has_the_message(runtime: WorldRuntime) -> None:
    assert kinds(Sqs(KeyError("anything")).queue(runtime).send(["a"])) == [UNKNOWN]


def test_a_senders_fault_is_internal_and_not_sent_again(runtime: WorldRuntime) -> None:
    sqs = Sqs(batch(CONFIRMED, SENDER_FAULT))
    assert kinds(sqs.queue(runtime).send(["a", "b"])) == [None, INTERNAL]
    assert len(sqs.batches) == 1


def test_only_the_entries_that_failed_are_sent_again(runtime: WorldRuntime) -> None:
    sqs = Sqs(batch(CONFIRMED, RECEIVER_FAULT, SENDER_FAULT, RECEIVER_FAULT), batch(RECEIVER_FAULT, CONFIRMED))
    assert kinds(sqs.queue(runtime).send(["a", "b", "c", "d"])) == [None, UNAVAILABLE, INTERNAL, None]
    assert sqs.batches == [["a", "b", "c", "d"], ["b", "d"]]


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (wire.REFUSED_CONNECTION, UNAVAILABLE),
        (wire.CONNECT_TIMEOUT, UNAVAILABLE),
        (wire.error(503, "ServiceUnavailable"), UNAVAILABLE),
        (wire.error(400, "RequestThrottled"), UNAVAILABLE),
        (wire.error(403, "ThrottlingException"), UNAVAILABLE),
        (wire.error(403, "AccessDenied"), UNAVAILABLE),
        (wire.error(400, "QueueDoesNotExist"), UNAVAILABLE),
        (wire.READ_TIMEOUT, UNKNOWN),
        (wire.CLOSED_CONNECTION, UNKNOWN),
        (wire.error(500, "InternalFailure"), UNKNOWN),
        (wire.Reply(502, b"<html>"), UNKNOWN),
    ],
    ids=wire.described,
)
def test_a_call_that_fails_twice(runtime: WorldRuntime, reply: wire.Sent, kind: Kind) -> None:
    sqs = Sqs(reply)
    assert kinds(sqs.queue(runtime).send(["a", "b"])) == [kind, kind]
    assert sqs.batches == [["a", "b"], ["a", "b"]]


@pytest.mark.parametrize(
    "answer",
    [b"", b'{"Successful": [{"Id": "0", "Mess', b'{"Failed": [{"Id": "0", "Message": "\xc3'],
    ids=["nothing", "cut off", "cut off within a character"],
)
def test_an_answer_that_cannot_be_read_says_nothing_of_an_entry(runtime: WorldRuntime, answer: bytes) -> None:
    sqs = Sqs(wire.Reply(200, answer))
    assert kinds(sqs.queue(runtime).send(["a"])) == [UNKNOWN]


@pytest.mark.parametrize(
    "second", [wire.REFUSED_CONNECTION, batch(SENDER_FAULT), batch(RECEIVER_FAULT)], ids=wire.described
)
def test_what_may_have_been_done_stays_unknown(runtime: WorldRuntime, second: wire.Sent) -> None:
    assert kinds(Sqs(wire.READ_TIMEOUT, second).queue(runtime).send(["a"])) == [UNKNOWN]


def test_what_was_not_done_and_then_may_have_been_is_unknown(runtime: WorldRuntime) -> None:
    assert kinds(Sqs(wire.REFUSED_CONNECTION, wire.READ_TIMEOUT).queue(runtime).send(["a"])) == [UNKNOWN]


@pytest.mark.parametrize(
    "first", [wire.READ_TIMEOUT, wire.REFUSED_CONNECTION, batch(RECEIVER_FAULT)], ids=wire.described
)
def test_a_later_success_wins(runtime: WorldRuntime, first: wire.Sent) -> None:
    assert Sqs(first, batch(CONFIRMED)).queue(runtime).send(["a"]) == [None]


def test_the_second_try_comes_within_half_a_second(runtime: WorldRuntime) -> None:
    Sqs(wire.REFUSED_CONNECTION).queue(runtime).send(["a"])
    assert 0 < runtime.monotonic() <= 0.4


@settings(max_examples=50)
@given(first=st.lists(FATES, min_size=1, max_size=10), data=st.data())
def test_an_email_is_accepted_if_and_only_if_its_own_entry_was_confirmed(first: list[str], data: st.DataObject) -> None:
    again = [place for place, entry in enumerate(first) if entry in {RECEIVER_FAULT, OMITTED}]
    second = data.draw(st.lists(FATES, min_size=len(again), max_size=len(again)))
    confirmed = {place for place, entry in enumerate(first) if entry == CONFIRMED}
    confirmed |= {place for place, entry in zip(again, second, strict=True) if entry == CONFIRMED}
    answers = Sqs(batch(*first), batch(*second)).queue(virtual_runtime()).send([str(n) for n in range(len(first))])
    assert {place for place, answer in enumerate(answers) if answer is None} == confirmed


def test_check_is_quiet_while_the_queue_answers(runtime: WorldRuntime) -> None:
    Sqs(wire.ok({"Attributes": {"QueueArn": "arn"}})).queue(runtime).check()


@pytest.mark.parametrize("reply", [wire.REFUSED_CONNECTION, wire.error(403, "AccessDenied")], ids=wire.described)
def test_check_says_why_the_queue_cannot_be_used(runtime: WorldRuntime, reply: wire.Sent) -> None:
    with pytest.raises(Rejection) as caught:
        Sqs(reply).queue(runtime).check()
    assert caught.value.problem.kind is UNAVAILABLE
