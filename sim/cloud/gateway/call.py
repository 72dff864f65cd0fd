"""Which AWS call a request is. Pure.

The service is in the scope of its signature, the operation where the service's protocol has it.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import Enum
from typing import Any
from urllib.parse import parse_qs, urlsplit

from sim.cloud.gateway.http import Request

_SCOPE = re.compile(rb"Credential=[^/]+/\d{8}/[^/]+/([^/]+)/aws4_request")
_TARGETS = {"AmazonSQS": "sqs", "AmazonSSM": "ssm"}
_BATCHES = frozenset({"SendMessageBatch", "DeleteMessageBatch", "ChangeMessageVisibilityBatch"})

# By method: the operation on an object, and on a bucket. https://docs.aws.amazon.com/AmazonS3/latest/API/
_S3 = {
    b"GET": ("GetObject", "ListObjects"),
    b"PUT": ("PutObject", "CreateBucket"),
    b"HEAD": ("HeadObject", "HeadBucket"),
    b"DELETE": ("DeleteObject", "DeleteBucket"),
}
# What a word in the query makes of it.
_S3_QUERIES = {
    (b"GET", "list-type"): "ListObjectsV2",
    (b"GET", "location"): "GetBucketLocation",
    (b"GET", "uploadId"): "ListParts",
    (b"GET", "uploads"): "ListMultipartUploads",
    (b"POST", "delete"): "DeleteObjects",
    (b"POST", "uploads"): "CreateMultipartUpload",
    (b"POST", "uploadId"): "CompleteMultipartUpload",
    (b"PUT", "uploadId"): "UploadPart",
    (b"DELETE", "uploadId"): "AbortMultipartUpload",
}


class Protocol(Enum):
    """In which a service speaks, its errors too."""

    JSON = "json"
    QUERY = "query"
    REST_XML = "rest-xml"


@dataclass(frozen=True)
class Call:
    """One AWS call."""

    service: str
    operation: str
    protocol: Protocol

    @property
    def is_batch(self) -> bool:
        """Whether its entries can fail each for itself, in the JSON protocol."""
        return self.operation in _BATCHES and self.protocol is Protocol.JSON


def identify(request: Request) -> Call:
    """The call; its operation is `Unknown` where none can be made out."""
    scope = _SCOPE.search(request.header(b"authorization"))
    service = scope[1].decode() if scope else ""
    prefix, _, operation = request.header(b"x-amz-target").decode("latin-1").partition(".")
    if operation:
        return Call(service or _TARGETS.get(prefix, prefix), operation, Protocol.JSON)
    if service not in {"", "s3"}:
        query = request.body if request.method == b"POST" else urlsplit(request.target).query
        actions = parse_qs(query.decode("latin-1")).get("Action", ["Unknown"])
        return Call(service, actions[0], Protocol.QUERY)
    return Call("s3", _s3_operation(request), Protocol.REST_XML)


def entries(request: Request) -> list[dict[str, Any]]:
    """The entries of a batch; none of one that cannot be read."""
    try:
        found = json.loads(request.body)["Entries"]
    except (ValueError, KeyError, TypeError):
        return []
    return [entry for entry in found if isinstance(entry, dict) and "Id" in entry] if isinstance(found, list) else []


def _s3_operation(request: Request) -> str:
    path, _, query = request.target.decode("latin-1").partition("?")
    words = parse_qs(query, keep_blank_values=True)
    for (method, word), operation in _S3_QUERIES.items():
        if method == request.method and word in words:
            return operation
    bucket, _, key = path.removeprefix("/").partition("/")
    if request.method == b"GET" and not bucket:
        return "ListBuckets"
    if request.method == b"PUT" and request.header(b"x-amz-copy-source"):
        return "CopyObject"
    on_object, on_bucket = _S3.get(request.method, ("Unknown", "Unknown"))
    return on_object if key else on_bucket
