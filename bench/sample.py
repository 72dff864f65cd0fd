"""The e-mail that every measurement sends: a short text mail of about one kilobyte."""

from __future__ import annotations

import json
import uuid

from services.pipeline.message import Email, Message

TOKEN = "a-token-for-the-benchmark"  # valid only for the benchmark's own API

EMAIL = Email(
    email_subject="Minutes of Thursday's meeting",
    email_sender="secretary@example.org",
    email_timestream="1693561101",
    email_content="The budget for the coming year was read and agreed to.\n" * 16,
)


def publish_body() -> bytes:
    """The body of `POST /publish`."""
    return json.dumps({"data": EMAIL.model_dump(), "token": TOKEN}).encode()


def message_body() -> str:
    """The body of a message as the API sends it, another one at each call."""
    return Message(id=uuid.uuid4().hex, received_at=1693561101.5, data=EMAIL).encode()
