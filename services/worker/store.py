"""E-mails into S3. The key is a function of the message, so storing it twice is storing it once."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from services.pipeline.message import Message

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


_FOR_GOOD = frozenset({"AccessDenied", "AllAccessDisabled", "NoSuchBucket"})
"""https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList"""


def refused_for_good(error: Exception) -> bool:
    """Whether S3 refused a write as it will refuse every other, until somebody changes a permission or the bucket.

    False for throttling, time-outs and errors of the server, which end by themselves, and for what is wrong with one
    object.
    """
    return isinstance(error, ClientError) and error.response.get("Error", {}).get("Code") in _FOR_GOOD


def object_key(prefix: str, message: Message) -> str:
    """`<prefix><yyyy>/<mm>/<dd>/<id>.json`, the date from the e-mail's own time in UTC."""
    sent = datetime.fromtimestamp(int(message.data.email_timestream), UTC)
    return f"{prefix}{sent:%Y/%m/%d}/{message.id}.json"


class Store:
    """Writes e-mails to the bucket."""

    def __init__(self, s3: S3Client, bucket: str, prefix: str) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._prefix = prefix

    def put(self, message: Message) -> str:
        """Stores the e-mail; the key under which it is once S3 has confirmed. Raises what boto3 raises."""
        key = object_key(self._prefix, message)
        self._s3.put_object(
            Bucket=self._bucket,
            Key=key,
            Body=message.data.model_dump_json().encode(),
            ContentType="application/json",
            Metadata={"message-id": message.id, "received-at": str(message.received_at)},
        )
        return key
