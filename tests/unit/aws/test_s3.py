"""S3 by its pages."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from sim.aws.model import Answer, AwsError, Calm, NotModelled
from sim.aws.s3 import S3, Bucket


class Service:
    """One bucket at one moment."""

    def __init__(self) -> None:
        self.s3 = S3([Bucket("emails")])

    def call(self, operation: str, **parameters: Any) -> Answer:
        return self.s3.call(operation, {"Bucket": "emails", **parameters}, now=1000.5, choose=Calm())

    def refused(self, operation: str, **parameters: Any) -> tuple[str, int]:
        with pytest.raises(AwsError) as refused:
            self.call(operation, **parameters)
        return refused.value.code, refused.value.status


def test_an_object_is_read_as_it_was_put() -> None:
    service = Service()
    put = service.call("PutObject", Key="a", Body=b"hello", ContentType="text/plain", Metadata={"id": "1"})
    described = {
        "AcceptRanges": "bytes",
        "LastModified": datetime.fromtimestamp(1000, UTC),
        "ContentLength": 5,
        "ETag": '"5d41402abc4b2a76b9719d911017c592"',
        "ContentType": "text/plain",
        "Metadata": {"id": "1"},
    }
    assert put == {"ETag": described["ETag"]}
    assert service.call("GetObject", Key="a") == {**described, "Body": b"hello"}


def test_a_put_replaces_all_of_the_object() -> None:
    service = Service()
    service.call("PutObject", Key="a", Body=b"old", ContentType="text/plain", Metadata={"id": "1"})
    service.call("PutObject", Key="a", Body=b"new")
    answer = service.call("GetObject", Key="a")
    assert (answer["Body"], answer["ContentType"], answer["Metadata"]) == (b"new", "binary/octet-stream", {})


def test_a_conditional_put_does_not_replace() -> None:
    service = Service()
    service.call("PutObject", Key="a", Body=b"first", IfNoneMatch="*")
    assert service.refused("PutObject", Key="a", Body=b"second", IfNoneMatch="*") == ("PreconditionFailed", 412)
    assert service.call("GetObject", Key="a")["Body"] == b"first"


def test_what_is_not_there() -> None:
    service = Service()
    assert service.refused("GetObject", Key="a") == ("NoSuchKey", 404)
    assert service.refused("PutObject", Bucket="other", Key="a") == ("NoSuchBucket", 404)


def test_limits() -> None:
    service = Service()
    service.call("PutObject", Key="é" * 512)
    assert service.refused("PutObject", Key="é" * 512 + "x") == ("KeyTooLongError", 400)
    assert service.refused("PutObject", Key="a", Metadata={"id": "x" * 2047}) == ("MetadataTooLarge", 400)
    with pytest.raises(NotModelled, match="Tagging"):
        service.call("PutObject", Key="a", Tagging="x")
