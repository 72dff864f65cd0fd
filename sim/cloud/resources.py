"""The pipeline's resources in AWS: creates them in the local cloud, and reads them."""

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
"""The maximum message size of SQS. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html"""


@dataclass(frozen=True)
class Resources:
    """The names of the resources in AWS."""

    queue_url: str
    dead_letter_queue_url: str
    bucket: str
    prefix: str
    token_parameter: str


@dataclass(frozen=True)
class Provisioned:
    """The resources of a pipeline, and each service's settings without the endpoints of AWS."""

    resources: Resources
    settings: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class StoredObject:
    """An object in the bucket."""

    key: str
    body: bytes
    content_type: str
    metadata: dict[str, str]


@dataclass(frozen=True)
class Depth:
    """The number of messages in a queue: visible, and in flight (received but not deleted)."""

    visible: int
    in_flight: int

    @property
    def empty(self) -> bool:
        """True if nothing is visible or in flight."""
        return self.visible == self.in_flight == 0


class DataPlane:
    """The pipeline's resources in SQS, S3 and SSM, behind one endpoint."""

    def __init__(self, endpoint: str, resources: Resources, session: boto3.Session | None = None) -> None:
        """With an endpoint of "", the settings of `session` decide where AWS is."""
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
        """Creates what is missing of the queue, its dead-letter queue, the bucket and the token.

        `token` replaces an existing token. Without it, an existing token stays, and a missing one is generated.
        """
        names = self.resources
        dead = self.sqs.create_queue(QueueName=_name(names.dead_letter_queue_url))["QueueUrl"]
        arn = self.sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        redrive = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": max_receive_count})
        # CreateQueue with attributes refuses an existing queue whose attributes differ.
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
        """The token that clients must send."""
        answer = self.ssm.get_parameter(Name=self.resources.token_parameter, WithDecryption=True)
        return answer["Parameter"]["Value"]

    def rotate_token(self) -> str:
        """Replaces the token by a new one, and returns it."""
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
        """The object with this key."""
        answer = self.s3.get_object(Bucket=self.resources.bucket, Key=key)
        return StoredObject(key, answer["Body"].read(), answer["ContentType"], answer["Metadata"])

    def send(self, body: str) -> str:
        """Sends a message with any body to the queue, bypassing the API. Returns its SQS message id."""
        return self.sqs.send_message(QueueUrl=self.resources.queue_url, MessageBody=body)["MessageId"]

    def dead_letters(self) -> Iterator[str]:
        """The bodies in the dead-letter queue. The messages stay in the queue."""
        url = self.resources.dead_letter_queue_url
        taken = []
        try:
            while messages := self.sqs.receive_message(
                QueueUrl=url,
                MaxNumberOfMessages=_BATCH,
                VisibilityTimeout=60,
                # Production's Terraform has its queues wait for messages. LocalStack is one server, so none is missed.
                WaitTimeSeconds=0,
            ).get("Messages"):
                taken += messages
                yield from (message["Body"] for message in messages)
        finally:
            for message in taken:
                self.sqs.change_message_visibility(
                    QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
                )

    def message_max_bytes(self) -> int:
        """The maximum message size of the queue, in bytes."""
        wanted = self.sqs.get_queue_attributes(QueueUrl=self.resources.queue_url, AttributeNames=["MaximumMessageSize"])
        return int(wanted["Attributes"]["MaximumMessageSize"])

    def depth(self) -> Depth:
        """The number of messages in the queue."""
        return self._depth(self.resources.queue_url)

    def dead_letter_depth(self) -> Depth:
        """The number of messages in the dead-letter queue."""
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
    """The names that the kit uses when Terraform does not create the resources."""
    queues = f"{endpoint}/{ACCOUNT}"
    return Resources(
        queue_url=f"{queues}/emails",
        dead_letter_queue_url=f"{queues}/emails-dead-letters",
        bucket="emails",
        prefix="emails/",
        token_parameter="/emails/api/token",  # noqa: S106 - the parameter's name
    )


def data_plane_of(environ: Mapping[str, str]) -> DataPlane:
    """The local cloud at AWS_ENDPOINT_URL, which AWS SDKs use too. Raises SimError if it is not set.

    https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
    """
    endpoint = environ.get("AWS_ENDPOINT_URL")
    if not endpoint:
        raise SimError(
            "AWS_ENDPOINT_URL is not set: set it to the address of LocalStack, such as http://localhost:4566"
        )
    return DataPlane(endpoint, local_resources(endpoint))


def _new_token() -> str:
    return secrets.token_urlsafe(24)


def _name(queue_url: str) -> str:
    return queue_url.rpartition("/")[2]
