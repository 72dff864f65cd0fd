"""What AWS says when a call, or a part of it, fails: each service in its own words and its own protocol. Pure.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html,
https://docs.aws.amazon.com/systems-manager/latest/APIReference/CommonErrors.html,
https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import replace

from sim.cloud.gateway.call import Call, Protocol, entries
from sim.cloud.gateway.http import Request, Response
from sim.faults.plan import Fault

REFUSALS = frozenset({Fault.THROTTLE, Fault.INTERNAL_ERROR, Fault.UNAVAILABLE})

_ERRORS = {
    ("s3", Fault.THROTTLE): (503, "SlowDown"),
    ("s3", Fault.INTERNAL_ERROR): (500, "InternalError"),
    ("sqs", Fault.THROTTLE): (400, "RequestThrottled"),
    ("ssm", Fault.INTERNAL_ERROR): (500, "InternalServerError"),
}
_OTHER_ERRORS = {
    Fault.THROTTLE: (400, "ThrottlingException"),
    Fault.INTERNAL_ERROR: (500, "InternalFailure"),
    Fault.UNAVAILABLE: (503, "ServiceUnavailable"),
}
_XML = '<?xml version="1.0" encoding="UTF-8"?>\n'
_REQUEST_ID = "00000000-0000-0000-0000-000000000000"


def refusal(call: Call, fault: Fault) -> Response:
    """The error with which the service refuses a call; `fault` is one of REFUSALS."""
    status, code = _ERRORS.get((call.service, fault), _OTHER_ERRORS[fault])
    words = f"a fault of a plan: {fault}"
    match call.protocol:
        case Protocol.JSON:
            return _json(status, {"__type": code, "message": words})
        case Protocol.QUERY:
            side = "Sender" if status < 500 else "Receiver"  # noqa: PLR2004 - HTTP's
            error = f"<Error><Type>{side}</Type><Code>{code}</Code><Message>{words}</Message></Error>"
            return _xml(status, f"<ErrorResponse>{error}<RequestId>{_REQUEST_ID}</RequestId></ErrorResponse>")
        case Protocol.REST_XML:
            inner = f"<Code>{code}</Code><Message>{words}</Message><RequestId>{_REQUEST_ID}</RequestId>"
            return _xml(status, f"<Error>{inner}</Error>")


def nothing_received() -> Response:
    """The answer to a receive that finds nothing."""
    return _json(200, {})


def without(request: Request, ids: Collection[str]) -> Request:
    """The request for a batch without some of its entries."""
    document = json.loads(request.body)
    document["Entries"] = [entry for entry in entries(request) if entry["Id"] not in ids]
    return replace(request, body=json.dumps(document).encode())


def with_failed(response: Response | None, ids: Collection[str]) -> Response:
    """The answer to a batch, with further entries that failed; of one with no others there is no answer."""
    document = json.loads(response.body) if response is not None else {"Successful": []}
    failed = [
        {"Id": each, "SenderFault": False, "Code": "InternalError", "Message": "a fault of a plan"}
        for each in sorted(ids)
    ]
    document["Failed"] = [*document.get("Failed", []), *failed]
    return _json(200, document)


def _json(status: int, document: object) -> Response:
    return Response(status, [(b"Content-Type", b"application/x-amz-json-1.0")], json.dumps(document).encode())


def _xml(status: int, document: str) -> Response:
    return Response(status, [(b"Content-Type", b"application/xml")], (_XML + document).encode())
