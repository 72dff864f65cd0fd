"""Amazon SQS, standard queues: a specification that runs.

Here is what each operation does to the queues of `sim.aws.sqs_queue`. Calm, a receive delivers the visible messages in
their order, a delivery hides its message for the visibility timeout and has a receipt handle of its own, and a delete
takes the message away. The contract is weaker: copies lie on several servers, and each receive asks some of them. So
wherever a page says "might" or "approximately", the rule asks `choose` whether it happens (`Freedom`).

Pages are below https://docs.aws.amazon.com/AWSSimpleQueueService/latest/: [API] is `APIReference/`, [Guide] is
`SQSDeveloperGuide/`. Times are Unix seconds.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Any

from sim.aws.model import Answer, AwsError, Choice, Freedom, Parameters, Wait, find, operation
from sim.aws.sqs_batches import ENTRY_ERROR, failed_entry
from sim.aws.sqs_queue import Message, Queue

# [Guide] quotas-messages, quotas-queues
MAX_BYTES = 1_048_576
MAX_ENTRIES = 10
MAX_DELAY_SECONDS = 900
MAX_VISIBILITY_SECONDS = 43_200
MAX_WAIT_SECONDS = 20

MAX_LAG_SECONDS = 2.0
"""How late a message may be seen after it was sent: no page says, so a choice of ours."""

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ENTRY_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")
_HANDLE = re.compile(r"[A-Za-z0-9+/=_-]{24,}")


class Sqs:
    """All queues. `call` is the service."""

    def __init__(self, queues: Iterable[Queue]) -> None:
        self.queues = {_name(queue.url): queue for queue in queues}

    def call(
        self, name: str, parameters: Parameters, *, now: float, choose: Choice, waited: Wait | None = None
    ) -> Answer | Wait:
        """The answer to an operation, or for a long poll with nothing to give yet a `Wait`, with which to call again.

        Raises AwsError, or NotModelled.
        """
        found = find(_OPERATIONS, name, parameters)
        queue = self.queues.get(_name(parameters["QueueUrl"]))
        if queue is None:
            raise AwsError("AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist.")
        queue.expire(now)
        more = () if waited is None else (waited,)
        answer: Answer | Wait = found.do(queue, parameters, now, choose, *more)
        return answer


# --- Sending


def _send_batch(queue: Queue, parameters: Parameters, now: float, choose: Choice) -> Answer:
    """[API] API_SendMessageBatch: the bodies of all entries are 1 MiB at most."""
    entries = _entries(parameters)
    if sum(_size(entry["MessageBody"]) for entry in entries) > MAX_BYTES:
        raise AwsError("AWS.SimpleQueueService.BatchRequestTooLong", f"The batch is longer than {MAX_BYTES} bytes.")
    return _each(entries, choose, lambda entry: _send(queue, entry, now, choose))


def _send(queue: Queue, parameters: Parameters, now: float, choose: Choice) -> Answer:
    """[API] API_SendMessage: one character at least, XML 1.0 characters only, 1 MiB at most, a delay of 0-900 s.

    The queue is distributed, so a message need not be there for the next receive.
    """
    body = parameters["MessageBody"]
    if not body:
        raise AwsError("MissingParameter", "The request must contain the parameter MessageBody.")
    if _size(body) > MAX_BYTES:
        raise _invalid(f"Message must be shorter than {MAX_BYTES} bytes.")
    if _NOT_XML.search(body):
        raise AwsError("InvalidMessageContents", "Invalid characters found.")
    delay = _within("DelaySeconds", parameters.get("DelaySeconds", queue.delay_seconds), 0, MAX_DELAY_SECONDS)
    lag = choose.between(0, MAX_LAG_SECONDS) if choose.happens(Freedom.DELAYED_DELIVERY) else 0.0
    message = Message(choose.identity(), body, sent_at=now, visible_at=now + delay + lag)
    queue.add(message)
    return {"MessageId": message.id, "MD5OfMessageBody": _md5(body)}


# --- Receiving


def _receive(
    queue: Queue, parameters: Parameters, now: float, choose: Choice, waited: Wait | None = None
) -> Answer | Wait:
    """[API] API_ReceiveMessage; [Guide] sqs-short-and-long-polling.

    A short poll asks some of the servers only and may miss what others have. A long poll asks all of them and answers
    as soon as there is something, or with nothing after WaitTimeSeconds. By its page that makes false empty
    answers fewer, not impossible, so a long poll too may end empty though there are messages.
    """
    at_most = _within("MaxNumberOfMessages", parameters.get("MaxNumberOfMessages", 1), 1, MAX_ENTRIES)
    seconds = parameters.get("WaitTimeSeconds", queue.receive_wait_seconds)
    _within("WaitTimeSeconds", seconds, 0, MAX_WAIT_SECONDS)
    timeout = parameters.get("VisibilityTimeout", queue.visibility_timeout)
    _within("VisibilityTimeout", timeout, 0, MAX_VISIBILITY_SECONDS)
    if waited is None:
        waited = Wait(now, now + seconds, blind=choose.happens(Freedom.EMPTY_RECEIVE))
    room = not _full(queue, now, long_poll=seconds > 0)
    picked = _deliverable(queue, now, choose, at_most) if room and not waited.blind else ()
    if picked:
        wanted = {*parameters.get("AttributeNames", ()), *parameters.get("MessageSystemAttributeNames", ())}
        return {"Messages": [_deliver(queue, message, now, timeout, wanted, choose) for message in picked]}
    if now >= waited.deadline:
        return {}
    hidden = () if waited.blind else (each.visible_at for each in queue.messages.values() if not each.visible(now))
    return Wait(min([waited.deadline, *hidden]), waited.deadline, waited.blind)


def _full(queue: Queue, now: float, *, long_poll: bool) -> bool:
    """[Guide] quotas-queues: with about 120,000 messages in flight a short poll is answered OverLimit, a long poll
    gives no error."""
    if len(queue.messages) < queue.max_in_flight or queue.count_in_flight(now) < queue.max_in_flight:
        return False
    if not long_poll:
        raise AwsError("OverLimit", f"Too many messages are in flight: {queue.max_in_flight}.", 403)
    return True


def _deliverable(queue: Queue, now: float, choose: Choice, at_most: int) -> Sequence[Message]:
    """The messages that are delivered now: the visible ones, in the order of their coming.

    [Guide] standard-queues: now and then more than one copy is delivered, so one that is in flight may come as well;
    the order is kept as well as can be, not always.
    """
    queue.redrive(now)
    visible = (message for message in queue.messages.values() if message.visible(now))
    copies: Sequence[Message] = ()
    if queue.messages and choose.happens(Freedom.DUPLICATE_DELIVERY):
        copies = choose.pick([message for message in queue.messages.values() if message.in_flight(now)], at_most)
    if queue.messages and choose.happens(Freedom.REORDERING):
        return choose.pick([*copies, *visible], at_most)
    return [*copies, *islice(visible, at_most)][:at_most]


def _deliver(
    queue: Queue, message: Message, now: float, timeout: int, wanted: set[str], choose: Choice
) -> dict[str, Any]:
    """[API] API_ReceiveMessage: each time a message is received it has another receipt handle.

    Its receive count is approximate: a copy on a server that does not know of the last delivery does not count it.
    """
    if message.visible(now):
        queue.count_delivery(message, 1)
    message.visible_at = now + timeout
    message.received_at = now
    if message.first_received_at is None:
        message.first_received_at = now
    handle = choose.identity()
    message.handles.append(handle)
    queue.by_handle[handle] = message
    queue.changes += timeout == 0
    answer = {
        "MessageId": message.id,
        "ReceiptHandle": handle,
        "MD5OfBody": _md5(message.body),
        "Body": message.body,
    }
    attributes = {
        "ApproximateReceiveCount": str(message.receive_count),
        "SentTimestamp": str(int(message.sent_at * 1000)),
        "ApproximateFirstReceiveTimestamp": str(int(message.first_received_at * 1000)),
    }
    chosen = {name: value for name, value in attributes.items() if name in wanted or "All" in wanted}
    return {**answer, "Attributes": chosen} if chosen else answer


# --- Settling what was received


def _delete(queue: Queue, parameters: Parameters, now: float, choose: Choice) -> Answer:
    """[API] API_DeleteMessage: works though the visibility timeout is over, and for a message that is gone.

    With the receipt handle of an earlier delivery it succeeds, and the message may be there still. And a server may be
    unavailable that has a copy: the copy comes again. That server knows nothing of the last delivery, so the copy's
    receive count is without it.
    """
    del now
    message, current = _held(queue, parameters["ReceiptHandle"])
    if message is None or not (current or choose.happens(Freedom.STALE_HANDLE_WORKS)):
        return {}
    if choose.happens(Freedom.DELETE_NOT_STICKING):
        queue.count_delivery(message, -1)
    else:
        queue.remove(message)
    return {}


def _delete_batch(queue: Queue, parameters: Parameters, now: float, choose: Choice) -> Answer:
    """[API] API_DeleteMessageBatch"""
    return _each(_entries(parameters), choose, lambda entry: _delete(queue, entry, now, choose))


def _change_visibility(queue: Queue, parameters: Parameters, now: float, choose: Choice) -> Answer:
    """[API] API_ChangeMessageVisibility: from now on, 12 hours after the delivery at most, and for a message in flight.

    No page says what the handle of an earlier delivery does; so either.
    """
    timeout = _within("VisibilityTimeout", parameters["VisibilityTimeout"], 0, MAX_VISIBILITY_SECONDS)
    message, current = _held(queue, parameters["ReceiptHandle"])
    if message is None:
        raise _invalid("Message does not exist or is not available for visibility timeout change.")
    if not message.in_flight(now):
        raise AwsError("AWS.SimpleQueueService.MessageNotInflight", "The message is not in flight.")
    if now + timeout > message.received_at + MAX_VISIBILITY_SECONDS:
        raise _invalid("Total VisibilityTimeout for the message is beyond the limit.")
    if current or choose.happens(Freedom.STALE_HANDLE_WORKS):
        message.visible_at = now + timeout
        queue.changes += 1
    return {}


def _change_visibility_batch(queue: Queue, parameters: Parameters, now: float, choose: Choice) -> Answer:
    """[API] API_ChangeMessageVisibilityBatch"""
    return _each(_entries(parameters), choose, lambda entry: _change_visibility(queue, entry, now, choose))


def _held(queue: Queue, handle: str) -> tuple[Message | None, bool]:
    """The message that a receipt handle is for, and whether the handle is its current one."""
    if not _HANDLE.fullmatch(handle):
        raise AwsError("ReceiptHandleIsInvalid", f'The input receipt handle "{handle}" is not a valid one.')
    message = queue.by_handle.get(handle)
    return message, message is not None and message.handles[-1] == handle


# --- Looking


def _attributes(queue: Queue, parameters: Parameters, now: float, choose: Choice) -> Answer:
    """[API] API_GetQueueAttributes: the three counts are approximate; they are right a minute after the last change."""
    wanted = set(parameters.get("AttributeNames", ()))
    visible = sum(message.visible(now) for message in queue.messages.values())
    in_flight = queue.count_in_flight(now)
    delayed = len(queue.messages) - visible - in_flight
    if choose.happens(Freedom.INEXACT_COUNT):
        visible, in_flight, delayed = (int(choose.between(0, count)) for count in (visible, in_flight, delayed))
    attributes = {
        "QueueArn": queue.arn,
        "ApproximateNumberOfMessages": str(visible),
        "ApproximateNumberOfMessagesNotVisible": str(in_flight),
        "ApproximateNumberOfMessagesDelayed": str(delayed),
        "VisibilityTimeout": str(queue.visibility_timeout),
        "DelaySeconds": str(queue.delay_seconds),
        "ReceiveMessageWaitTimeSeconds": str(queue.receive_wait_seconds),
        "MessageRetentionPeriod": str(queue.retention_seconds),
    }
    if queue.dead_letters is not None:
        redrive = {"deadLetterTargetArn": queue.dead_letters.arn, "maxReceiveCount": queue.max_receive_count}
        attributes["RedrivePolicy"] = json.dumps(redrive)
    chosen = {name: value for name, value in attributes.items() if name in wanted or "All" in wanted}
    return {"Attributes": chosen} if chosen else {}


# --- Batches


def _entries(parameters: Parameters) -> list[dict[str, Any]]:
    """The entries of a batch: 1-10, their ids of letters, digits, hyphens and underscores, up to 80, all different."""
    entries: list[dict[str, Any]] = parameters["Entries"]
    prefix = "AWS.SimpleQueueService."
    if not entries:
        raise AwsError(f"{prefix}EmptyBatchRequest", "There should be at least one entry in the request.")
    if len(entries) > MAX_ENTRIES:
        raise AwsError(f"{prefix}TooManyEntriesInBatchRequest", f"The most entries in a batch are {MAX_ENTRIES}.")
    ids = [entry["Id"] for entry in entries]
    if not all(map(_ENTRY_ID.fullmatch, ids)):
        raise AwsError(f"{prefix}InvalidBatchEntryId", "A batch entry id is 1 to 80 of A-Z, a-z, 0-9, - and _.")
    if len(set(ids)) < len(ids):
        raise AwsError(f"{prefix}BatchEntryIdsNotDistinct", "Two batch entries have the same id.")
    return entries


def _each(entries: Iterable[dict[str, Any]], choose: Choice, do: Callable[[dict[str, Any]], Answer]) -> Answer:
    """[API] API_SendMessageBatch: each entry has a result of its own, and some may fail in an answer of HTTP 200."""
    successful, failed = [], []
    for entry in entries:
        if choose.happens(Freedom.PARTIAL_BATCH_FAILURE):
            failed.append(failed_entry(entry["Id"], ENTRY_ERROR))
            continue
        try:
            successful.append({"Id": entry["Id"], **do(entry)})
        except AwsError as error:
            failed.append(failed_entry(entry["Id"], error))
    return {name: each for name, each in (("Successful", successful), ("Failed", failed)) if each}


# --- Small things


def _name(url: str) -> str:
    return url.rpartition("/")[2]


def _size(body: str) -> int:
    return len(body.encode(errors="surrogatepass"))


def _md5(body: str) -> str:
    return hashlib.md5(body.encode(), usedforsecurity=False).hexdigest()


def _invalid(reason: str) -> AwsError:
    return AwsError("InvalidParameterValue", f"One or more parameters are invalid. Reason: {reason}")


def _within(name: str, value: int, low: int, high: int) -> int:
    if not low <= value <= high:
        raise _invalid(f"{name} must be from {low} to {high}, and is {value}.")
    return value


_OPERATIONS = {
    "SendMessage": operation(_send, "QueueUrl", "MessageBody", "DelaySeconds"),
    "SendMessageBatch": operation(_send_batch, "QueueUrl", "Entries"),
    "ReceiveMessage": operation(
        _receive,
        "QueueUrl",
        "AttributeNames",
        "MessageSystemAttributeNames",
        "MaxNumberOfMessages",
        "VisibilityTimeout",
        "WaitTimeSeconds",
    ),
    "DeleteMessage": operation(_delete, "QueueUrl", "ReceiptHandle"),
    "DeleteMessageBatch": operation(_delete_batch, "QueueUrl", "Entries"),
    "ChangeMessageVisibility": operation(_change_visibility, "QueueUrl", "ReceiptHandle", "VisibilityTimeout"),
    "ChangeMessageVisibilityBatch": operation(_change_visibility_batch, "QueueUrl", "Entries"),
    "GetQueueAttributes": operation(_attributes, "QueueUrl", "AttributeNames"),
}
