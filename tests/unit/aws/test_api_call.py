"""Which call a request is, asked of what boto3 really sends; and what boto3 makes of the errors of AWS."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest
from botocore.config import Config
from botocore.exceptions import ClientError

from services.pipeline.aws import Outcome, outcome
from sim.aws import sqs_batches
from sim.aws.api_call import ApiCall, identify
from sim.aws.errors import HttpAnswer, error_answer, error_of
from sim.faults.plan import Fault
from tests.unit.wire import CLOSED_CONNECTION, REGION, Answer, Reply, body, connect

QUEUE = "https://sqs.invalid/000000000000/emails"
BATCH = [{"Id": "a", "MessageBody": "one"}, {"Id": "b", "MessageBody": "two"}]
CALLS: list[tuple[str, str, dict[str, Any]]] = [
    ("sqs", "send_message_batch", {"QueueUrl": QUEUE, "Entries": BATCH}),
    ("sqs", "receive_message", {"QueueUrl": QUEUE}),
    ("ssm", "get_parameter", {"Name": "/token"}),
    ("sts", "get_caller_identity", {}),
    ("s3", "put_object", {"Bucket": "emails", "Key": "a/b.json", "Body": b"{}"}),
    ("s3", "get_object", {"Bucket": "emails", "Key": "a b?c"}),
    ("s3", "head_object", {"Bucket": "emails", "Key": "a"}),
    ("s3", "copy_object", {"Bucket": "emails", "Key": "a", "CopySource": "emails/b"}),
    ("s3", "delete_object", {"Bucket": "emails", "Key": "a"}),
    ("s3", "delete_objects", {"Bucket": "emails", "Delete": {"Objects": [{"Key": "a"}]}}),
    ("s3", "create_bucket", {"Bucket": "emails", "CreateBucketConfiguration": {"LocationConstraint": REGION}}),
    ("s3", "head_bucket", {"Bucket": "emails"}),
    ("s3", "delete_bucket", {"Bucket": "emails"}),
    ("s3", "list_objects_v2", {"Bucket": "emails"}),
    ("s3", "list_objects", {"Bucket": "emails"}),
    ("s3", "get_bucket_location", {"Bucket": "emails"}),
    ("s3", "list_buckets", {}),
    ("s3", "create_multipart_upload", {"Bucket": "emails", "Key": "a"}),
    ("s3", "upload_part", {"Bucket": "emails", "Key": "a", "UploadId": "1", "PartNumber": 1}),
    ("s3", "list_parts", {"Bucket": "emails", "Key": "a", "UploadId": "1"}),
    ("s3", "complete_multipart_upload", {"Bucket": "emails", "Key": "a", "UploadId": "1"}),
    ("s3", "abort_multipart_upload", {"Bucket": "emails", "Key": "a", "UploadId": "1"}),
    ("s3", "list_multipart_uploads", {"Bucket": "emails"}),
]


SESSION = boto3.Session()
"""One for all, since each reads the models of the services anew."""


def client(service: str) -> Any:
    return SESSION.client(
        service,  # type: ignore[call-overload]
        region_name=REGION,
        aws_access_key_id="000000000000",
        aws_secret_access_key="local",
        config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
    )


def identified(prepared: AWSPreparedRequest) -> ApiCall:
    """The call that a request makes."""
    url = urlsplit(prepared.url)
    target = url.path + ("?" + url.query if url.query else "")
    headers = {
        name.lower(): value.decode() if isinstance(value, bytes) else str(value)
        for name, value in prepared.headers.items()
    }
    return identify(prepared.method or "", target, headers, content(prepared))


def content(prepared: AWSPreparedRequest) -> bytes:
    return body(prepared).encode() if prepared.body else b""


def sent(service: str, method: str, parameters: dict[str, Any]) -> tuple[str, AWSPreparedRequest]:
    """The operation's name, and the request that boto3 sends for it."""
    seen: list[tuple[str, AWSPreparedRequest]] = []

    def respond(operation: str, prepared: AWSPreparedRequest) -> Exception:
        seen.append((operation, prepared))
        return CLOSED_CONNECTION

    with pytest.raises(type(CLOSED_CONNECTION)):
        ask(service, method, parameters, respond)
    return seen[0]


