"""Messages into SQS, ten to a call.

An e-mail is accepted when SQS has confirmed *its* entry of a batch. So each entry has an answer of
its own: None for confirmed, or the problem that its client gets.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from services.api.problems import INTERNAL, UNAVAILABLE, UNKNOWN, Problem, Rejection
from services.pipeline.aws import Outcome, log_failure, outcome
from services.pipeline.runtime import full_jitter

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient

    from services.pipeline.runtime import Runtime

log = logging.getLogger(__name__)

BATCH_ENTRIES = 10
"""https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html"""
ATTEMPTS = 2
"""A second send of a message is harmless, since its id decides its object; a third would keep the client waiting."""
_RETRY_SECONDS = 0.2

Answer = Problem | None

_REFUSED = Problem(INTERNAL, "The queue refused the message. It has not been accepted.")
_NOT_NOW = Problem(UNAVAILABLE, "The queue cannot be reached or throttles.")
_BY_OUTCOME = {
    Outcome.UNAVAILABLE: _NOT_NOW,
    Outcome.REFUSED: Problem(UNAVAILABLE, "The queue does not take messages from this service."),
    Outcome.UNKNOWN: Problem(UNKNOWN, "The queue was reached and its answer lost."),
}


class Queue:
    """The queue's sending side."""

    def __init__(self, sqs: SQSClient, url: str, runtime: Runtime) -> None:
        self._sqs = sqs
        self._url = url
        self._runtime = runtime

    def send(self, bodies: Sequence[str]) -> list[Answer]:
        """Sends up to BATCH_ENTRIES bodies; an answer for each, in their order. Never raises an AWS error."""
        answers = dict(enumerate(self._attempt(bodies)))
        for attempt in range(1, ATTEMPTS):
            again = [index for index, answer in answers.items() if answer is not None and answer.kind.retry]
            if not again:
                break
            self._runtime.sleep(full_jitter(attempt, base=_RETRY_SECONDS, cap=1, draw=self._runtime.random))
            for index, answer in zip(again, self._attempt([bodies[index] for index in again]), strict=True):
                answers[index] = _later(answers[index], answer)
        return list(answers.values())

    def check(self) -> None:
        """Raises Rejection unless the queue answers."""
        try:
            self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])
        except Exception as error:
            log_failure(log, "SQS is not ready", error)
            raise Rejection(_BY_OUTCOME[outcome(error)]) from None

    def _attempt(self, bodies: Sequence[str]) -> list[Answer]:
        try:
            result = self._sqs.send_message_batch(
                QueueUrl=self._url,
                Entries=[{"Id": str(index), "MessageBody": body} for index, body in enumerate(bodies)],
            )
        except Exception as error:
            what = outcome(error)
            log_failure(log, "SendMessageBatch failed", error, outcome=what.value)
            return [_BY_OUTCOME[what]] * len(bodies)
        by_id: dict[str, Answer] = {
            entry["Id"]: _REFUSED if entry["SenderFault"] else _NOT_NOW for entry in result.get("Failed", [])
        }
        by_id |= {entry["Id"]: None for entry in result.get("Successful", [])}
        # An answer that was cut off on its way does not name every entry.
        answers = [by_id.get(str(index), _BY_OUTCOME[Outcome.UNKNOWN]) for index in range(len(bodies))]
        if any(answers):
            log.warning("SendMessageBatch failed in part", extra={"failed": len(bodies) - answers.count(None)})
        return answers


def _later(first: Answer, second: Answer) -> Answer:
    """The answer after two attempts: if the first may have reached the queue, a failed second one leaves that open."""
    if second is not None and first is not None and first.kind is UNKNOWN:
        return first
    return second
