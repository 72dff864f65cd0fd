"""The whole API in the test's own process, before an SQS that keeps what it is sent and an SSM that holds one token.

Nothing of the API is replaced: its own clients are, and the time of receipt stands still, so that the
size of a message can be known to the byte.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from flask import Flask

from services.api.app import create_app
from services.api.settings import Settings
from services.pipeline.runtime import ThreadRuntime

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient
    from types_boto3_ssm import SSMClient

TOKEN = "a token of this test only"
MESSAGE_MAX_BYTES = 1024
RECEIVED_AT = 1_700_000_000.25


class StoppedClock(ThreadRuntime):
    def time(self) -> float:
        return RECEIVED_AT


@dataclass
class Sqs:
    bodies: list[str] = field(default_factory=list)

    def send_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, str]]) -> dict[str, Any]:
        self.bodies += [entry["MessageBody"] for entry in Entries]
        return {"Successful": [{"Id": entry["Id"]} for entry in Entries], "Failed": []}

    def get_queue_attributes(self, *, QueueUrl: str, AttributeNames: list[str]) -> dict[str, Any]:
        return {}


class Ssm:
    def get_parameter(self, *, Name: str, WithDecryption: bool) -> dict[str, Any]:
        return {"Parameter": {"Value": TOKEN}}


def application(sqs: Sqs) -> Flask:
    settings = Settings(
        aws_region="us-east-1",
        queue_url="http://queue.invalid",
        token_parameter="/token",
        message_max_bytes=MESSAGE_MAX_BYTES,
    )
    return create_app(settings, cast("SQSClient", sqs), cast("SSMClient", Ssm()), StoppedClock(), lambda: False)
