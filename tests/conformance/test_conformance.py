"""Whatever an emulator does in a random program of calls, the models can do."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, cast

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)

from sim.aws.sqs_queue import Message
from sim.host.waiting import until
from tests.conformance.checked import NotAllowed, Refused
from tests.conformance.departures import DEPARTURES, Departure
from tests.conformance.emulators import MAX_RECEIVE_COUNT, VISIBILITY_TIMEOUT, Emulator

# A program is not shrunk: it takes real time, and is short.
PROGRAMS = settings(max_examples=6, stateful_step_count=30, phases=[Phase.generate])
# What the emulators take and AWS refuses is in `departures`, not here.
TEXT = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "Zs"]), min_size=1, max_size=20)
BODIES = TEXT | st.sampled_from(["\t\r\n", "\U0001f600", "<&>'\""])
IDS = ["a", "b", "c-1", "d_2"]
# Not both the same and bad: no page says which of the two errors comes.
ENTRY_IDS = st.lists(st.sampled_from(IDS), max_size=4) | st.lists(
    st.sampled_from([*IDS, "", "a b", "x" * 81]), max_size=4, unique=True
)
SECONDS = st.sampled_from([0, VISIBILITY_TIMEOUT, 30])
MALFORMED = "not a receipt handle"
DRAIN_SECONDS = 10


class SqsPrograms(RuleBasedStateMachine):
    """One queue with a dead-letter queue; receipt handles are kept after their time."""

    handles: Bundle[str] = Bundle("handles")

    def __init__(self, emulator: Emulator) -> None:
        super().__init__()
        self.checked, self.url, self.dead_url = emulator.queue()
        self.names: dict[str, str] = {}

    def call(self, operation: str, **parameters: Any) -> Any:
        return self.checked.call(operation, **{"QueueUrl": self.url, **parameters})

    @rule(body=BODIES, delay=st.sampled_from([0] * 9 + [1]))
    def send(self, body: str, delay: int) -> None:
        self.call("SendMessage", MessageBody=body, DelaySeconds=delay)

    @rule(ids=ENTRY_IDS, body=BODIES)
    def send_batch(self, ids: list[str], body: str) -> None:
        self.call("SendMessageBatch", Entries=[{"Id": name, "MessageBody": body} for name in ids])

    @rule(bodies=st.lists(BODIES, min_size=1, max_size=11))
    def send_large_batch(self, bodies: list[str]) -> None:
        entries = [{"Id": str(number), "MessageBody": body} for number, body in enumerate(bodies)]
        self.call("SendMessageBatch", Entries=entries)

    @rule(target=handles, at_most=st.integers(1, 11), seconds=SECONDS, dead=st.sampled_from([False] * 4 + [True]))
    def receive(self, at_most: int, seconds: int, dead: bool) -> Any:
        url = self.dead_url if dead else self.url
        messages = self.received(QueueUrl=url, MaxNumberOfMessages=at_most, VisibilityTimeout=seconds)
        # The programs settle messages of the queue only.
        return multiple(*(message["ReceiptHandle"] for message in messages if not dead))

    @precondition(lambda self: self.something_comes_soon())
    @rule(target=handles)
    def poll(self) -> Any:
        """The way in which time passes: until what is hidden for a second is visible."""
        messages = self.received(MaxNumberOfMessages=10, WaitTimeSeconds=2 * VISIBILITY_TIMEOUT)
        return multiple(*(message["ReceiptHandle"] for message in messages))

    @rule(handle=handles | st.just(MALFORMED))
    def delete(self, handle: str) -> None:
        if not self.is_dead(handle):
            self.call("DeleteMessage", ReceiptHandle=handle)

    @rule(handles=st.lists(handles, min_size=1, max_size=4, unique=True))
    def delete_batch(self, handles: list[str]) -> None:
        alive = [handle for handle in handles if not self.is_dead(handle)]
        entries = [{"Id": str(number), "ReceiptHandle": handle} for number, handle in enumerate(alive)]
        self.call("DeleteMessageBatch", Entries=entries)

    @rule(handle=handles, seconds=SECONDS)
    def change_visibility(self, handle: str, seconds: int) -> None:
        if self.is_in_flight(handle):
            self.call("ChangeMessageVisibility", ReceiptHandle=handle, VisibilityTimeout=seconds)

    @rule(handle=handles, seconds=SECONDS)
    def change_visibility_batch(self, handle: str, seconds: int) -> None:
        if self.is_in_flight(handle):
            entry = {"Id": "a", "ReceiptHandle": handle, "VisibilityTimeout": seconds}
            self.call("ChangeMessageVisibilityBatch", Entries=[entry])

    @rule()
    def look(self) -> None:
        names = ["QueueArn", "VisibilityTimeout", "DelaySeconds", "MessageRetentionPeriod"]
        self.call("GetQueueAttributes", AttributeNames=names)

    def teardown(self) -> None:
        """What was sent and not deleted is in one of the two queues, and comes."""
        for url in (self.url, self.dead_url):
            self.show_all(url)
        seen: set[str] = set()
        until(
            lambda: self.drained(seen),
            "the messages that were not deleted",
            seconds=DRAIN_SECONDS,
            seen=lambda: f"missing: {self.left() - seen}",
        )

    def show_all(self, url: str) -> None:
        """Makes the messages visible that a receive hid for longer than the drain waits."""
        for message in list(self.checked.queue(url).messages.values()):
            if in_flight(message):
                handle = message.handles[-1]
                self.call("ChangeMessageVisibility", QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=0)

    def drained(self, seen: set[str]) -> bool:
        for url in (self.url, self.dead_url):
            messages = self.received(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=600)
            seen |= {message["MessageId"] for message in messages}
        return self.left() <= seen

    def left(self) -> set[str]:
        return {each for url in (self.url, self.dead_url) for each in self.checked.queue(url).messages}

    def received(self, **parameters: Any) -> list[dict[str, Any]]:
        answer = self.call("ReceiveMessage", AttributeNames=["ApproximateReceiveCount"], **parameters)
        messages: list[dict[str, Any]] = [] if isinstance(answer, Refused) else answer.get("Messages", [])
        self.names |= {message["ReceiptHandle"]: message["MessageId"] for message in messages}
        return messages

    def is_dead(self, handle: str) -> bool:
        """Whether the handle's message has been moved to the dead-letter queue, or is about to be: the next receive
        moves it, and the one that did may have had no answer."""
        name = self.names.get(handle)
        if name in self.checked.queue(self.dead_url).messages:
            return True
        message = self.checked.queue(self.url).messages.get(name or "")
        return message is not None and message.receive_count == MAX_RECEIVE_COUNT and not self.is_in_flight(handle)

    def is_in_flight(self, handle: str) -> bool:
        message = self.checked.queue(self.url).by_handle.get(handle)
        return message is not None and in_flight(message)

    def something_comes_soon(self) -> bool:
        messages = self.checked.queue(self.url).messages.values()
        return any(message.visible_at < time.time() + VISIBILITY_TIMEOUT for message in messages)


def in_flight(message: Message) -> bool:
    """Whether it is in flight for as long as a call takes: the emulators say nothing where it is not."""
    return message.in_flight(time.time() + VISIBILITY_TIMEOUT / 2)


class S3Programs(RuleBasedStateMachine):
    """One bucket with few keys."""

    keys = st.sampled_from(["a", "a/1", "a/2", "b c+d", "B/é&<>%2F"])

    def __init__(self, emulator: Emulator) -> None:
        super().__init__()
        self.checked, self.bucket = emulator.bucket()

    def call(self, operation: str, **parameters: Any) -> None:
        self.checked.call(operation, **{"Bucket": self.bucket, **parameters})

    @rule(
        key=keys,
        body=st.binary(max_size=50),
        more=st.fixed_dictionaries(
            {},
            optional={
                "ContentType": st.sampled_from(["application/json", "text/plain"]),
                "Metadata": st.dictionaries(st.sampled_from(["message-id", "received-at"]), st.just("1.5")),
                "IfNoneMatch": st.just("*"),
            },
        ),
    )
    def put(self, key: str, body: bytes, more: dict[str, Any]) -> None:
        self.call("PutObject", Key=key, Body=body, **more)

    @rule(key=keys)
    def get(self, key: str) -> None:
        self.call("GetObject", Key=key)

    @rule(key=keys)
    def miss(self, key: str) -> None:
        self.call("PutObject", Bucket=f"{self.bucket}-none", Key=key, Body=b"")


class SsmPrograms(RuleBasedStateMachine):
    """Two parameters, of which one is secret."""

    kinds = st.sampled_from(["String", "SecureString"])

    def __init__(self, emulator: Emulator) -> None:
        super().__init__()
        self.checked, self.name = emulator.parameters()

    @rule(kind=kinds, value=TEXT, overwrite=st.booleans(), typed=st.booleans())
    def put(self, kind: str, value: str, overwrite: bool, typed: bool) -> None:
        name = f"{self.name}.{kind}"
        more = {"Type": kind} if typed or name not in self.checked.parameters else {}
        self.checked.call("PutParameter", Name=name, Value=value, Overwrite=overwrite, **more)

    @rule(kind=kinds, version=st.sampled_from(["", ":1", ":2", ":99"]))
    def get(self, kind: str, version: str) -> None:
        self.checked.call("GetParameter", Name=f"{self.name}.{kind}{version}", WithDecryption=True)


@pytest.mark.parametrize("programs", [SqsPrograms, S3Programs, SsmPrograms])
def test_the_model_allows_what_the_emulator_does(
    emulator: Emulator, programs: Callable[[Emulator], RuleBasedStateMachine]
) -> None:
    # Hypothesis takes whatever makes a machine, and says that it must be a class.
    run_state_machine_as_test(cast("type[RuleBasedStateMachine]", lambda: programs(emulator)), settings=PROGRAMS)


@pytest.mark.parametrize("departure", DEPARTURES, ids=lambda departure: departure.what)
def test_a_departure_is_one(emulator: Emulator, departure: Departure) -> None:
    """Each is still there, in those emulators that are named for it and in no other."""
    if emulator.name in departure.emulators:
        with pytest.raises(NotAllowed):
            departure.probe(emulator)
    else:
        departure.probe(emulator)
