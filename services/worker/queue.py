"""The queue's receiving side."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from services.pipeline.aws import log_failure
from services.pipeline.runtime import full_jitter

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient

    from services.pipeline.runtime import Runtime
    from services.worker.settings import Settings

log = logging.getLogger(__name__)

_DELETE_ATTEMPTS = 4


@dataclass(frozen=True)
class Received:
    """One delivery of a message. The receipt handle belongs to the delivery, not to the message."""

    sqs_id: str
    receipt_handle: str
    body: str
    receive_count: int


class Queue:
    """Receives, and settles what was received: deleted, kept for longer, or given back."""

    def __init__(self, sqs: SQSClient, settings: Settings, runtime: Runtime) -> None:
        self._sqs = sqs
        self._settings = settings
        self._runtime = runtime

    def receive(self) -> list[Received]:
        """A long poll. Raises what boto3 raises."""
        answer = self._sqs.receive_message(
            QueueUrl=self._settings.queue_url,
            MaxNumberOfMessages=self._settings.receive_batch_size,
            WaitTimeSeconds=self._settings.receive_wait_seconds,
            VisibilityTimeout=self._settings.visibility_timeout_seconds,
            MessageSystemAttributeNames=["ApproximateReceiveCount"],
        )
        return [
            Received(
                sqs_id=message["MessageId"],
                receipt_handle=message["ReceiptHandle"],
                body=message["Body"],
                receive_count=int(message["Attributes"]["ApproximateReceiveCount"]),
            )
            for message in answer.get("Messages", [])
        ]

    def delete(self, messages: Sequence[Received], attempted: Callable[[], None]) -> int:
        """Deletes, up to four times for entries that fail; how many SQS confirmed. Calls `attempted` after each time.

        What stays undeleted comes again, and is stored again as the same object.
        """
        left = list(messages)
        for attempt in range(_DELETE_ATTEMPTS):
            if not left:
                break
            if attempt:
                self._runtime.sleep(full_jitter(attempt, base=0.1, cap=2, draw=self._runtime.random))
            left = self._delete_once(left)
            attempted()
        return len(messages) - len(left)

    def keep(self, messages: Sequence[Received]) -> None:
        """Starts the visibility timeout of messages in hand anew."""
        self._change_visibility(messages, self._settings.visibility_timeout_seconds)

    def give_back(self, messages: Sequence[Received]) -> None:
        """Lets another worker have them at once."""
        self._change_visibility(messages, 0)

    def _delete_once(self, messages: list[Received]) -> list[Received]:
        """Those that could not be deleted."""
        try:
            answer = self._sqs.delete_message_batch(
                QueueUrl=self._settings.queue_url,
                Entries=[
                    {"Id": str(index), "ReceiptHandle": message.receipt_handle}
                    for index, message in enumerate(messages)
                ],
            )
        except Exception as error:
            log_failure(log, "DeleteMessageBatch failed", error)
            return messages
        # An entry can fail inside a call that succeeds.
        deleted = {entry["Id"] for entry in answer.get("Successful", [])}
        return [message for index, message in enumerate(messages) if str(index) not in deleted]

    def _change_visibility(self, messages: Sequence[Received], seconds: int) -> None:
        if not messages:
            return
        try:
            answer = self._sqs.change_message_visibility_batch(
                QueueUrl=self._settings.queue_url,
                Entries=[
                    {"Id": str(index), "ReceiptHandle": message.receipt_handle, "VisibilityTimeout": seconds}
                    for index, message in enumerate(messages)
                ],
            )
        except Exception as error:
            log_failure(log, "ChangeMessageVisibilityBatch failed", error, seconds=seconds)
            return
        for entry in answer.get("Failed", []):
            log.warning("ChangeMessageVisibilityBatch failed for an entry", extra={"code": entry["Code"]})
