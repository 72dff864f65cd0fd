"""What a failed call says about the work it was to do: from every exception of botocore's, and from real sockets."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING

import pytest
from botocore import exceptions
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from services.pipeline import aws
from services.pipeline.aws import AWS_ERRORS, Outcome, outcome
from sim.host.process import free_port
from tests.unit import wire

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient

URL = "https://aws.invalid"


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (exceptions.EndpointConnectionError(endpoint_url=URL), Outcome.UNAVAILABLE),
        (exceptions.ConnectTimeoutError(endpoint_url=URL), Outcome.UNAVAILABLE),
        (exceptions.ProxyConnectionError(proxy_url=URL), Outcome.UNAVAILABLE),
        (exceptions.SSLError(endpoint_url=URL, error=OSError("bad record")), Outcome.UNKNOWN),
        (exceptions.ConnectionError(error=OSError("no route")), Outcome.UNAVAILABLE),
        (exceptions.NoCredentialsError(), Outcome.UNAVAILABLE),
        (exceptions.CredentialRetrievalError(provider="p", error_msg="m"), Outcome.UNAVAILABLE),
        (exceptions.MetadataRetrievalError(error_msg="m"), Outcome.UNAVAILABLE),
        (exceptions.ReadTimeoutError(endpoint_url=URL), Outcome.UNKNOWN),
        (exceptions.ConnectionClosedError(endpoint_url=URL), Outcome.UNKNOWN),
        (exceptions.ResponseStreamingError(error="cut off"), Outcome.UNKNOWN),
        (exceptions.HTTPClientError(error="anything"), Outcome.UNKNOWN),
    ],
    ids=wire.described,
)
def test_without_an_answer(error: BotoCoreError, expected: Outcome) -> None:
    assert isinstance(error, AWS_ERRORS)
    assert outcome(error) is expected


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (wire.EXPIRED_CREDENTIALS, Outcome.UNAVAILABLE),
        (ResponseParserError("no XML"), Outcome.UNKNOWN),
        (KeyError("anything"), Outcome.UNKNOWN),
        (UnicodeDecodeError("utf-8", b"", 0, 0, "cut off"), Outcome.UNKNOWN),
    ],
    ids=wire.described,
)
def test_errors_that_boto3_does_not_document(error: Exception, expected: Outcome) -> None:
    assert outcome(error) is expected


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (400, "ThrottlingException", Outcome.UNAVAILABLE),
        (400, "Throttling", Outcome.UNAVAILABLE),
        (403, "RequestThrottled", Outcome.UNAVAILABLE),
        (403, "OverLimit", Outcome.UNAVAILABLE),
        (429, "TooManyRequestsException", Outcome.UNAVAILABLE),
        (500, "ThrottledException", Outcome.UNAVAILABLE),
        (503, "SlowDown", Outcome.UNAVAILABLE),
        (503, "ServiceUnavailable", Outcome.UNAVAILABLE),
        (503, "never heard of", Outcome.UNAVAILABLE),
        (400, "InvalidMessageContents", Outcome.REFUSED),
        (400, "QueueDoesNotExist", Outcome.REFUSED),
        (400, "ParameterNotFound", Outcome.REFUSED),
        (403, "AccessDenied", Outcome.REFUSED),
        (404, "NoSuchBucket", Outcome.REFUSED),
        (499, "never heard of", Outcome.REFUSED),
        (500, "InternalError", Outcome.UNKNOWN),
        (502, "502", Outcome.UNKNOWN),
        (504, "504", Outcome.UNKNOWN),
    ],
)
def test_with_an_error_for_an_answer(status: int, code: str, expected: Outcome) -> None:
    error = ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "Operation")  # type: ignore[typeddict-item]  # the rest is not asked for
    assert isinstance(error, AWS_ERRORS)
    assert outcome(error) is expected


def test_an_error_without_a_status_is_unknown() -> None:
    assert outcome(ClientError({}, "Operation")) is Outcome.UNKNOWN


class Server:
    """Reads one request on a loopback port and says `answer`; then closes, or with None for an answer does nothing."""

    def __init__(self, answer: bytes | None) -> None:
        self._answer = answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self.port = self._listener.getsockname()[1]

    def __enter__(self) -> Server:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        connection, _ = self._listener.accept()
        with connection:
            connection.recv(65_536)
            if self._answer is None:
                self._over.wait()
            else:
                connection.sendall(self._answer)


def sqs(monkeypatch: pytest.MonkeyPatch, port: int, *, read_timeout: float = 5) -> SQSClient:
    monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return aws.client("sqs", wire.REGION, connections=1, attempts=1, read_timeout=read_timeout)


def failure(client: SQSClient) -> Outcome:
    with pytest.raises(AWS_ERRORS) as caught:
        client.send_message(QueueUrl="http://sqs.invalid/queue", MessageBody="body")
    return outcome(caught.value)


def test_a_closed_port_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    assert failure(sqs(monkeypatch, free_port())) is Outcome.UNAVAILABLE


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b"", Outcome.UNKNOWN),
        (b"HTTP/1.1 20", Outcome.UNKNOWN),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{", Outcome.UNKNOWN),
        (b'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"MessageId": "\xc3', Outcome.UNKNOWN),
        (b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n", Outcome.UNKNOWN),
        (b"HTTP/1.1 503 Oh\r\nContent-Length: 0\r\n\r\n", Outcome.UNAVAILABLE),
        (b'HTTP/1.1 400 Oh\r\nContent-Length: 24\r\n\r\n{"__type": "Throttling"}', Outcome.UNAVAILABLE),
        (b"HTTP/1.1 403 Oh\r\nContent-Length: 0\r\n\r\n", Outcome.REFUSED),
    ],
)
def test_what_comes_over_a_socket(monkeypatch: pytest.MonkeyPatch, answer: bytes, expected: Outcome) -> None:
    with Server(answer) as server:
        assert failure(sqs(monkeypatch, server.port)) is expected


def test_no_answer_in_time_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    with Server(None) as server:
        assert failure(sqs(monkeypatch, server.port, read_timeout=0.05)) is Outcome.UNKNOWN


def test_a_client_has_the_connections_attempts_and_time_it_was_given() -> None:
    config = aws.client("s3", wire.REGION, connections=80, attempts=3, read_timeout=25).meta.config
    assert (config.max_pool_connections, config.read_timeout, config.connect_timeout) == (80, 25, 2)  # type: ignore[attr-defined]  # its options are made at run time
    assert config.retries == {"mode": "standard", "total_max_attempts": 3}  # type: ignore[attr-defined]  # so is this


@pytest.mark.parametrize("attempts", [1, 2])
def test_a_call_is_tried_so_often(attempts: int, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[str] = []
    client = aws.client("sqs", wire.REGION, connections=1, attempts=attempts)
    monkeypatch.setattr("time.sleep", lambda _: None)

    def refuse(operation: str, _request: object) -> wire.Sent:
        tried.append(operation)
        return wire.REFUSED_CONNECTION

    wire.connect(client, refuse)
    assert failure(client) is Outcome.UNAVAILABLE
    assert len(tried) == attempts
