"""SQS by its pages, on a good day."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from sim.aws.model import AwsError, NotModelled, Wait
from sim.aws.sqs import MAX_BYTES
from tests.unit.aws.sqs import DEAD_URL, Service, entries


def test_a_message_is_delivered_with_its_body_count_and_digests() -> None:
    service = Service()
    sent = service.call("SendMessage", MessageBody="hello")
    assert sent["MD5OfMessageBody"] == "5d41402abc4b2a76b9719d911017c592"
    [message] = service.receive()
    assert message["MessageId"] == sent["MessageId"]
    assert message["Body"] == "hello"
    assert message["MD5OfBody"] == "5d41402abc4b2a76b9719d911017c592"
    assert message["Attributes"] == {"ApproximateReceiveCount": "1"}


def test_no_attribute_comes_unasked() -> None:
    service = Service()
    service.send()
    assert "Attributes" not in service.receive(AttributeNames=[])[0]


def test_all_attributes_tell_when_it_was_sent_and_first_received() -> None:
    service = Service()
    service.send()
    service.now += 5
    assert service.receive(AttributeNames=[], MessageSystemAttributeNames=["All"])[0]["Attributes"] == {
        "ApproximateReceiveCount": "1",
        "SentTimestamp": "1000000",
        "ApproximateFirstReceiveTimestamp": "1005000",
    }


def test_a_receive_gives_one_message_unless_asked_for_more_and_in_order() -> None:
    service = Service()
    sent = [service.send() for _ in range(3)]
    assert [message["MessageId"] for message in service.receive(MaxNumberOfMessages=2)] == sent[:2]
    assert len(service.call("ReceiveMessage")["Messages"]) == 1


def test_a_delivered_message_is_hidden_for_the_visibility_timeout() -> None:
    service = Service()
    service.send()
    first = service.handle()
    service.now += 29.9
    assert service.receive() == []
    service.now += 0.1
    [again] = service.receive()
    assert again["Attributes"]["ApproximateReceiveCount"] == "2"
    assert again["ReceiptHandle"] != first


def test_a_receive_may_bring_its_own_visibility_timeout() -> None:
    service = Service()
    service.send()
    service.receive(VisibilityTimeout=0)
    assert len(service.receive(VisibilityTimeout=5)) == 1
    service.now += 4
    assert service.receive() == []


def test_a_deleted_message_is_gone_and_deleting_it_again_succeeds() -> None:
    service = Service()
    service.send()
    handle = service.handle()
    for _ in range(2):
        assert service.call("DeleteMessage", ReceiptHandle=handle) == {}
    service.now += 100
    assert service.receive() == []


def test_a_delete_works_after_the_visibility_timeout() -> None:
    service = Service()
    service.send()
    handle = service.handle()
    service.now += 31
    service.call("DeleteMessage", ReceiptHandle=handle)
    assert service.receive() == []


def test_the_handle_of_an_earlier_delivery_does_not_delete() -> None:
    service = Service()
    service.send()
    stale = service.handle()
    service.now += 31
    current = service.handle()
    service.call("DeleteMessage", ReceiptHandle=stale)
    assert service.queue.messages
    service.call("DeleteMessage", ReceiptHandle=current)
    assert not service.queue.messages


def test_a_message_that_was_delivered_too_often_goes_to_the_dead_letter_queue() -> None:
    service = Service()
    sent = service.send("poison")
    service.receive()
    service.now += 31
    handle = service.handle()
    service.now += 31
    assert service.receive() == []
    [dead] = service.receive(url=DEAD_URL)
    assert (dead["MessageId"], dead["Body"], dead["Attributes"]["ApproximateReceiveCount"]) == (sent, "poison", "3")
    service.call("DeleteMessage", ReceiptHandle=handle)
    assert service.dead.messages, "a handle of the queue is none of its dead-letter queue"


def test_a_message_expires_by_its_age_and_a_dead_letter_by_the_same() -> None:
    service = Service()
    for _ in range(2):
        service.send()
        for _ in range(3):
            service.receive(VisibilityTimeout=0)
        service.now += 345_600
    assert len(service.dead.messages) == 2
    service.now += 1_209_600 - 2 * 345_600
    assert len(service.receive(url=DEAD_URL)) == 1
    assert service.dead.expired == 1
    service.send()
    service.now += 345_600
    assert service.receive() == []
    assert service.queue.expired == 1


def test_a_delayed_message_comes_when_its_delay_is_over() -> None:
    service = Service()
    service.send(DelaySeconds=5)
    assert service.receive() == []
    service.now += 5
    assert len(service.receive()) == 1


def test_a_changed_visibility_counts_from_now() -> None:
    service = Service()
    service.send()
    handle = service.handle()
    service.now += 20
    service.call("ChangeMessageVisibility", ReceiptHandle=handle, VisibilityTimeout=30)
    service.now += 29
    assert service.receive() == []
    service.call("ChangeMessageVisibility", ReceiptHandle=handle, VisibilityTimeout=0)
    assert len(service.receive()) == 1


def test_a_long_poll_waits_for_what_comes_and_no_longer_than_asked() -> None:
    service = Service()
    service.send(DelaySeconds=7)
    waiting = service.ask("ReceiveMessage", WaitTimeSeconds=20)
    assert waiting == Wait(1007, 1020)
    service.now = 1007
    assert isinstance(waiting, Wait)
    answer = service.ask("ReceiveMessage", WaitTimeSeconds=20, waited=waiting)
    assert isinstance(answer, dict)
    assert len(answer["Messages"]) == 1
    waiting = service.ask("ReceiveMessage", WaitTimeSeconds=3)
    assert waiting == Wait(1010, 1010)
    service.now = 1010
    assert isinstance(waiting, Wait)
    assert service.ask("ReceiveMessage", WaitTimeSeconds=3, waited=waiting) == {}


def test_who_waits_can_see_that_a_message_came() -> None:
    service = Service()
    seen = service.queue.changes
    service.send()
    assert service.queue.changes > seen


def test_the_queue_tells_its_attributes_and_counts() -> None:
    service = Service()
    for _ in range(3):
        service.send()
    service.send(DelaySeconds=60)
    service.receive(MaxNumberOfMessages=2)
    assert service.call("GetQueueAttributes", AttributeNames=["All"])["Attributes"] == {
        "QueueArn": "arn:emails",
        "ApproximateNumberOfMessages": "1",
        "ApproximateNumberOfMessagesNotVisible": "2",
        "ApproximateNumberOfMessagesDelayed": "1",
        "VisibilityTimeout": "30",
        "DelaySeconds": "0",
        "ReceiveMessageWaitTimeSeconds": "0",
        "MessageRetentionPeriod": "345600",
        "RedrivePolicy": '{"deadLetterTargetArn": "arn:dead", "maxReceiveCount": 2}',
    }
    assert service.call("GetQueueAttributes", AttributeNames=["QueueArn"]) == {"Attributes": {"QueueArn": "arn:emails"}}


# --- Batches


def test_each_entry_of_a_batch_has_its_own_result() -> None:
    service = Service()
    answer = service.call("SendMessageBatch", Entries=entries("good", "bad\x00", "\ud800", "\ufffe", ""))
    assert [entry["Id"] for entry in answer["Successful"]] == ["0"]
    assert [(entry["Id"], entry["Code"], entry["SenderFault"]) for entry in answer["Failed"]] == [
        ("1", "InvalidMessageContents", True),
        ("2", "InvalidMessageContents", True),
        ("3", "InvalidMessageContents", True),
        ("4", "MissingParameter", True),
    ]
    assert len(service.queue.messages) == 1


def test_batches_delete_and_change_visibility() -> None:
    service = Service()
    service.call("SendMessageBatch", Entries=entries("a", "b"))
    handles = [message["ReceiptHandle"] for message in service.receive()]
    changes = [
        {"Id": str(number), "ReceiptHandle": handle, "VisibilityTimeout": 0} for number, handle in enumerate(handles)
    ]
    answer = service.call("ChangeMessageVisibilityBatch", Entries=changes)
    assert answer == {"Successful": [{"Id": "0"}, {"Id": "1"}]}
    handles = [message["ReceiptHandle"] for message in service.receive()]
    asked = [{"Id": "0", "ReceiptHandle": handles[0]}, {"Id": "1", "ReceiptHandle": "not a handle"}]
    answer = service.call("DeleteMessageBatch", Entries=asked)
    assert answer["Successful"] == [{"Id": "0"}]
    assert [(entry["Id"], entry["Code"]) for entry in answer["Failed"]] == [("1", "ReceiptHandleIsInvalid")]


@pytest.mark.parametrize(
    ("batch", "code"),
    [
        ([], "EmptyBatchRequest"),
        (entries(*"abcdefghijk"), "TooManyEntriesInBatchRequest"),
        ([*entries("a"), *entries("b")], "BatchEntryIdsNotDistinct"),
        ([{"Id": "a b", "MessageBody": "x"}], "InvalidBatchEntryId"),
        (entries("x" * (MAX_BYTES - 1), "é"), "BatchRequestTooLong"),
    ],
)
def test_a_batch_is_refused_as_a_whole(batch: list[dict[str, str]], code: str) -> None:
    service = Service()
    with pytest.raises(AwsError) as refused:
        service.call("SendMessageBatch", Entries=batch)
    assert refused.value.code == f"AWS.SimpleQueueService.{code}"
    assert not service.queue.messages


def test_a_message_may_be_a_mebibyte() -> None:
    service = Service()
    service.call("SendMessageBatch", Entries=entries("x" * (MAX_BYTES - 2), "é"))
    service.send("x" * MAX_BYTES)


# --- Refusals


@pytest.mark.parametrize(
    ("operation", "parameters", "code"),
    [
        ("SendMessage", {"MessageBody": "x" * (MAX_BYTES + 1)}, "InvalidParameterValue"),
        ("SendMessage", {"MessageBody": "\x0b"}, "InvalidMessageContents"),
        ("SendMessage", {"MessageBody": ""}, "MissingParameter"),
        ("SendMessage", {"MessageBody": "x", "DelaySeconds": 901}, "InvalidParameterValue"),
        ("ReceiveMessage", {"MaxNumberOfMessages": 11}, "InvalidParameterValue"),
        ("ReceiveMessage", {"WaitTimeSeconds": 21}, "InvalidParameterValue"),
        ("ReceiveMessage", {"VisibilityTimeout": 43_201}, "InvalidParameterValue"),
        ("DeleteMessage", {"ReceiptHandle": "not a handle"}, "ReceiptHandleIsInvalid"),
        ("ChangeMessageVisibility", {"ReceiptHandle": "0" * 32, "VisibilityTimeout": 1}, "InvalidParameterValue"),
        (
            "SendMessage",
            {"url": "http://sqs.test/1/none", "MessageBody": "x"},
            "AWS.SimpleQueueService.NonExistentQueue",
        ),
    ],
)
def test_a_call_is_refused(operation: str, parameters: Mapping[str, Any], code: str) -> None:
    with pytest.raises(AwsError) as refused:
        Service().call(operation, **parameters)
    assert refused.value.code == code


def test_visibility_changes_only_in_flight_and_up_to_twelve_hours() -> None:
    service = Service()
    service.send()
    handle = service.handle()
    service.now += 10
    with pytest.raises(AwsError, match="InvalidParameterValue"):
        service.call("ChangeMessageVisibility", ReceiptHandle=handle, VisibilityTimeout=43_191)
    service.call("ChangeMessageVisibility", ReceiptHandle=handle, VisibilityTimeout=43_190)
    service.now += 43_190
    with pytest.raises(AwsError, match="MessageNotInflight"):
        service.call("ChangeMessageVisibility", ReceiptHandle=handle, VisibilityTimeout=0)


def test_with_too_many_in_flight_a_short_poll_is_an_error_and_a_long_poll_empty() -> None:
    service = Service()
    service.queue.max_in_flight = 2
    for _ in range(2):
        service.send()
    service.receive()
    service.send()
    with pytest.raises(AwsError, match="OverLimit"):
        service.receive()
    assert service.ask("ReceiveMessage", WaitTimeSeconds=1) == Wait(1001, 1001)


def test_what_is_not_modelled_says_so() -> None:
    with pytest.raises(NotModelled, match="PurgeQueue"):
        Service().call("PurgeQueue")
    with pytest.raises(NotModelled, match="MessageAttributes"):
        Service().call("SendMessage", MessageBody="x", MessageAttributes={})
