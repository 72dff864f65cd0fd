"""The real clients of the services, answered by the models."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    EndpointConnectionError,
    ReadTimeoutError,
)

from services.pipeline import aws
from sim.aws import wire
from sim.aws.model import Answer, AwsError, Calm, Wait
from sim.aws.s3 import S3, Bucket
from sim.aws.sqs import Sqs
from sim.aws.sqs_queue import Queue
from sim.aws.ssm import Ssm
from sim.aws.wire import Attempt

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_sqs import SQSClient
    from types_boto3_ssm import SSMClient

REGION = "eu-central-1"
URL = "https://sqs.eu-central-1.amazonaws.com/000000000000/emails"
KEY = "emails/a b+c&<ü>%2F.json"


class Cloud:
    """The three models on a good day. `answer` stands between them and the clients."""

    def __init__(self) -> None:
        self.models: dict[str, Sqs | S3 | Ssm] = {
            "sqs": Sqs([Queue(URL, "arn")]),
            "s3": S3([Bucket("emails")]),
            "ssm": Ssm("arn"),
        }
        self.calls: list[Attempt] = []
        self.fails: Exception | None = None
        self._calm = Calm()

    def deliver(self, call: Attempt) -> Answer:
        self.calls.append(call)
        if self.fails is not None:
            raise self.fails
        answer = self.models[call.service].call(call.operation, call.parameters, now=1000.5, choose=self._calm)
        assert not isinstance(answer, Wait)
        return answer

    def sqs(self, attempts: int = 1) -> SQSClient:
        client = aws.client("sqs", REGION, connections=1, attempts=attempts)
        wire.connect(client, "worker-1", self.deliver)
        return client

    def s3(self) -> S3Client:
        client = aws.client("s3", REGION, connections=1, attempts=1)
        wire.connect(client, "worker-1", self.deliver)
        return client

    def ssm(self) -> SSMClient:
        client = aws.client("ssm", REGION, connections=1, attempts=1)
        wire.connect(client, "worker-1", self.deliver)
        return client


def code(error: ClientError) -> tuple[str, int]:
    return error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]


def test_a_message_through_sqs() -> None:
    cloud = Cloud()
    sqs = cloud.sqs()
    sent = sqs.send_message_batch(
        QueueUrl=URL, Entries=[{"Id": "a", "MessageBody": "é<&>"}, {"Id": "b", "MessageBody": "\0"}]
    )
    assert [entry["Id"] for entry in sent["Successful"]] == ["a"]
    assert [entry["Code"] for entry in sent["Failed"]] == ["InvalidMessageContents"]
    [message] = sqs.receive_message(QueueUrl=URL, WaitTimeSeconds=20)["Messages"]
    assert message["Body"] == "é<&>"
    sqs.delete_message(QueueUrl=URL, ReceiptHandle=message["ReceiptHandle"])
    assert [(call.caller, call.service, call.operation) for call in cloud.calls] == [
        ("worker-1", "sqs", "SendMessageBatch"),
        ("worker-1", "sqs", "ReceiveMessage"),
        ("worker-1", "sqs", "DeleteMessage"),
    ]
    assert cloud.calls[1].parameters == {"QueueUrl": URL, "WaitTimeSeconds": 20}


def test_errors_of_sqs_have_the_codes_of_its_older_protocol_and_their_classes() -> None:
    sqs = Cloud().sqs()
    with pytest.raises(sqs.exceptions.QueueDoesNotExist) as refused:
        sqs.send_message(QueueUrl=f"{URL}-not", MessageBody="x")
    assert code(refused.value) == ("AWS.SimpleQueueService.NonExistentQueue", 400)


@pytest.mark.parametrize("endpoint", [None, "http://127.0.0.1:1"], ids=["bucket in the host", "bucket in the path"])
def test_an_object_through_s3(endpoint: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    if endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    s3 = Cloud().s3()
    put = s3.put_object(Bucket="emails", Key=KEY, Body=b"hello", ContentType="text/plain", Metadata={"id": "1"})
    got = s3.get_object(Bucket="emails", Key=KEY)
    assert got["Body"].read() == b"hello"
    assert (got["ContentType"], got["Metadata"], got["ETag"]) == ("text/plain", {"id": "1"}, put["ETag"])
    assert got["LastModified"] == datetime.fromtimestamp(1000, UTC)
    assert got["ContentLength"] == 5


def test_errors_of_s3() -> None:
    s3 = Cloud().s3()
    with pytest.raises(s3.exceptions.NoSuchKey):
        s3.get_object(Bucket="emails", Key="a")
    s3.put_object(Bucket="emails", Key="a")
    with pytest.raises(ClientError) as refused:
        s3.put_object(Bucket="emails", Key="a", IfNoneMatch="*")
    assert code(refused.value) == ("PreconditionFailed", 412)


def test_a_parameter_through_ssm() -> None:
    ssm = Cloud().ssm()
    ssm.put_parameter(Name="/token", Value="secret", Type="SecureString")
    answer = ssm.get_parameter(Name="/token", WithDecryption=True)["Parameter"]
    assert answer["Value"] == "secret"
    assert answer["LastModifiedDate"] == datetime.fromtimestamp(1000.5, UTC)
    with pytest.raises(ssm.exceptions.ParameterNotFound):
        ssm.get_parameter(Name="/other")


CALL = Attempt("api-1", "sqs", "SendMessage", {}, "https://sqs.test/")


@pytest.mark.parametrize(
    ("fails", "raised", "outcome"),
    [
        (wire.unreachable(CALL), EndpointConnectionError, aws.Outcome.UNAVAILABLE),
        (wire.reset(CALL), ConnectionClosedError, aws.Outcome.UNKNOWN),
        (wire.timed_out(CALL), ReadTimeoutError, aws.Outcome.UNKNOWN),
        (AwsError("RequestThrottled", "", 403), ClientError, aws.Outcome.UNAVAILABLE),
        (AwsError("InternalFailure", "", 500), ClientError, aws.Outcome.UNKNOWN),
    ],
)
def test_what_goes_wrong_reaches_the_caller(fails: Exception, raised: type[Exception], outcome: aws.Outcome) -> None:
    cloud = Cloud()
    sqs = cloud.sqs()
    cloud.fails = fails
    with pytest.raises(raised) as seen:
        sqs.send_message(QueueUrl=URL, MessageBody="x")
    assert aws.outcome(seen.value) is outcome


def test_each_attempt_of_boto3_is_a_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    cloud = Cloud()
    cloud.fails = wire.reset(CALL)
    with pytest.raises(ConnectionClosedError):
        cloud.sqs(attempts=3).send_message(QueueUrl=URL, MessageBody="x")
    assert len(cloud.calls) == 3
