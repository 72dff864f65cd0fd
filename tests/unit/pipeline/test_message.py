"""The message between the API and the worker, and what is none."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.pipeline.message import MAX_UNIX_SECONDS, Email, Message, NotAMessage

texts = st.text(
    st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff", include_characters="\t\n\r"),
    max_size=50,
)
messages = st.builds(
    Message,
    id=st.from_regex("[0-9a-f]{32}(-[0-9a-f]{32})?", fullmatch=True),
    received_at=st.floats(0, 1e11),
    data=st.builds(
        Email,
        email_subject=texts,
        email_sender=texts,
        email_timestream=st.integers(0, MAX_UNIX_SECONDS).map(str),
        email_content=texts,
    ),
)


def document(email: Email, **changed: object) -> dict[str, Any]:
    """A message; with `...` a member is left out."""
    members = {"id": "0" * 32, "received_at": 1.5, "data": email.model_dump(), **changed}
    return {name: value for name, value in members.items() if value is not ...}


def is_email(**changed: str) -> bool:
    fields = {"email_subject": "", "email_sender": "", "email_timestream": "0", "email_content": ""}
    try:
        Email.model_validate({**fields, **changed})
    except ValidationError:
        return False
    return True


def is_xml_text(text: str) -> bool:
    """https://www.w3.org/TR/xml/#charsets"""
    spans = [(0x9, 0xA), (0xD, 0xD), (0x20, 0xD7FF), (0xE000, 0xFFFD), (0x10000, 0x10FFFF)]
    return all(any(first <= ord(character) <= last for first, last in spans) for character in text)


@given(messages)
def test_what_was_encoded_is_decoded(message: Message) -> None:
    assert Message.decode(message.encode()) == message


@given(messages)
def test_a_message_is_text_that_sqs_takes(message: Message) -> None:
    assert is_xml_text(message.encode())


def test_the_format_in_the_queue_stays_what_it_is(email: Email) -> None:
    """During a deployment the old worker reads what the new API writes, and the other way round."""
    body = json.dumps(document(email), separators=(",", ":"))
    assert Message.decode(body).encode() == body


@given(st.text() | st.recursive(st.none() | st.booleans() | st.text(), st.lists).map(json.dumps))
@example("[" * 100_000)
@example("{}")
def test_anything_else_is_not_a_message(body: str) -> None:
    with pytest.raises(NotAMessage):
        Message.decode(body)


@pytest.mark.parametrize(
    ("changed", "cause"),
    [
        ({"id": ...}, "id: missing"),
        ({"id": "../../outside"}, "id: string_pattern_mismatch"),
        ({"id": "0" * 32 + "\n"}, "id: string_pattern_mismatch"),
        ({"id": "A" * 32}, "id: string_pattern_mismatch"),
        ({"received_at": "1.5"}, "received_at: float_type"),
        ({"received_at": ...}, "received_at: missing"),
        ({"data": "s3cret"}, "data: model_type"),
        ({"more": "s3cret"}, "more: extra_forbidden"),
    ],
)
def test_a_message_with_a_fault_is_none_and_the_fault_is_named(
    email: Email, changed: dict[str, object], cause: str
) -> None:
    with pytest.raises(NotAMessage, match=cause) as caught:
        Message.decode(json.dumps(document(email, **changed)))
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("field", ["email_subject", "email_sender", "email_timestream", "email_content"])
@pytest.mark.parametrize("value", ["s3cret\0", 1, None])
def test_an_email_with_a_fault_is_poison_and_its_content_is_not_told(email: Email, field: str, value: object) -> None:
    with pytest.raises(NotAMessage, match=f"data.{field}: ") as caught:
        Message.decode(json.dumps(document(email, data={**email.model_dump(), field: value})))
    assert "s3cret" not in str(caught.value)


@given(
    st.integers(0, 10**13).map(str) | st.from_regex(r"\A0{0,9}[0-9]{1,5}\Z") | st.text("0123456789 +-._e٣", max_size=14)
)
@example(str(MAX_UNIX_SECONDS))
@example(str(MAX_UNIX_SECONDS + 1))
@example("1\n")
def test_a_time_is_one_to_twelve_ascii_digits_up_to_the_year_9999(text: str) -> None:
    digits = re.fullmatch("[0-9]{1,12}", text) is not None
    assert is_email(email_timestream=text) == (digits and int(text) <= MAX_UNIX_SECONDS)


@given(
    st.text(st.characters(exclude_categories=["Cs"]))
    | st.text("\0\t\n\x0b\r\x1f \x7f\x85\u2028\ud7ff\ue000\ufffd\ufffe\uffff")
)
def test_text_is_what_xml_allows(text: str) -> None:
    assert is_email(email_content=text) == is_xml_text(text)
