"""What the model of SQS holds to, whatever is called and however bad the day: the promises that the worker rests on."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import event, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from sim.aws.model import Freedom, Wait
from sim.aws.sqs import Sqs
from sim.aws.sqs_queue import Queue
from tests.unit.aws.seeded import Seeded

URL, DEAD_URL = "http://sqs.test/1/emails", "http://sqs.test/1/dead"
RETENTION, DEAD_RETENTION = 345_600, 1_209_600
MAX_RECEIVE_COUNT = 3
DRAINED_WITHIN, FOR_EACH = 3_600, 200
"""Seconds of patience, and more for each message, of a consumer that polls every half minute and deletes nothing, so
that what it has had comes again instead of the rest."""


class BadDays(RuleBasedStateMachine):
    """A queue that makes use of any freedom, up to every other time."""

    @initialize(seed=st.integers(0, 2**32), odds=st.dictionaries(st.sampled_from(Freedom), st.floats(0, 0.5)))
    def begin(self, seed: int, odds: dict[Freedom, float]) -> None:
        self.now = 1_000.0
        self.choose = Seeded(random.Random(seed), odds)
        self.dead = Queue(DEAD_URL, "arn:dead", retention_seconds=DEAD_RETENTION)
        self.queue = Queue(
            URL, "arn", retention_seconds=RETENTION, dead_letters=self.dead, max_receive_count=MAX_RECEIVE_COUNT
        )
        self.sqs = Sqs([self.queue, self.dead])
        self.sent: dict[str, tuple[str, float, float]] = {}
        self.handles: dict[str, str] = {}
        self.received: set[str] = set()

    def call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        asked = {"QueueUrl": URL, **parameters}
        answer = self.sqs.call(operation, asked, now=self.now, choose=self.choose)
        while isinstance(answer, Wait):
            assert answer.until > self.now
            assert answer.until <= answer.deadline
            self.now = answer.until
            answer = self.sqs.call(operation, asked, now=self.now, choose=self.choose, waited=answer)
        return answer

    @rule(body=st.text("ab", min_size=1, max_size=3), delay=st.sampled_from([0, 0, 900]))
    def send(self, body: str, delay: int) -> None:
        message_id = self.call("SendMessage", MessageBody=body, DelaySeconds=delay)["MessageId"]
        assert message_id not in self.sent
        self.sent[message_id] = (body, self.now, self.now + delay)

    @rule(bodies=st.lists(st.text("ab", min_size=1, max_size=3), min_size=1, max_size=10))
    def send_batch(self, bodies: list[str]) -> None:
        entries = [{"Id": str(number), "MessageBody": body} for number, body in enumerate(bodies)]
        answer = self.call("SendMessageBatch", Entries=entries)
        results = answer.get("Successful", []), answer.get("Failed", [])
        assert sorted(int(entry["Id"]) for each in results for entry in each) == list(range(len(bodies)))
        for entry in results[0]:
            self.sent[entry["MessageId"]] = (bodies[int(entry["Id"])], self.now, self.now)

    @rule(wait=st.sampled_from([0, 20]), at_most=st.integers(1, 10))
    def receive(self, wait: int, at_most: int, url: str = URL) -> None:
        begun = self.now
        answer = self.call(
            "ReceiveMessage",
            QueueUrl=url,
            WaitTimeSeconds=wait,
            MaxNumberOfMessages=at_most,
            AttributeNames=["ApproximateReceiveCount"],
        )
        messages = answer.get("Messages", [])
        assert len(messages) <= at_most
        assert self.now <= begun + wait
        assert len({message["MessageId"] for message in messages}) == len(messages)
        for message in messages:
            body, sent_at, not_before = self.sent[message["MessageId"]]
            retention = RETENTION if url == URL else DEAD_RETENTION
            assert message["Body"] == body
            assert not_before <= self.now < sent_at + retention
            if url == URL:
                assert int(message["Attributes"]["ApproximateReceiveCount"]) <= MAX_RECEIVE_COUNT
                self.handles[message["MessageId"]] = message["ReceiptHandle"]
            self.received.add(message["MessageId"])

    @rule(draw=st.randoms())
    def delete(self, draw: random.Random) -> None:
        if self.handles:
            message_id = draw.choice(sorted(self.handles))
            self.call("DeleteMessage", ReceiptHandle=self.handles.pop(message_id))

    @rule(seconds=st.sampled_from([1, 31, 3600, RETENTION // 2]))
    def wait(self, seconds: int) -> None:
        self.now += seconds

    @invariant()
    def a_message_is_in_one_place(self) -> None:
        if hasattr(self, "queue"):
            assert not self.queue.messages.keys() & self.dead.messages.keys()
            for queue in (self.queue, self.dead):
                handles = [handle for message in queue.messages.values() for handle in message.handles]
                assert sorted(handles) == sorted(queue.by_handle)

    def teardown(self) -> None:
        """What was sent was received, is a dead letter, or is too old; and what is left comes in bounded time."""
        if not hasattr(self, "queue"):
            return
        begun = self.now
        while (self.queue.messages.keys() | self.dead.messages.keys()) - self.received:
            assert self.now < begun + DRAINED_WITHIN + FOR_EACH * len(self.sent)
            self.now += 31
            for url in (URL, DEAD_URL):
                self.receive(0, 10, url)
        for message_id, (_, sent_at, _) in self.sent.items():
            if message_id not in self.received:
                event("expired")
                assert sent_at + RETENTION <= self.now
        for freedom in self.choose.used:
            event(freedom)


TestBadDays = BadDays.TestCase
TestBadDays.settings = settings(max_examples=200, stateful_step_count=40)


@given(st.integers(1, 43_200), st.sampled_from(["queue", "receive", "change"]), st.floats(0.001, 0.999))
def test_in_calm_a_message_is_hidden_for_its_visibility_timeout_and_no_longer(
    timeout: int, set_by: str, share: float
) -> None:
    queue = Queue(URL, "arn", visibility_timeout=timeout if set_by == "queue" else 30)
    sqs = Sqs([queue])
    calm = Seeded(random.Random(0), {})

    def call(operation: str, now: float, **parameters: Any) -> dict[str, Any]:
        answer = sqs.call(operation, {"QueueUrl": URL, **parameters}, now=now, choose=calm)
        assert not isinstance(answer, Wait)
        return answer

    call("SendMessage", 0.0, MessageBody="a")
    asked = {"VisibilityTimeout": timeout} if set_by == "receive" else {}
    [message] = call("ReceiveMessage", 0.0, **asked)["Messages"]
    if set_by == "change":
        call("ChangeMessageVisibility", 0.0, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=timeout)
    assert "Messages" not in call("ReceiveMessage", timeout * share)
    [again] = call("ReceiveMessage", float(timeout))["Messages"]
    assert again["MessageId"] == message["MessageId"]
