"""The AWS account of a world: a queue with its dead-letter queue, a bucket, the token."""

from __future__ import annotations

from dataclasses import dataclass, field

from sim.aws.model import Calm
from sim.aws.s3 import S3, Bucket
from sim.aws.sqs import Sqs
from sim.aws.sqs_queue import Queue
from sim.aws.ssm import Ssm

_QUEUES = "https://sqs.invalid/000000000000"
_ARNS = "arn:aws:sqs:eu-central-1:000000000000"
QUEUE_URL = f"{_QUEUES}/emails"
BUCKET = "emails"
TOKEN_PARAMETER = "/emails/api/token"  # noqa: S105 - the parameter's name


@dataclass
class Account:
    """The models, and what is in them."""

    max_receive_count: int
    dead_letters: Queue = field(init=False)
    queue: Queue = field(init=False)
    bucket: Bucket = field(init=False)

    def __post_init__(self) -> None:
        self.dead_letters = Queue(f"{QUEUE_URL}-dead-letters", f"{_ARNS}:emails-dead-letters")
        self.queue = Queue(
            QUEUE_URL, f"{_ARNS}:emails", max_receive_count=self.max_receive_count, dead_letters=self.dead_letters
        )
        self.bucket = Bucket(BUCKET)
        self.sqs = Sqs([self.queue, self.dead_letters])
        self.s3 = S3([self.bucket])
        self.ssm = Ssm("arn:aws:ssm:eu-central-1:000000000000:parameter")
        self._calm = Calm()
        self.rotate("token-0", now=0)

    def plant(self, body: str, *, now: float) -> None:
        """Puts a message into the queue, past the API; `now` in Unix seconds."""
        self.sqs.call("SendMessage", {"QueueUrl": QUEUE_URL, "MessageBody": body}, now=now, choose=self._calm)

    def rotate(self, token: str, *, now: float) -> None:
        """Replaces the token."""
        put = {"Name": TOKEN_PARAMETER, "Value": token, "Type": "SecureString", "Overwrite": True}
        self.ssm.call("PutParameter", put, now=now, choose=self._calm)

    def forget(self) -> None:
        """Empties the bucket and the dead-letter queue."""
        self.bucket.objects.clear()
        for message in list(self.dead_letters.messages.values()):
            self.dead_letters.remove(message)