def ask(service: str, method: str, parameters: dict[str, Any], answer: Answer) -> Any:
    made = client(service)
    connect(made, answer, signed=True)
    return getattr(made, method)(**parameters)


@pytest.mark.parametrize(("service", "method", "parameters"), CALLS, ids=[method for _, method, _ in CALLS])
def test_a_call_of_boto3_is_known_by_its_name(service: str, method: str, parameters: dict[str, Any]) -> None:
    operation, prepared = sent(service, method, parameters)
    call = identified(prepared)
    assert (call.service, call.operation) == (service, operation)


@pytest.mark.parametrize(
    ("method", "target", "headers", "operation"),
    [
        ("PATCH", "/emails/a", {}, "Unknown"),
        ("GET", "/\xff%ff", {}, "ListObjects"),
        ("POST", "/", {"x-amz-target": "AmazonSQS.SendMessage"}, "SendMessage"),
    ],
)
def test_a_request_that_boto3_does_not_send_has_a_name_too(
    method: str, target: str, headers: dict[str, str], operation: str
) -> None:
    assert identify(method, target, headers, b"").operation == operation


@pytest.mark.parametrize(
    ("fault", "means"),
    [
        (Fault.THROTTLE, Outcome.UNAVAILABLE),
        (Fault.UNAVAILABLE, Outcome.UNAVAILABLE),
        (Fault.INTERNAL_ERROR, Outcome.UNKNOWN),
    ],
)
@pytest.mark.parametrize(("service", "method", "parameters"), [CALLS[0], *CALLS[2:6]], ids=lambda each: str(each)[:20])
def test_boto3_understands_each_error_of_the_table(
    service: str, method: str, parameters: dict[str, Any], fault: Fault, means: Outcome
) -> None:
    _, prepared = sent(service, method, parameters)
    error = error_of(service, fault)
    with pytest.raises(ClientError, match=f"a fault of a plan: {fault}") as raised:
        ask(service, method, parameters, lambda *_: reply(error_answer(identified(prepared), error)))
    assert raised.value.response["Error"]["Code"] == error.code
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == error.status
    assert outcome(raised.value) is means


def test_an_error_to_a_head_has_no_body() -> None:
    _, prepared = sent("s3", "head_object", {"Bucket": "emails", "Key": "a"})
    assert error_answer(identified(prepared), error_of("s3", Fault.THROTTLE)).body == b""


def test_an_entry_of_a_batch_fails_within_an_answer_that_says_200() -> None:
    _, prepared = sent(*CALLS[0])
    assert sqs_batches.entry_ids(content(prepared)) == ["a", "b"]
    assert sqs_batches.entry_ids(sqs_batches.without_entries(content(prepared), {"a"})) == ["b"]
    answer = ask(*CALLS[0], lambda *_: Reply(200, sqs_batches.with_failed(b'{"Successful": []}', {"a"})))
    assert [entry["Id"] for entry in answer["Failed"]] == ["a"]
    assert not answer["Successful"]


def test_entries_that_failed_by_themselves_stay_failed() -> None:
    half = b'{"Successful": [{"Id": "c"}], "Failed": [{"Id": "b"}]}'
    assert b'"Failed": [{"Id": "b"}, {"Id": "a"' in sqs_batches.with_failed(half, {"a"})


@pytest.mark.parametrize("text", [b"", b"[]", b'{"Entries": 1}', b'{"Entries": [1, {}]}'])
def test_a_batch_that_cannot_be_read_has_no_entries(text: bytes) -> None:
    assert sqs_batches.entry_ids(text) == []


def reply(answer: HttpAnswer) -> Reply:
    return Reply(answer.status, answer.body)
