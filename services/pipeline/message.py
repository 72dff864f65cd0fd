"""The e-mail, and the message in which it travels from the API through SQS to the worker.

One model serves four ends: the API's validation, the OpenAPI document made from it, the queue's
format, and the worker's judgement of what is poison.
"""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

MAX_UNIX_SECONDS = 253402300799
"""The last second of the year 9999."""

# The characters that SQS takes are XML 1.0's. Said by those that it does not take, because Rust, Python and ECMAScript,
# which all read the pattern, agree on how to write these; JSON in UTF-8 has no surrogates.
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
_XML_TEXT = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]*$"

# 0 to MAX_UNIX_SECONDS in at most twelve digits, exact, so that the OpenAPI document says all of it.
_UNIX_SECONDS = (
    "^(?:[0-9]{1,11}|[01][0-9]{11}|2[0-4][0-9]{10}|25[0-2][0-9]{9}|253[0-3][0-9]{8}"
    "|25340[01][0-9]{6}|253402[0-2][0-9]{5}|253402300[0-7][0-9]{2})$"
)

Text = Annotated[
    str,
    Field(
        pattern=_XML_TEXT,
        description="text of XML 1.0 characters: no control characters but tab, line feed and carriage return, "
        "no surrogates, no U+FFFE or U+FFFF",
    ),
]
UnixSeconds = Annotated[
    str,
    Field(
        pattern=_UNIX_SECONDS,
        description=f"Unix seconds in 1 to 12 ASCII digits, 0 to {MAX_UNIX_SECONDS}",
        examples=["1693561101"],
    ),
]
MessageId = Annotated[
    str,
    Field(
        pattern="^[0-9a-f]{32}(?:-[0-9a-f]{32})?$",
        description="names the stored object: 32 hex digits made for this request or from its Idempotency-Key; "
        "in the latter case followed by 32 made from the e-mail",
        examples=["5f0c1d3e9a7b4c2d8e6f1a2b3c4d5e6f"],
    ),
]


class NotAMessage(ValueError):
    """The body of a queue message is not one that the API wrote: poison. Says why, without the content."""


class Email(BaseModel):
    """An e-mail as a client publishes it: four strings, all required, nothing else."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    email_subject: Text
    email_sender: Text
    email_timestream: UnixSeconds
    email_content: Text


class Message(BaseModel):
    """One SQS message: the e-mail, the id that names its object, and when it was received (Unix seconds)."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    id: MessageId
    received_at: float
    data: Email

    def encode(self) -> str:
        """The message body, compact JSON: `{"id": ..., "received_at": ..., "data": {...}}`."""
        return self.model_dump_json()

    @classmethod
    def decode(cls, body: str) -> Self:
        """The message in a body. Raises NotAMessage for anything else."""
        try:
            return cls.model_validate_json(body)
        except ValidationError as error:
            faults = (f"{'.'.join(map(str, fault['loc'])) or 'body'}: {fault['type']}" for fault in error.errors())
            raise NotAMessage("not a message of this pipeline: " + ", ".join(faults)) from None
