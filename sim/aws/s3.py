"""Amazon S3: a specification that runs.

A bucket is its objects by key. A read sees every write that was answered before, so nothing is left to choice ([Guide]
Welcome, "Amazon S3 data consistency model").

Pages are below https://docs.aws.amazon.com/AmazonS3/latest/: [API] is `API/`, [Guide] is `userguide/`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sim.aws.model import Answer, AwsError, Choice, Parameters, find, operation

MAX_KEY_BYTES = 1024
"""[Guide] object-keys"""
MAX_METADATA_BYTES = 2048
"""[Guide] UsingMetadata: of user-defined metadata, names and values together."""


@dataclass(frozen=True)
class StoredObject:
    """An object. `modified_at` is in whole Unix seconds, as HTTP shows it."""

    body: bytes
    etag: str
    modified_at: int
    content_type: str = "binary/octet-stream"
    metadata: dict[str, str] = field(default_factory=dict)


@dataclass
class Bucket:
    """A bucket, without versioning."""

    name: str
    objects: dict[str, StoredObject] = field(default_factory=dict)


class S3:
    """All buckets. `call` is the service."""

    def __init__(self, buckets: Iterable[Bucket]) -> None:
        self._buckets = {bucket.name: bucket for bucket in buckets}

    def call(self, name: str, parameters: Parameters, *, now: float, choose: Choice) -> Answer:
        """The answer to an operation. Raises AwsError, or NotModelled."""
        del choose
        found = find(_OPERATIONS, name, parameters)
        bucket = self._buckets.get(parameters["Bucket"])
        if bucket is None:
            raise AwsError("NoSuchBucket", "The specified bucket does not exist", 404)
        answer: Answer = found.do(bucket, parameters, now)
        return answer


def _put(bucket: Bucket, parameters: Parameters, now: float) -> Answer:
    """[API] API_PutObject: replaces what is under the key, whole or not at all; with `If-None-Match: *` it does so only
    where nothing is, and otherwise answers 412."""
    key: str = parameters["Key"]
    metadata: dict[str, str] = dict(parameters.get("Metadata", {}))
    if len(key.encode()) > MAX_KEY_BYTES:
        raise AwsError("KeyTooLongError", "Your key is too long")
    if sum(len(name) + len(value) for name, value in metadata.items()) > MAX_METADATA_BYTES:
        raise AwsError("MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size")
    condition = parameters.get("IfNoneMatch")
    if condition not in {None, "*"}:
        raise AwsError("NotImplemented", "A header you provided implies functionality that is not implemented", 501)
    if condition and key in bucket.objects:
        raise AwsError("PreconditionFailed", "At least one of the pre-conditions you specified did not hold", 412)
    body: bytes = parameters.get("Body", b"")
    etag = f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'
    content_type = parameters.get("ContentType", StoredObject.content_type)
    bucket.objects[key] = StoredObject(body, etag, int(now), content_type, metadata)
    return {"ETag": etag}


def _get(bucket: Bucket, parameters: Parameters, now: float) -> Answer:
    """[API] API_GetObject"""
    del now
    stored = bucket.objects.get(parameters["Key"])
    if stored is None:
        raise AwsError("NoSuchKey", "The specified key does not exist.", 404)
    return {
        "AcceptRanges": "bytes",
        "LastModified": datetime.fromtimestamp(stored.modified_at, UTC),
        "ContentLength": len(stored.body),
        "ETag": stored.etag,
        "ContentType": stored.content_type,
        "Metadata": dict(stored.metadata),
        "Body": stored.body,
    }


_OPERATIONS = {
    "PutObject": operation(_put, "Bucket", "Key", "Body", "ContentType", "Metadata", "IfNoneMatch"),
    "GetObject": operation(_get, "Bucket", "Key"),
}
