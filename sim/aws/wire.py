"""A boto3 client whose calls are answered in this process.

Everything of boto3 is at work, its serialisers, parsers, retries and errors; only what would go over the network ends
in a function. That function is given an `Attempt` and does one of these:

- it returns the `Answer`, as the models make it;
- it raises AwsError: the service answers with this error, in its own protocol;
- it raises one of `unreachable`, `reset`, `timed_out`: the call or its answer was lost on the way.

It is the place where a scheduler lets others run, and where time passes. boto3 calls it once for each attempt.

Protocols: SQS and SSM speak JSON (https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html), S3 REST with XML.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from io import BytesIO
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import unquote, urlsplit

from botocore import UNSIGNED
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ConnectionClosedError, EndpointConnectionError, ReadTimeoutError

from sim.aws.api_call import ApiCall, ApiProtocol
from sim.aws.errors import error_answer, json_type
from sim.aws.model import Answer, AwsError, Parameters

if TYPE_CHECKING:
    from botocore.awsrequest import AWSPreparedRequest

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_VIRTUAL_HOST = re.compile(r"(?P<bucket>.+)\.s3[.-]")
_METADATA = "x-amz-meta-"


@dataclass(frozen=True)
class Attempt:
    """One attempt at an operation. `service` is "sqs", "s3" or "ssm"; `caller` is whose client it is."""

    caller: str
    service: str
    operation: str
    parameters: Parameters
    url: str


Deliver = Callable[[Attempt], Answer]


class _Client(Protocol):
    @property
    def meta(self) -> Any: ...


def connect(client: _Client, caller: str, deliver: Deliver) -> None:
    """Has `deliver` answer every call of this client, from now on. No call is signed, since no model looks at that."""
    service: str = client.meta.service_model.service_name

    def answer(request: AWSPreparedRequest, event_name: str, **_: object) -> AWSResponse:
        return respond(service, event_name.rpartition(".")[2], request, caller, deliver)

    client.meta.events.register("before-send", answer)
    # A signature takes a third of the time of a call.
    client.meta.events.register_first("choose-signer", lambda **_: UNSIGNED)


def respond(service: str, operation: str, request: AWSPreparedRequest, caller: str, deliver: Deliver) -> AWSResponse:
    """The HTTP answer to a request of boto3. Raises what `deliver` raises, but for AwsError, which is an answer too."""
    speak = _SPEAKS[service]
    call = Attempt(caller, service, operation, speak.read(operation, request), request.url)
    try:
        return speak.write(call, deliver(call))
    except AwsError as error:
        answered = error_answer(ApiCall(service, operation, speak.protocol), error)
        return _response(call, answered.status, answered.headers, answered.body)


def unreachable(call: Attempt) -> EndpointConnectionError:
    """Nothing can be reached: a partition, or a name that is not resolved. The call was not made."""
    return EndpointConnectionError(endpoint_url=call.url)


def reset(call: Attempt) -> ConnectionClosedError:
    """The connection was closed before an answer came. The call may have been made."""
    return ConnectionClosedError(endpoint_url=call.url)


def timed_out(call: Attempt) -> ReadTimeoutError:
    """No answer came in the client's read timeout. The call may have been made."""
    return ReadTimeoutError(endpoint_url=call.url)


class _Body(BytesIO):
    """What botocore asks of urllib3's response."""

    def stream(self, amt: int = 65_536, decode_content: bool | None = None) -> Iterator[bytes]:  # noqa: ARG002
        if rest := self.read():
            yield rest


def _response(call: Attempt, status: int, headers: Mapping[str, str], body: bytes) -> AWSResponse:
    fields = HTTPHeaders.from_dict({"content-length": str(len(body)), **headers})
    return AWSResponse(call.url, status, fields, _Body(body))


class _Json:
    """The protocols awsJson1.0 and 1.1."""

    protocol = ApiProtocol.JSON

    def read(self, operation: str, request: AWSPreparedRequest) -> Parameters:
        del operation
        parameters: Parameters = json.loads(_bytes(request))
        return parameters

    def write(self, call: Attempt, answer: Answer) -> AWSResponse:
        body = json.dumps(answer, default=_unix_seconds).encode()
        return _response(call, 200, {"content-type": json_type(call.service)}, body)


class _Rest:
    """S3's protocol: most of a call and of an answer is in the path and the headers."""

    protocol = ApiProtocol.REST_XML

    def read(self, operation: str, request: AWSPreparedRequest) -> Parameters:
        url = urlsplit(request.url)
        path = unquote(url.path).removeprefix("/")
        virtual = _VIRTUAL_HOST.match(url.hostname or "")
        bucket, _, key = (virtual["bucket"], "", path) if virtual else path.partition("/")
        parameters: dict[str, Any] = {"Bucket": bucket, "Key": key}
        if operation == "PutObject":
            parameters["Body"] = _bytes(request)
            headers = {name.lower(): _text(value) for name, value in request.headers.items()}
            parameters["Metadata"] = {
                name.removeprefix(_METADATA): value for name, value in headers.items() if name.startswith(_METADATA)
            }
            parameters |= {name: headers[header] for header, name in _PUT_HEADERS.items() if header in headers}
        return parameters

    def write(self, call: Attempt, answer: Answer) -> AWSResponse:
        headers = {header: _header(answer[name]) for name, header in _ANSWER_HEADERS.items() if name in answer}
        headers |= {_METADATA + name: value for name, value in answer.get("Metadata", {}).items()}
        return _response(call, 200, headers, answer.get("Body", b""))


_SPEAKS: dict[str, _Json | _Rest] = {"sqs": _Json(), "ssm": _Json(), "s3": _Rest()}
_PUT_HEADERS = {"content-type": "ContentType", "if-none-match": "IfNoneMatch"}
_ANSWER_HEADERS = {
    "AcceptRanges": "accept-ranges",
    "LastModified": "last-modified",
    "ContentLength": "content-length",
    "ETag": "etag",
    "ContentType": "content-type",
}


def _unix_seconds(value: datetime) -> float:
    return (value - _EPOCH).total_seconds()


def _header(value: object) -> str:
    return format_datetime(value, usegmt=True) if isinstance(value, datetime) else str(value)


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _bytes(request: AWSPreparedRequest) -> bytes:
    body = request.body or b""
    content = body if isinstance(body, (str, bytes, bytearray)) else body.read()
    return content.encode() if isinstance(content, str) else bytes(content)
