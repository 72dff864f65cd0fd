"""AWS at the end of botocore's wire: its clients are the real ones, and what they send is answered here."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from botocore import UNSIGNED
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ConnectionClosedError, ConnectTimeoutError, EndpointConnectionError, ReadTimeoutError

REGION = "eu-central-1"
_URL = "https://aws.invalid"

REFUSED_CONNECTION = EndpointConnectionError(endpoint_url=_URL)
CONNECT_TIMEOUT = ConnectTimeoutError(endpoint_url=_URL)
READ_TIMEOUT = ReadTimeoutError(endpoint_url=_URL)
EXPIRED_CREDENTIALS = RuntimeError("Credentials were refreshed, but the refreshed credentials are still expired.")
CLOSED_CONNECTION = ConnectionClosedError(endpoint_url=_URL)


@dataclass(frozen=True)
class Reply:
    """An HTTP response."""

    status: int
    body: bytes = b""


Sent = Reply | AWSResponse | Exception
"""What comes back, or what botocore raises because nothing does."""
Answer = Callable[[str, AWSPreparedRequest], Sent]
"""What is sent back to an operation's request."""


def ok(document: object) -> Reply:
    """200 in the JSON protocol, which SQS and SSM speak."""
    return Reply(200, json.dumps(document).encode())


def error(status: int, code: str) -> Reply:
    """An error in the JSON protocol."""
    return Reply(status, json.dumps({"__type": code}).encode())


def s3_error(status: int, code: str) -> Reply:
    """An error as S3 has it."""
    return Reply(status, f"<Error><Code>{code}</Code></Error>".encode())


def described(sent: object) -> str | None:
    """What is sent, in the name of a parametrized test."""
    match sent:
        case Exception():
            return type(sent).__name__
        case Reply(status, body):
            return f"{status} {body.decode()}"
    return None


def body(request: AWSPreparedRequest) -> str:
    """The request's body."""
    assert request.body is not None
    if isinstance(request.body, (str, bytes, bytearray)):
        raw = request.body
    else:
        raw = request.body.read()
        request.body.seek(0)
    return raw if isinstance(raw, str) else raw.decode()


def parameters(request: AWSPreparedRequest) -> Any:
    """What a call in the JSON protocol was given."""
    return json.loads(body(request))


def header(request: AWSPreparedRequest, name: str) -> str:
    """A header that the request must have."""
    value = request.headers[name]
    return value.decode() if isinstance(value, bytes) else value


class _Client(Protocol):
    @property
    def meta(self) -> Any: ...


def connect(client: _Client, answer: Answer, *, signed: bool = False) -> None:
    """Lets `answer` stand for the network of this client. A signature takes a third of the time of a call."""

    def before_send(event_name: str, request: AWSPreparedRequest, **_more: object) -> AWSResponse:
        sent = answer(event_name.rpartition(".")[2], request)
        if isinstance(sent, Exception):
            raise sent.with_traceback(None)
        if isinstance(sent, AWSResponse):
            return sent
        return AWSResponse(request.url, sent.status, HTTPHeaders(), _Raw(sent.body))

    client.meta.events.register("before-send", before_send)
    if not signed:
        client.meta.events.register_first("choose-signer", lambda **_: UNSIGNED)


@dataclass(frozen=True)
class _Raw:
    """The part of urllib3's response that botocore reads."""

    body: bytes

    def stream(self) -> Iterator[bytes]:
        yield self.body
