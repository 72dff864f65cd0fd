"""The errors of AWS: which one each service gives when a call fails, and how an error looks on the wire. Pure.

SQS speaks JSON and keeps the statuses and codes of the query protocol that it spoke before: the models of the AWS SDKs
and clients' logs have a throttled call as 403 RequestThrottled. What no service says otherwise is in the common errors.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html and CommonErrors.html,
https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html and CommonErrors.html,
https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html,
https://smithy.io/2.0/aws/protocols/,
https://docs.aws.amazon.com/fis/latest/userguide/fis-actions-reference.html (inject-api-throttle-error and its like),
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html, and CommonErrors.html of SNS and IAM;
that SQS and the JSON services keep their own codes for an unknown key is taken from messages that people quote
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from sim.aws.api_call import ApiCall, ApiProtocol
from sim.aws.model import AwsError

COMMON_ERRORS: Mapping[str, tuple[int, str]] = {
    "throttle": (400, "ThrottlingException"),
    "unavailable": (503, "ServiceUnavailable"),
    "internal-error": (500, "InternalFailure"),
}
"""The status and the code for each kind of error, of a service that has none of its own. The kinds are those of FIS."""
SERVICE_ERRORS: Mapping[tuple[str, str], tuple[int, str]] = {
    ("sqs", "throttle"): (403, "RequestThrottled"),
    ("s3", "throttle"): (503, "SlowDown"),
    ("s3", "internal-error"): (500, "InternalError"),
    ("ssm", "internal-error"): (500, "InternalServerError"),
}
"""The status and the code of a service's own."""

_DENIED: Mapping[ApiProtocol, tuple[int, str]] = {
    ApiProtocol.JSON: (400, "AccessDeniedException"),
    ApiProtocol.QUERY: (403, "AccessDenied"),
    ApiProtocol.REST_XML: (403, "AccessDenied"),
}
"""The status and the code of a call that IAM does not allow, by the protocol."""
_DENIED_BY_SERVICE: Mapping[str, tuple[int, str]] = {
    "ec2": (403, "UnauthorizedOperation"),
    "sns": (403, "AuthorizationError"),
    "sqs": (403, "AccessDenied"),
}

_INVALID_TOKEN = "The security token included in the request is invalid."  # noqa: S105 - a message
_UNKNOWN_KEY: Mapping[ApiProtocol, tuple[int, str, str]] = {
    ApiProtocol.JSON: (400, "UnrecognizedClientException", _INVALID_TOKEN),
    ApiProtocol.QUERY: (403, "InvalidClientTokenId", _INVALID_TOKEN),
    ApiProtocol.REST_XML: (
        403,
        "InvalidAccessKeyId",
        "The AWS Access Key Id you provided does not exist in our records.",
    ),
}
"""The status, the code and the message of a call that is signed with a key that nobody issued, by the protocol."""
_UNKNOWN_KEY_BY_SERVICE: Mapping[str, tuple[int, str, str]] = {
    "ec2": (401, "AuthFailure", "AWS was not able to validate the provided access credentials"),
    "sqs": (403, "InvalidClientTokenId", _INVALID_TOKEN),
}

_SERVER_ERROR = 500
_QUERY_COMPATIBLE = frozenset({"sqs"})
"""Services of the JSON protocol that repeat the code of an error in a header, as the query protocol had it."""
_JSON_1_0 = frozenset({"sqs"})
_CURRENT_CODES = {
    "AWS.SimpleQueueService.NonExistentQueue": "QueueDoesNotExist",
    "AccessDenied": "AccessDeniedException",
}
"""The current names of legacy error codes, where they are not the last part of the code."""
_REQUEST_ID = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True)
class HttpAnswer:
    """An HTTP answer; the names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def error_of(service: str, kind: str) -> AwsError:
    """The error with which a service answers a call that fails in a way that COMMON_ERRORS has."""
    status, code = SERVICE_ERRORS.get((service, kind), COMMON_ERRORS[kind])
    return AwsError(code, f"a fault of a plan: {kind}", status)


def access_denied(call: ApiCall, message: str) -> AwsError:
    """The error of a call that IAM does not allow."""
    status, code = _DENIED_BY_SERVICE.get(call.service, _DENIED[call.protocol])
    return AwsError(code, message, status)


def unknown_key(call: ApiCall) -> AwsError:
    """The error of a call that is signed with a key that nobody issued."""
    status, code, message = _UNKNOWN_KEY_BY_SERVICE.get(call.service, _UNKNOWN_KEY[call.protocol])
    return AwsError(code, message, status)


def error_answer(call: ApiCall, error: AwsError) -> HttpAnswer:
    """An error as the service of a call writes it."""
    match call.protocol:
        case ApiProtocol.JSON:
            code = _CURRENT_CODES.get(error.code, error.code.rpartition(".")[2])
            query_error = {"x-amzn-query-error": f"{error.code};{_blame(error)}"}
            return HttpAnswer(
                error.status,
                {"content-type": json_type(call.service), **(query_error if call.service in _QUERY_COMPATIBLE else {})},
                json.dumps({"__type": code, "message": error.message}).encode(),
            )
        case ApiProtocol.QUERY:
            inner = {"Type": _blame(error), "Code": error.code, "Message": error.message}
            return _xml_answer(error, _xml("ErrorResponse", {"Error": inner, "RequestId": _REQUEST_ID}))
        case ApiProtocol.REST_XML:
            inner = {"Code": error.code, "Message": error.message, "RequestId": _REQUEST_ID}
            # The answer to a HEAD has no body: https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
            return _xml_answer(error, "" if call.operation.startswith("Head") else _xml("Error", inner))


def json_type(service: str) -> str:
    """The content type of a service that speaks JSON."""
    return f"application/x-amz-json-1.{0 if service in _JSON_1_0 else 1}"


def _xml_answer(error: AwsError, document: str) -> HttpAnswer:
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n{document}' if document else ""
    return HttpAnswer(error.status, {"content-type": "application/xml"}, body.encode())


def _blame(error: AwsError) -> str:
    return "Receiver" if error.status >= _SERVER_ERROR else "Sender"


def _xml(name: str, value: Any) -> str:
    """An element with elements or a text in it."""
    inner = escape(value) if isinstance(value, str) else "".join(_xml(*each) for each in value.items())
    return f"<{name}>{inner}</{name}>"
