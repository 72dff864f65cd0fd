"""The emulators: LocalStack as the kit runs it, and moto in this process."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.config import Config
from moto import mock_aws

from sim.aws.s3 import S3, Bucket
from sim.aws.sqs import Sqs
from sim.aws.sqs_queue import Queue
from sim.aws.ssm import Ssm
from sim.cloud.aws_client import REGION
from sim.cloud.local import LocalCloud
from sim.host.cleanup import Cleanup
from tests.conformance.checked import Checked

VISIBILITY_TIMEOUT = 1
MAX_RECEIVE_COUNT = 3
_CONFIG = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}, parameter_validation=False)


@dataclass
class Emulator:
    """One emulator's clients. Every program has queues, a bucket and names of its own."""

    name: str
    sqs: Any
    s3: Any
    ssm: Any
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def queue(self) -> tuple[Checked, str, str]:
        """A new queue with a dead-letter queue, and their URLs."""
        name = f"emails-{next(self.numbers)}"
        dead_url = self.sqs.create_queue(QueueName=f"{name}-dead")["QueueUrl"]
        dead_arn = self._arn(dead_url)
        redrive = {"deadLetterTargetArn": dead_arn, "maxReceiveCount": MAX_RECEIVE_COUNT}
        attributes = {"VisibilityTimeout": str(VISIBILITY_TIMEOUT), "RedrivePolicy": json.dumps(redrive)}
        url = self.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        dead = Queue(dead_url, dead_arn)
        queue = Queue(
            url,
            self._arn(url),
            visibility_timeout=VISIBILITY_TIMEOUT,
            dead_letters=dead,
            max_receive_count=MAX_RECEIVE_COUNT,
        )
        return Checked(self.sqs, Sqs([queue, dead])), url, dead_url

    def bucket(self) -> tuple[Checked, str]:
        """A new bucket, and its name."""
        name = f"emails-{next(self.numbers)}"
        self.s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
        return Checked(self.s3, S3([Bucket(name)])), name

    def parameters(self) -> tuple[Checked, str]:
        """The store, and a name under which nothing is."""
        return Checked(self.ssm, Ssm("arn")), f"emails-{next(self.numbers)}"

    def _arn(self, url: str) -> str:
        answer = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        arn: str = answer["Attributes"]["QueueArn"]
        return arn


@contextmanager
def localstack() -> Iterator[Emulator]:
    """LocalStack as a process."""
    with Cleanup() as cleanup:
        # The clients go to LocalStack straight; but a gateway has a port at least.
        cloud = LocalCloud(cleanup, ("tests-sqs",), lambda _text: None)
        try:
            cloud.open()
            cloud.prepare(visibility_timeout=30, max_receive_count=3)
            yield _emulator("LocalStack", endpoint_url=cloud.endpoint)
        finally:
            cloud.stop()


@contextmanager
def moto() -> Iterator[Emulator]:
    """moto, which answers the clients of this process while it is in use."""
    with mock_aws():
        yield _emulator("moto")


def _emulator(name: str, **options: str) -> Emulator:
    # A session of its own: moto acts on those that are made while it is in use, and boto3 keeps a default one.
    session = boto3.Session(
        region_name=REGION, aws_access_key_id="000000000000", aws_secret_access_key=os.urandom(4).hex()
    )
    sqs, s3, ssm = (session.client(each, config=_CONFIG, **options) for each in ("sqs", "s3", "ssm"))  # type: ignore[call-overload]
    return Emulator(name, sqs, s3, ssm)
