"""The stub of AWS counts correctly. The figures of a drain depend on it."""

from __future__ import annotations

import json

from bench.account import Account, Ledger


def drain(account: Account, *, times: int = 1) -> Ledger:
    """Receives, stores and deletes two messages; each is stored so many times."""
    account.seed(["a", "b"], now=1.0)
    messages = [json.loads(text) for text in account.receive(10)]
    for message in messages * times:
        account.put_object(f"/bucket/{message['Body']}")
    entries = [{"Id": str(index), "ReceiptHandle": each["ReceiptHandle"]} for index, each in enumerate(messages)]
    account.call("DeleteMessageBatch", {"Entries": entries}, now=3.5)
    return account.ledger()


def test_a_drain_is_timed_and_every_message_is_counted() -> None:
    ledger = drain(Account())
    assert ledger.stored_exactly(2)
    assert not ledger.stored_exactly(3)
    assert ledger.drain_seconds == 2.5
    assert ledger.calls == {"PutObject": 2, "DeleteMessageBatch": 1}


def test_an_object_stored_twice_is_not_stored_exactly_once() -> None:
    assert not drain(Account(), times=2).stored_exactly(2)


def test_a_message_received_twice_is_not_exactly_once() -> None:
    account = Account()
    account.seed(["a"], now=1.0)
    (text,) = account.receive(1)
    handle = json.loads(text)["ReceiptHandle"]
    account.call("ChangeMessageVisibility", {"ReceiptHandle": handle, "VisibilityTimeout": 0}, now=1.0)
    assert account.receive(1) == [text]
    assert account.ledger().received == 2
