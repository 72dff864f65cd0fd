"""SQS and S3 as the worker meets them: the models of a good day, in virtual time, and what a test makes fail."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field

from botocore.awsrequest import AWSPreparedRequest

from services.pipeline import aws
from services.worker.service import assemble
from services.worker.settings import Settings
from services.worker.worker import Worker
from sim.aws.account import Account
from sim.aws.model import Answer, Calm, Wait
from sim.aws.sqs_queue import Message
from sim.aws.wire import Attempt, respond
from sim.history.events import message_id
from sim.world.virtual_time import WorldRuntime
from tests.unit import wire

S3_DOWN = wire.s3_error(503, "ServiceUnavailable")
HOUR = 3600
OUTAGE = 600
"""Ten times the visibility timeout, twice what uses up all receives."""
Fault = Callable[[str, str], wire.Sent | None]


def no_fault(_operation: str, _body: str) -> wire.Sent | None:
    """Everything goes well."""
    return None


def failing(operation: str, sent: wire.Sent) -> Fault:
    """One operation fails."""
    return lambda called, _body: sent if called == operation else None


@dataclass
class Cloud:
    """`fault` sees the operation and body of every call first. It may wait; what it gives is the answer.

    `done` are the puts and deletes in their order, each with the id of its message.
    """

    runtime: WorldRuntime
    settings: Settings
    fault: Fault = no_fault
    calls: list[tuple[float, str]] = field(default_factory=list)
    done: list[tuple[str, str]] = field(default_factory=list)
    signs: list[float] = field(default_factory=list)
    _account: Account = field(default_factory=lambda: Account(max_receive_count=1000))
    _calm: Calm = field(default_factory=Calm)

    def worker(self) -> Worker:
        """A worker before this cloud, not yet started."""
        sqs = aws.client("sqs", wire.REGION, connections=1, attempts=1)
        s3 = aws.client("s3", wire.REGION, connections=1, attempts=1)
        wire.connect(sqs, lambda operation, request: self._answer("sqs", operation, request))
        wire.connect(s3, lambda operation, request: self._answer("s3", operation, request))
        return assemble(self.settings, sqs, s3, lambda: self.signs.append(self.runtime.monotonic()), self.runtime)

    @property
    def messages(self) -> list[Message]:
        """What is in the queue."""
        return list(self._account.queue.messages.values())

    @property
    def objects(self) -> dict[str, str]:
        """The bodies in the bucket by their keys."""
        return {key: each.body.decode() for key, each in self._account.bucket.objects.items()}

    def send(self, *bodies: str) -> None:
        """Puts messages into the queue."""
        for body in bodies:
            self._account.plant(body, now=self.runtime.monotonic())

    def times(self, operation: str) -> list[float]:
        """When an operation was called."""
        return [at for at, called in self.calls if called == operation]

    def _answer(self, service: str, operation: str, request: AWSPreparedRequest) -> wire.Sent:
        self.calls.append((self.runtime.monotonic(), operation))
        if (fault := self.fault(operation, wire.body(request))) is not None:
            return fault
        return respond(service, operation, request, "worker", self._deliver)

    def _deliver(self, call: Attempt) -> Answer:
        if call.service == "s3":
            answer = self._account.s3.call(call.operation, call.parameters, now=self._now(), choose=self._calm)
            self.done.append(("put", message_id(call.parameters["Key"])))
            return answer
        by_handle = self._account.queue.by_handle
        in_hand = [by_handle[each["ReceiptHandle"]] for each in call.parameters.get("Entries", ())]
        answer = self._long_poll(call)
        if call.operation == "DeleteMessageBatch":
            self.done += [("delete", json.loads(message.body)["id"]) for message in in_hand]
        return answer

    def _long_poll(self, call: Attempt) -> Answer:
        waited: Wait | None = None
        while True:
            now = self._now()
            answer = self._account.sqs.call(call.operation, call.parameters, now=now, choose=self._calm, waited=waited)
            if not isinstance(answer, Wait):
                return answer
            waited = answer
            self.runtime.sleep(min(1.0, answer.until - now))

    def _now(self) -> float:
        return self.runtime.monotonic()


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
