"""The AWS clients of the services, and what a failed call says about the work it was to do."""

from __future__ import annotations

import logging
from enum import Enum
from typing import TYPE_CHECKING, Literal, overload

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, SSLError
from botocore.handlers import add_expect_header

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_sqs import SQSClient
    from types_boto3_ssm import SSMClient

CONNECT_TIMEOUT_SECONDS = 2.0
READ_TIMEOUT_SECONDS = 5.0

AWS_ERRORS = (BotoCoreError, ClientError, UnicodeDecodeError)
"""What a boto3 call raises by its documentation; the last for an answer cut off within a character, since botocore does
not compare an answer with its Content-Length. It raises others too: RuntimeError where refreshed credentials are still
expired, ResponseParserError for XML that is none. So the services catch Exception around a call."""

# https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
_THROTTLES = frozenset(
    {
        "KmsThrottled",
        "OverLimit",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
_NOT_NOW = frozenset({429, 503})
_SERVER_ERROR = 500


class Outcome(Enum):
    """What is known after a call failed."""

    UNAVAILABLE = "unavailable"
    """AWS was not reached, throttled, or said that it cannot now: nothing was done, a later call may do it."""
    REFUSED = "refused"
    """AWS understood and said no: nothing was done, the same call will be refused again."""
    UNKNOWN = "unknown"
    """The call was under way when the answer was lost: it may have been done."""


def log_failure(log: logging.Logger, what: str, error: Exception, **extra: object) -> None:
    """A warning that a call failed; with the traceback if the error is not one of AWS_ERRORS."""
    unexpected = None if isinstance(error, AWS_ERRORS) else error
    log.warning(what, exc_info=unexpected, extra={"cause": str(error), **extra})


def outcome(error: Exception) -> Outcome:
    """What a call may have done that failed with this error."""
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", _SERVER_ERROR)
        if status in _NOT_NOW or error.response.get("Error", {}).get("Code") in _THROTTLES:
            return Outcome.UNAVAILABLE
        return Outcome.UNKNOWN if status >= _SERVER_ERROR else Outcome.REFUSED
    # botocore raises its other errors, and RuntimeError for expired credentials, before it sends anything. TLS can fail
    # in the middle of an answer too, and any other error can come from reading one.
    before = isinstance(error, (BotoCoreError, RuntimeError)) and not isinstance(error, (HTTPClientError, SSLError))
    return Outcome.UNAVAILABLE if before else Outcome.UNKNOWN


@overload
def client(
    service: Literal["sqs"], region: str, *, connections: int, attempts: int, read_timeout: float = ...
) -> SQSClient: ...
@overload
def client(
    service: Literal["s3"], region: str, *, connections: int, attempts: int, read_timeout: float = ...
) -> S3Client: ...
@overload
def client(
    service: Literal["ssm"], region: str, *, connections: int, attempts: int, read_timeout: float = ...
) -> SSMClient: ...
def client(
    service: Literal["sqs", "s3", "ssm"],
    region: str,
    *,
    connections: int,
    attempts: int,
    read_timeout: float = READ_TIMEOUT_SECONDS,
) -> SQSClient | S3Client | SSMClient:
    """A client whose pool has `connections` connections and whose calls are tried `attempts` times in all.

    Endpoint and credentials come from the environment as the AWS SDKs define it. boto3's own pool of 10
    would make the eleventh thread open and close a connection for every call.
    """
    config = Config(
        connect_timeout=CONNECT_TIMEOUT_SECONDS,
        read_timeout=read_timeout,
        max_pool_connections=connections,
        tcp_keepalive=True,
        retries={"mode": "standard", "total_max_attempts": attempts},
        # The rest saves a third of what a call costs. TLS protects the bytes already; mypy has checked the parameters;
        # boto3 would put its own name together anew for every call.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        parameter_validation=False,
        user_agent=f"email-pipeline boto3/{boto3.__version__}",
    )
    made = boto3.client(service, region_name=region, config=config)
    # An e-mail is small: asking S3 first whether it would take it costs more than sending it.
    made.meta.events.unregister("before-call.s3", add_expect_header)
    return made
