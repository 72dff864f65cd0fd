"""A queue of the model, and the calls that its tests make."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

from sim.aws.model import Answer, Calm, Choice, Freedom, Wait
from sim.aws.sqs import Sqs
from sim.aws.sqs_queue import Queue
from tests.unit.aws.seeded import Seeded

URL = "http://sqs.test/000000000000/emails"
DEAD_URL = "http://sqs.test/000000000000/dead"


def always(*freedoms: Freedom) -> Seeded:
    return Seeded(random.Random(7), dict.fromkeys(freedoms, 1.0))


@dataclass
class Service:
    """One queue with its dead-letter queue, and a clock that the test moves."""

    choose: Choice = field(default_factory=Calm)
    now: float = 1000.0

    def __post_init__(self) -> None:
        self.dead = Queue(DEAD_URL, "arn:dead", retention_seconds=1_209_600)
        self.queue = Queue(URL, "arn:emails", dead_letters=self.dead, max_receive_count=2)
        self.sqs = Sqs([self.queue, self.dead])

    def ask(self, operation: str, *, url: str = URL, waited: Wait | None = None, **parameters: Any) -> Answer | Wait:
        return self.sqs.call(
            operation, {"QueueUrl": url, **parameters}, now=self.now, choose=self.choose, waited=waited
        )

    def call(self, operation: str, *, url: str = URL, **parameters: Any) -> Answer:
        answer = self.ask(operation, url=url, **parameters)
        assert not isinstance(answer, Wait)
        return answer

    def send(self, body: str = "hello", **parameters: Any) -> str:
        message_id: str = self.call("SendMessage", MessageBody=body, **parameters)["MessageId"]
        return message_id

    def receive(self, *, url: str = URL, **parameters: Any) -> list[dict[str, Any]]:
        asked = {"MaxNumberOfMessages": 10, "AttributeNames": ["ApproximateReceiveCount"], **parameters}
        messages: list[dict[str, Any]] = self.call("ReceiveMessage", url=url, **asked).get("Messages", [])
        return messages

    def handle(self) -> str:
        [message] = self.receive()
        handle: str = message["ReceiptHandle"]
        return handle


def entries(*bodies: str) -> list[dict[str, str]]:
    return [{"Id": str(number), "MessageBody": body} for number, body in enumerate(bodies)]
