"""Where the emulators depart from AWS: each with the page that says so, and the calls that show it.

The random programs keep clear of these.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.conformance.checked import Checked
from tests.conformance.emulators import MAX_RECEIVE_COUNT, Emulator

_SQS = "AWSSimpleQueueService/latest/APIReference"
_SSM = "systems-manager/latest/APIReference"
_BOTH = ("LocalStack", "moto")
_MALFORMED = "not a receipt handle"


@dataclass(frozen=True)
class Departure:
    """`probe` makes calls of which AWS would answer at least one otherwise. `page` is below docs.aws.amazon.com."""

    what: str
    emulators: tuple[str, ...]
    page: str
    probe: Callable[[Emulator], object]


def _send(**parameters: Any) -> Callable[[Emulator], object]:
    return lambda emulator: _call(emulator.queue(), "SendMessage", **{"MessageBody": "x", **parameters})


def _send_entry(**parameters: Any) -> Callable[[Emulator], object]:
    entry = {"Id": "a", "MessageBody": "x", **parameters}
    return lambda emulator: _call(emulator.queue(), "SendMessageBatch", Entries=[entry])


def _receive(**parameters: Any) -> Callable[[Emulator], object]:
    return lambda emulator: _call(emulator.queue(), "ReceiveMessage", **parameters)


def _change(*seconds: int, delete: bool = False) -> Callable[[Emulator], object]:
    """The visibility of a message in flight, or of one that was."""

    def probe(emulator: Emulator) -> None:
        queue = emulator.queue()
        _call(queue, "SendMessage", MessageBody="x")
        handle = _call(queue, "ReceiveMessage", VisibilityTimeout=30)["Messages"][0]["ReceiptHandle"]
        if delete:
            _call(queue, "DeleteMessage", ReceiptHandle=handle)
        for each in seconds:
            _call(queue, "ChangeMessageVisibility", ReceiptHandle=handle, VisibilityTimeout=each)

    return probe


def _delete_a_dead_letter(emulator: Emulator) -> None:
    queue = emulator.queue()
    _call(queue, "SendMessage", MessageBody="x")
    for _ in range(MAX_RECEIVE_COUNT):
        handle = _call(queue, "ReceiveMessage", VisibilityTimeout=0)["Messages"][0]["ReceiptHandle"]
    _call(queue, "ReceiveMessage")
    _call(queue, "DeleteMessage", ReceiptHandle=handle)


def _delete_twice_in_one(emulator: Emulator) -> None:
    queue = emulator.queue()
    _call(queue, "SendMessage", MessageBody="x")
    handle = _call(queue, "ReceiveMessage")["Messages"][0]["ReceiptHandle"]
    _call(queue, "DeleteMessageBatch", Entries=[{"Id": name, "ReceiptHandle": handle} for name in "ab"])


def _delete_malformed_entry(emulator: Emulator) -> None:
    _call(emulator.queue(), "DeleteMessageBatch", Entries=[{"Id": "a", "ReceiptHandle": _MALFORMED}])


def _put_object(**parameters: Any) -> Callable[[Emulator], object]:
    def probe(emulator: Emulator) -> None:
        checked, bucket = emulator.bucket()
        checked.call("PutObject", **{"Bucket": bucket, "Key": "a", "Body": b"", **parameters})

    return probe


def _put_parameters(*calls: dict[str, Any], suffix: str = "") -> Callable[[Emulator], object]:
    def probe(emulator: Emulator) -> None:
        checked, name = emulator.parameters()
        for parameters in calls:
            checked.call("PutParameter", Name=name + suffix, **parameters)

    return probe


def _get_version_below_a_path(emulator: Emulator) -> None:
    checked, name = emulator.parameters()
    checked.call("PutParameter", Name=f"/{name}", Value="x", Type="String")
    checked.call("GetParameter", Name=f"/{name}:1")


def _call(queue: tuple[Checked, str, str], operation: str, **parameters: Any) -> Any:
    checked, url, _ = queue
    return checked.call(operation, QueueUrl=url, **parameters)


DEPARTURES = (
    Departure("an empty body is accepted", ("moto",), f"{_SQS}/API_SendMessage.html", _send(MessageBody="")),
    Departure(
        "characters that are not XML 1.0's are accepted",
        ("moto",),
        f"{_SQS}/API_SendMessage.html",
        _send(MessageBody="\x0b"),
    ),
    Departure(
        "a bad character fails its entry without blaming the sender",
        _BOTH,
        f"{_SQS}/API_BatchResultErrorEntry.html",
        _send_entry(MessageBody="\x0b"),
    ),
    Departure("a negative DelaySeconds is accepted", _BOTH, f"{_SQS}/API_SendMessage.html", _send(DelaySeconds=-1)),
    Departure(
        "a DelaySeconds above 900 is accepted", ("LocalStack",), f"{_SQS}/API_SendMessage.html", _send(DelaySeconds=901)
    ),
    Departure(
        "an entry's DelaySeconds above 900 is accepted",
        ("LocalStack",),
        f"{_SQS}/API_SendMessageBatchRequestEntry.html",
        _send_entry(DelaySeconds=901),
    ),
    Departure(
        "no messages may be asked for",
        ("LocalStack",),
        f"{_SQS}/API_ReceiveMessage.html",
        _receive(MaxNumberOfMessages=0),
    ),
    Departure(
        "a negative VisibilityTimeout is accepted",
        _BOTH,
        f"{_SQS}/API_ReceiveMessage.html",
        _receive(VisibilityTimeout=-1),
    ),
    Departure(
        "a VisibilityTimeout above 43,200 is accepted",
        ("LocalStack",),
        f"{_SQS}/API_ReceiveMessage.html",
        _receive(VisibilityTimeout=43_201),
    ),
    Departure(
        "a message may be hidden for more than 12 hours after its delivery",
        ("LocalStack",),
        f"{_SQS}/API_ChangeMessageVisibility.html",
        _change(43_201),
    ),
    Departure(
        "the visibility of a message that is not in flight may be changed",
        _BOTH,
        f"{_SQS}/API_ChangeMessageVisibility.html",
        _change(0, 0),
    ),
    Departure(
        "changing the visibility of a deleted message has another error",
        ("moto",),
        f"{_SQS}/API_ChangeMessageVisibility.html",
        _change(0, delete=True),
    ),
    Departure(
        "a handle of a message that is a dead letter now is refused",
        ("moto",),
        f"{_SQS}/API_DeleteMessage.html",
        _delete_a_dead_letter,
    ),
    Departure(
        "a handle twice in a batch fails the batch",
        ("moto",),
        f"{_SQS}/API_DeleteMessageBatch.html",
        _delete_twice_in_one,
    ),
    Departure(
        "a malformed handle fails its entry without blaming the sender",
        ("LocalStack",),
        f"{_SQS}/API_BatchResultErrorEntry.html",
        _delete_malformed_entry,
    ),
    Departure(
        "a key of more than 1,024 bytes is accepted",
        ("moto",),
        "AmazonS3/latest/userguide/object-keys.html",
        _put_object(Key="é" * 513),
    ),
    Departure(
        "metadata of more than 2 KB is accepted",
        _BOTH,
        "AmazonS3/latest/userguide/UsingMetadata.html",
        _put_object(Metadata={"a": "x" * 2048}),
    ),
    Departure(
        "a parameter's type can be changed",
        _BOTH,
        f"{_SSM}/API_PutParameter.html",
        _put_parameters({"Value": "x", "Type": "String"}, {"Value": "x", "Type": "SecureString", "Overwrite": True}),
    ),
    Departure(
        "with Overwrite a new parameter needs no type",
        _BOTH,
        f"{_SSM}/API_PutParameter.html",
        _put_parameters({"Value": "x", "Overwrite": True}),
    ),
    Departure(
        "a value of more than 4 KB is a standard parameter's",
        _BOTH,
        f"{_SSM}/API_PutParameter.html",
        _put_parameters({"Value": "x" * 4097, "Type": "String"}),
    ),
    Departure(
        "a name may have a blank in it",
        _BOTH,
        f"{_SSM}/API_PutParameter.html",
        _put_parameters({"Value": "x", "Type": "String"}, suffix=" x"),
    ),
    Departure(
        "a version's name is without its first slash",
        ("LocalStack",),
        f"{_SSM}/API_GetParameter.html",
        _get_version_below_a_path,
    ),
)
