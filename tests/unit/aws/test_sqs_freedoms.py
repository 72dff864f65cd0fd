"""SQS with each freedom that the contract leaves."""

from __future__ import annotations

from sim.aws.model import Freedom, Wait
from tests.unit.aws.sqs import Service, always, entries


def test_a_short_poll_may_miss_what_is_there() -> None:
    service = Service()
    service.send()
    service.choose = always(Freedom.EMPTY_RECEIVE)
    assert service.receive() == []


def test_a_long_poll_may_end_empty_whatever_comes() -> None:
    service = Service(always(Freedom.EMPTY_RECEIVE))
    service.send()
    waiting = service.ask("ReceiveMessage", WaitTimeSeconds=5)
    assert waiting == Wait(1005, 1005, blind=True)
    service.now = 1005
    assert isinstance(waiting, Wait)
    assert service.ask("ReceiveMessage", WaitTimeSeconds=5, waited=waiting) == {}


def test_a_message_in_flight_may_come_again_uncounted_and_makes_the_first_handle_stale() -> None:
    service = Service()
    service.send()
    first = service.handle()
    service.choose = always(Freedom.DUPLICATE_DELIVERY)
    [again] = service.receive()
    assert again["Attributes"]["ApproximateReceiveCount"] == "1"
    service.call("DeleteMessage", ReceiptHandle=first)
    assert service.queue.messages


def test_a_delayed_message_never_comes_early() -> None:
    service = Service(always(Freedom.DUPLICATE_DELIVERY))
    service.send(DelaySeconds=5)
    assert service.receive() == []


def test_the_order_may_change() -> None:
    service = Service(always(Freedom.REORDERING))
    sent = [service.send() for _ in range(10)]
    received = [message["MessageId"] for message in service.receive()]
    assert received
    assert set(received) <= set(sent)
    assert received != sent[: len(received)]


def test_a_delete_may_not_stick_and_the_copy_does_not_count_the_delivery() -> None:
    service = Service(always(Freedom.DELETE_NOT_STICKING))
    service.send()
    for _ in range(5):
        [message] = service.receive()
        assert message["Attributes"]["ApproximateReceiveCount"] == "1"
        service.call("DeleteMessage", ReceiptHandle=message["ReceiptHandle"])
        service.now += 31


def test_a_message_whose_last_delivery_was_forgotten_may_be_delivered_once_more() -> None:
    service = Service()
    service.send()
    for _ in range(2):
        [message] = service.receive()
        service.now += 31
    service.choose = always(Freedom.DELETE_NOT_STICKING)
    service.call("DeleteMessage", ReceiptHandle=message["ReceiptHandle"])
    [again] = service.receive()
    assert again["Attributes"]["ApproximateReceiveCount"] == "2"
    assert not service.dead.messages


def test_a_stale_handle_may_work() -> None:
    service = Service()
    service.send()
    stale = service.handle()
    service.now += 31
    service.receive()
    service.choose = always(Freedom.STALE_HANDLE_WORKS)
    service.call("DeleteMessage", ReceiptHandle=stale)
    assert not service.queue.messages


def test_a_message_may_be_seen_late() -> None:
    service = Service(always(Freedom.DELAYED_DELIVERY))
    service.send()
    assert service.receive() == []
    service.now += 2
    assert len(service.receive()) == 1


def test_entries_may_fail_and_are_then_not_done() -> None:
    service = Service(always(Freedom.PARTIAL_BATCH_FAILURE))
    answer = service.call("SendMessageBatch", Entries=entries("a"))
    assert [(entry["Code"], entry["SenderFault"]) for entry in answer["Failed"]] == [("InternalError", False)]
    assert not service.queue.messages


def test_counts_may_be_behind() -> None:
    service = Service()
    for _ in range(100):
        service.send()
    service.choose = always(Freedom.INEXACT_COUNT)
    answer = service.call("GetQueueAttributes", AttributeNames=["ApproximateNumberOfMessages"])
    assert int(answer["Attributes"]["ApproximateNumberOfMessages"]) < 100


def test_uses_of_a_freedom_are_counted() -> None:
    service = Service(choose := always(Freedom.DELETE_NOT_STICKING))
    service.send()
    service.call("DeleteMessage", ReceiptHandle=service.handle())
    assert choose.used == {Freedom.DELETE_NOT_STICKING: 1}
