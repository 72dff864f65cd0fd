"""Which call a request is, asked of what boto3 really sends; and what boto3 makes of a refusal."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest
from botocore.config import Config
from botocore.exceptions import ClientError

from services.pipeline.aws import Outcome, outcome
from sim.cloud.gateway.aws_errors import refusal, with_failed, without
from sim.cloud.gateway.call import Call, Protocol, entries, identify
from sim.cloud.gateway.http import Request, Response
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


def client(service: str) -> Any:
    return boto3.Session().client(
        service,  # type: ignore[call-overload]
        region_name=REGION,
        aws_access_key_id="000000000000",
        aws_secret_access_key="local",
        config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
    )


def received(prepared: AWSPreparedRequest) -> Request:
    """The request as the gateway reads it."""
    url = urlsplit(prepared.url)
    target = url.path + ("?" + url.query if url.query else "")
    headers = [
        (name.encode(), value if isinstance(value, bytes) else str(value).encode())
        for name, value in prepared.headers.items()
    ]
    return Request(
        (prepared.method or "").encode(), target.encode(), headers, body(prepared).encode() if prepared.body else b""
    )


def sent(service: str, method: str, parameters: dict[str, Any]) -> tuple[str, Request]:
    """The operation's name, and the request that boto3 sends for it."""
    seen: list[tuple[str, Request]] = []

    def respond(operation: str, prepared: AWSPreparedRequest) -> Exception:
        seen.append((operation, received(prepared)))
        return CLOSED_CONNECTION

    with pytest.raises(type(CLOSED_CONNECTION)):
        ask(service, method, parameters, respond)
    return seen[0]


def answered(service: str, method: str, parameters: dict[str, Any], response: Response) -> Any:
    """What boto3 makes of an answer."""
    return ask(service, method, parameters, lambda *_: Reply(response.status, response.body))


def ask(service: str, method: str, parameters: dict[str, Any], answer: Answer) -> Any:
    made = client(service)
    connect(made, answer)
    return getattr(made, method)(**parameters)


@pytest.mark.parametrize(("service", "method", "parameters"), CALLS, ids=[method for _, method, _ in CALLS])
def test_a_call_of_boto3_is_known_by_its_name(service: str, method: str, parameters: dict[str, Any]) -> None:
    operation, request = sent(service, method, parameters)
    call = identify(request)
    assert (call.service, call.operation) == (service, operation)


@pytest.mark.parametrize(
    ("request_", "operation"),
    [
        (Request(b"PATCH", b"/emails/a", [], b""), "Unknown"),
        (Request(b"GET", b"/\xff%ff", [], b""), "ListObjects"),
        (Request(b"POST", b"/", [(b"X-Amz-Target", b"AmazonSQS.SendMessage")], b""), "SendMessage"),
    ],
)
def test_a_call_that_is_none_of_boto3_has_a_name_too(request_: Request, operation: str) -> None:
    assert identify(request_).operation == operation


@pytest.mark.parametrize(
    ("fault", "means"),
    [
        (Fault.THROTTLE, Outcome.UNAVAILABLE),
        (Fault.UNAVAILABLE, Outcome.UNAVAILABLE),
        (Fault.INTERNAL_ERROR, Outcome.UNKNOWN),
    ],
)
@pytest.mark.parametrize(("service", "method", "parameters"), [CALLS[0], *CALLS[2:6]], ids=lambda each: str(each)[:20])
def test_boto3_understands_a_refusal(
    service: str, method: str, parameters: dict[str, Any], fault: Fault, means: Outcome
) -> None:
    _, request = sent(service, method, parameters)
    with pytest.raises(ClientError, match=f"a fault of a plan: {fault}") as raised:
        answered(service, method, parameters, refusal(identify(request), fault))
    assert outcome(raised.value) is means


def test_an_entry_of_a_batch_fails_within_an_answer_that_says_200() -> None:
    _, request = sent(*CALLS[0])
    assert [entry["Id"] for entry in entries(without(request, {"a"}))] == ["b"]
    answer = answered(*CALLS[0], with_failed(None, {"a"}))
    assert [entry["Id"] for entry in answer["Failed"]] == ["a"]
    assert not answer["Successful"]


def test_entries_that_failed_by_themselves_stay_failed() -> None:
    half = Response(200, [], b'{"Successful": [{"Id": "c"}], "Failed": [{"Id": "b"}]}')
    assert b'"Failed": [{"Id": "b"}, {"Id": "a"' in with_failed(half, {"a"}).body


@pytest.mark.parametrize("text", [b"", b"[]", b'{"Entries": 1}', b'{"Entries": [1, {}]}'])
def test_a_batch_that_cannot_be_read_has_no_entries(text: bytes) -> None:
    assert entries(Request(b"POST", b"/", [], text)) == []


def test_only_batches_in_json_can_fail_in_part() -> None:
    assert Call("sqs", "SendMessageBatch", Protocol.JSON).is_batch
    assert not Call("sqs", "SendMessageBatch", Protocol.QUERY).is_batch
    assert not Call("sqs", "SendMessage", Protocol.JSON).is_batch
