"""What the pipeline needs in AWS: made in the local cloud, and read from it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import boto3

from sim.cloud.aws_client import ACCOUNT, REGION, local_session
from sim.errors import SimError

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_sqs import SQSClient
    from types_boto3_ssm import SSMClient

_BATCH = 10
_LARGEST_BYTES = 1_048_576
"""Of a message in SQS. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html"""


@dataclass(frozen=True)
class Resources:
    """Names in AWS."""

    queue_url: str
    dead_letter_queue_url: str
    bucket: str
    prefix: str
    token_parameter: str


@dataclass(frozen=True)
class Provisioned:
    """What a pipeline runs on: the names in AWS, and each service's settings, but for where it reaches AWS."""

    resources: Resources
    settings: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class StoredObject:
    """An object as it is in the bucket."""

    key: str
    body: bytes
    content_type: str
    metadata: dict[str, str]


@dataclass(frozen=True)
class Depth:
    """How many messages a queue has: waiting, and received but not deleted."""

    visible: int
    in_flight: int

    @property
    def empty(self) -> bool:
        """True if nothing is visible or in flight."""
        return self.visible == self.in_flight == 0


class DataPlane:
    """SQS, S3 and SSM behind one endpoint, as whoever runs the pipeline sees them."""

    def __init__(self, endpoint: str, resources: Resources, session: boto3.Session | None = None) -> None:
        """With a session of one's own, and "" as the endpoint, it is wherever the session's settings lead."""
        self.endpoint = endpoint
        self.resources = resources
        self._session = session or local_session()

    @cached_property
    def sqs(self) -> SQSClient:
        return self._session.client("sqs", endpoint_url=self.endpoint or None)

    @cached_property
    def s3(self) -> S3Client:
        return self._session.client("s3", endpoint_url=self.endpoint or None)

    @cached_property
    def ssm(self) -> SSMClient:
        return self._session.client("ssm", endpoint_url=self.endpoint or None)

    def create(self, *, visibility_timeout: int, max_receive_count: int, token: str | None = None) -> None:
        """Makes what is not there of the queue with its dead-letter queue, the bucket, and the token.

        `token` replaces the one that is there; without it that one stays, and one is generated if none is.
        """
        names = self.resources
        dead = self.sqs.create_queue(QueueName=_name(names.dead_letter_queue_url))["QueueUrl"]
        arn = self.sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        redrive = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": max_receive_count})
        # With attributes, CreateQueue refuses a queue that is there with others.
        self.sqs.set_queue_attributes(
            QueueUrl=self.sqs.create_queue(QueueName=_name(names.queue_url))["QueueUrl"],
            Attributes={
                "VisibilityTimeout": str(visibility_timeout),
                "RedrivePolicy": redrive,
                "MaximumMessageSize": str(_LARGEST_BYTES),
            },
        )
        with suppress(self.s3.exceptions.BucketAlreadyOwnedByYou):
            self.s3.create_bucket(Bucket=names.bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        with suppress(self.ssm.exceptions.ParameterAlreadyExists):
            self._put_token(token or _new_token(), overwrite=token is not None)

    def token(self) -> str:
        """The token that clients must bring."""
        answer = self.ssm.get_parameter(Name=self.resources.token_parameter, WithDecryption=True)
        return answer["Parameter"]["Value"]

    def rotate_token(self) -> str:
        """A new token, in place of the old one."""
        token = _new_token()
        self._put_token(token, overwrite=True)
        return token

    def object_keys(self) -> list[str]:
        """The keys of all objects below the prefix, sorted."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(
            Bucket=self.resources.bucket, Prefix=self.resources.prefix
        )
        return [entry["Key"] for page in pages for entry in page.get("Contents", [])]

    def object(self, key: str) -> StoredObject:
        """One object."""
        answer = self.s3.get_object(Bucket=self.resources.bucket, Key=key)
        return StoredObject(key, answer["Body"].read(), answer["ContentType"], answer["Metadata"])

    def send(self, body: str) -> str:
        """Puts a message of any body into the queue, past the API; its SQS message id."""
        return self.sqs.send_message(QueueUrl=self.resources.queue_url, MessageBody=body)["MessageId"]

    def dead_letters(self) -> Iterator[str]:
        """The bodies in the dead-letter queue. They stay there."""
        url = self.resources.dead_letter_queue_url
        taken = []
        try:
            while messages := self.sqs.receive_message(
                QueueUrl=url, MaxNumberOfMessages=_BATCH, VisibilityTimeout=60
            ).get("Messages"):
                taken += messages
                yield from (message["Body"] for message in messages)
        finally:
            for message in taken:
                self.sqs.change_message_visibility(
                    QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
                )

    def message_max_bytes(self) -> int:
        """What the queue takes in one message."""
        wanted = self.sqs.get_queue_attributes(QueueUrl=self.resources.queue_url, AttributeNames=["MaximumMessageSize"])
        return int(wanted["Attributes"]["MaximumMessageSize"])

    def depth(self) -> Depth:
        """How full the queue is."""
        return self._depth(self.resources.queue_url)

    def dead_letter_depth(self) -> Depth:
        """How full the dead-letter queue is."""
        return self._depth(self.resources.dead_letter_queue_url)

    def _put_token(self, token: str, *, overwrite: bool) -> None:
        parameter = self.resources.token_parameter
        self.ssm.put_parameter(Name=parameter, Value=token, Type="SecureString", Overwrite=overwrite)

    def _depth(self, url: str) -> Depth:
        wanted = self.sqs.get_queue_attributes(
            QueueUrl=url,
            AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
        )["Attributes"]
        return Depth(int(wanted["ApproximateNumberOfMessages"]), int(wanted["ApproximateNumberOfMessagesNotVisible"]))


def local_resources(endpoint: str) -> Resources:
    """The names that the kit gives where no Terraform has given others."""
    queues = f"{endpoint}/{ACCOUNT}"
    return Resources(
        queue_url=f"{queues}/emails",
        dead_letter_queue_url=f"{queues}/emails-dead-letters",
        bucket="emails",
        prefix="emails/",
        token_parameter="/emails/api/token",  # noqa: S106 - the parameter's name
    )


def data_plane_of(environ: Mapping[str, str]) -> DataPlane:
    """The local cloud that AWS_ENDPOINT_URL names, the variable by which an AWS SDK finds it too. Raises SimError.

    https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
    """
    endpoint = environ.get("AWS_ENDPOINT_URL")
    if not endpoint:
        raise SimError("AWS_ENDPOINT_URL is not set: it says where LocalStack is, such as http://localhost:4566")
    return DataPlane(endpoint, local_resources(endpoint))


def _new_token() -> str:
    return secrets.token_urlsafe(24)


def _name(queue_url: str) -> str:
    return queue_url.rpartition("/")[2]
