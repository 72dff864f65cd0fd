"""The whole API in the process of its test: a request takes a millisecond, and what SQS was sent can be looked at.

Nothing of the API is replaced but the two AWS clients that it is handed, and the clock, which stands still so that
the size of a message is known to the byte.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from flask import Flask

from services.api.app import create_app
from services.api.settings import Settings
from services.pipeline.runtime import ThreadRuntime
from sim.client.api import ApiAnswer
from tests.property.strategies import TOKEN

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient
    from types_boto3_ssm import SSMClient

MESSAGE_MAX_BYTES = 1024
"""The least that the settings allow, so that a message is easily too large."""
RECEIVED_AT = 1_700_000_000.25


class StoppedClock(ThreadRuntime):
    """Real threads at one moment, RECEIVED_AT."""

    def time(self) -> float:
        return RECEIVED_AT


@dataclass
class Sqs:
    """An SQS that takes everything, and keeps the bodies in the order of their coming."""

    bodies: list[str] = field(default_factory=list)

    def send_message_batch(self, *, Entries: list[dict[str, str]], **_asked: object) -> dict[str, Any]:  # noqa: N803 - boto3's
        self.bodies += [entry["MessageBody"] for entry in Entries]
        return {"Successful": [{"Id": entry["Id"]} for entry in Entries]}

    def get_queue_attributes(self, **_asked: object) -> dict[str, Any]:
        return {}


class Ssm:
    """An SSM whose one parameter is TOKEN."""

    def get_parameter(self, **_asked: object) -> dict[str, Any]:
        return {"Parameter": {"Value": TOKEN}}


def application(sqs: Sqs, **chosen: Any) -> Flask:
    """The API on an SQS of one's own; `chosen` are settings."""
    settings = Settings(
        aws_region="us-east-1",
        queue_url="http://sqs.invalid/queue",
        token_parameter="/email/token",
        **chosen,
    )
    return create_app(settings, cast("SQSClient", sqs), cast("SSMClient", Ssm()), StoppedClock(), lambda: False)


class Api:
    """Asks the application as `sim.client.api.Client` asks one over HTTP."""

    def __init__(self) -> None:
        self.sqs = Sqs()
        self._client = application(self.sqs, message_max_bytes=MESSAGE_MAX_BYTES).test_client()

    def post(self, body: bytes, headers: dict[str, str] | None = None) -> ApiAnswer:
        """`POST /publish`."""
        return self.request("POST", "/publish", body, headers)

    def request(self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> ApiAnswer:
        """Any request; its answer must be JSON."""
        response = self._client.open(path, method=method, data=body, headers=headers or {})
        return ApiAnswer(
            response.status_code, json.loads(response.data), {name.lower(): value for name, value in response.headers}
        )
