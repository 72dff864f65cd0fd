"""One publish request: what it must be, and the message that it becomes."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

import pydantic_core
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.api.problems import (
    INVALID_EMAIL,
    INVALID_IDEMPOTENCY_KEY,
    NOT_JSON,
    TOO_LARGE,
    WRONG_TOKEN,
    FieldError,
    Problem,
    Rejection,
)
from services.pipeline.message import Email, Message

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from pydantic_core import ErrorDetails

_FIELD_NAME_CHARACTERS = 100
IDEMPOTENCY_KEY = '^(?:"[!-+.-~-](?:[ -+.-~-]{0,253}[!-+.-~-])?"|[!#-+.-~-](?:[ -+.-~-]{0,253}[!-+.-~-])?)$'
"""The header's pattern, as the OpenAPI document has it too: in quotes, or not beginning with one. It has no comma, by
which servers and proxies join two headers of one name: RFC 9110, section 5.3."""


class PublishRequest(BaseModel):
    """The body of `POST /publish`."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    data: Email
    token: str = Field(description="the token of this deployment", repr=False)


class PublishResponse(BaseModel):
    """The e-mail is in the queue."""

    status: str = Field("ok", pattern="^ok$")
    message_id: str = Field(description="names the object in which the e-mail will be stored")


def read(body: bytes, accepts: Callable[[str], bool]) -> Email:
    """The e-mail in a request's body. The token is judged before the e-mail.

    Raises Rejection: NOT_JSON, WRONG_TOKEN, INVALID_EMAIL, or whatever `accepts` raises.
    """
    try:
        document = pydantic_core.from_json(body, allow_inf_nan=False)
    except ValueError:
        raise Rejection(Problem(NOT_JSON, "The body must be JSON in UTF-8.")) from None
    if not isinstance(document, dict):
        raise Rejection(Problem(NOT_JSON, "The body must be a JSON object with the members `data` and `token`."))
    token = document.get("token")
    if not isinstance(token, str) or not accepts(token):
        raise Rejection(Problem(WRONG_TOKEN, "The member `token` must be this deployment's token."))
    try:
        return PublishRequest.model_validate(document).data
    except ValidationError as error:
        errors = tuple(map(_field_error, error.errors(include_url=False, include_input=False)))
        raise Rejection(Problem(INVALID_EMAIL, f"{len(errors)} field(s) are not valid.", errors)) from None


def idempotency_key(header: str | None) -> str | None:
    """The key in an Idempotency-Key header: bare, or quoted as the IETF draft has it; None where there is no header.

    https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
    Raises Rejection INVALID_IDEMPOTENCY_KEY.
    """
    if header is None:
        return None
    key = header.strip(" \t")
    if not re.fullmatch(IDEMPOTENCY_KEY, key):
        detail = (
            "There must be one Idempotency-Key: 1 to 255 printable ASCII characters, no comma, no space at either end, "
            "in double quotes or not beginning with one."
        )
        raise Rejection(Problem(INVALID_IDEMPOTENCY_KEY, detail))
    return key[1:-1] if key.startswith('"') else key


def message(email: Email, key: str | None, *, received_at: float, draw: random.Random) -> Message:
    """The message for an e-mail. With a key its id is a function of the key and the e-mail, and of nothing else:
    a retry names the same object, and another e-mail under a used key names another object beside it."""
    if key is None:
        message_id = f"{draw.getrandbits(128):032x}"
    else:
        message_id = f"{_digest(key)}-{_digest(email.model_dump_json())}"
    return Message(id=message_id, received_at=round(received_at, 3), data=email)


def encode(message: Message, max_bytes: int) -> str:
    """The message as SQS gets it. Raises Rejection TOO_LARGE when SQS would not take it, in bytes of UTF-8."""
    body = message.encode()
    size = len(body.encode())
    if size > max_bytes:
        raise Rejection(Problem(TOO_LARGE, f"The message is {size} bytes; the queue takes {max_bytes}."))
    return body


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _field_error(fault: ErrorDetails) -> FieldError:
    name = ".".join(map(str, fault["loc"]))[:_FIELD_NAME_CHARACTERS]
    match fault["type"]:
        case "missing":
            rule = "is required"
        case "extra_forbidden":
            rule = "is not a known field"
        case "string_type":
            rule = "must be a string"
        case "string_pattern_mismatch" | "string_unicode":
            rule = f"must be {Email.model_fields[str(fault['loc'][-1])].description}"
        case _:
            rule = "must be an object with the four fields of an e-mail"
    return FieldError(field=name, rule=rule)
