"""Which AWS call an HTTP request is. Pure.

The service is in the scope of its signature, the operation where the service's protocol has it.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from urllib.parse import parse_qs

UNKNOWN = "Unknown"

_SCOPE = re.compile(r"Credential=[^/]+/\d{8}/[^/]+/([^/]+)/aws4_request")
_TARGETS = {"AmazonSQS": "sqs", "AmazonSSM": "ssm"}

# By method: the operation on an object, and on a bucket. https://docs.aws.amazon.com/AmazonS3/latest/API/
_S3 = {
    "GET": ("GetObject", "ListObjects"),
    "PUT": ("PutObject", "CreateBucket"),
    "HEAD": ("HeadObject", "HeadBucket"),
    "DELETE": ("DeleteObject", "DeleteBucket"),
}
# What a word in the query makes of it.
_S3_QUERIES = {
    ("GET", "list-type"): "ListObjectsV2",
    ("GET", "location"): "GetBucketLocation",
    ("GET", "uploadId"): "ListParts",
    ("GET", "uploads"): "ListMultipartUploads",
    ("POST", "delete"): "DeleteObjects",
    ("POST", "uploads"): "CreateMultipartUpload",
    ("POST", "uploadId"): "CompleteMultipartUpload",
    ("PUT", "uploadId"): "UploadPart",
    ("DELETE", "uploadId"): "AbortMultipartUpload",
}


class ApiProtocol(Enum):
    """The protocol of a service, in which its errors are written too."""

    JSON = "json"
    QUERY = "query"
    REST_XML = "rest-xml"


@dataclass(frozen=True)
class ApiCall:
    """The service, its operation as AWS names it, and the protocol of one call."""

    service: str
    operation: str
    protocol: ApiProtocol


def identify(method: str, target: str, headers: Mapping[str, str], body: bytes) -> ApiCall:
    """The call that a request makes; the operation is UNKNOWN if the request does not say it.

    `target` is the path with its query; the names of `headers` are in lower case.
    """
    scope = _SCOPE.search(headers.get("authorization", ""))
    service = scope[1] if scope else ""
    prefix, _, operation = headers.get("x-amz-target", "").partition(".")
    if operation:
        return ApiCall(service or _TARGETS.get(prefix, prefix), operation, ApiProtocol.JSON)
    path, _, query = target.partition("?")
    if service not in {"", "s3"}:
        actions = parse_qs(body.decode("latin-1") if method == "POST" else query).get("Action", [UNKNOWN])
        return ApiCall(service, actions[0], ApiProtocol.QUERY)
    return ApiCall("s3", _s3_operation(method, path, query, headers), ApiProtocol.REST_XML)


def _s3_operation(method: str, path: str, query: str, headers: Mapping[str, str]) -> str:
    words = parse_qs(query, keep_blank_values=True)
    for (of_method, word), operation in _S3_QUERIES.items():
        if of_method == method and word in words:
            return operation
    bucket, _, key = path.removeprefix("/").partition("/")
    if method == "GET" and not bucket:
        return "ListBuckets"
    if method == "PUT" and "x-amz-copy-source" in headers:
        return "CopyObject"
    on_object, on_bucket = _S3.get(method, (UNKNOWN, UNKNOWN))
    return on_object if key else on_bucket
