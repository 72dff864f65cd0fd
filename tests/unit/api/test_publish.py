"""What a publish request must be, and which id its message gets."""

from __future__ import annotations

import json
import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.api import publish
from services.api.problems import INVALID_EMAIL, INVALID_IDEMPOTENCY_KEY, NOT_JSON, TOO_LARGE, WRONG_TOKEN, Rejection
from services.pipeline.message import Email, Message

texts = st.text(st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff"), max_size=20)
emails = st.builds(
    Email,
    email_subject=texts,
    email_sender=texts,
    email_timestream=st.integers(0, 10**11).map(str),
    email_content=texts,
)
keys = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters=","), min_size=1, max_size=255)


def message_id(email: Email, key: str | None, *, seed: int = 0, received_at: float = 0) -> str:
    return publish.message(email, key, received_at=received_at, draw=random.Random(seed)).id


@given(
    email=emails, key=keys, seeds=st.tuples(st.integers(), st.integers()), times=st.tuples(*[st.floats(0, 1e10)] * 2)
)
def test_with_a_key_the_id_is_a_function_of_key_and_email(
    email: Email, key: str, seeds: tuple[int, int], times: tuple[float, float]
) -> None:
    first, second = (
        message_id(email, key, seed=seed, received_at=time) for seed, time in zip(seeds, times, strict=True)
    )
    assert first == second


@given(email=emails, other=emails, key=keys)
def test_another_email_under_the_same_key_has_an_id_of_its_own_beside_it(email: Email, other: Email, key: str) -> None:
    first, second = message_id(email, key), message_id(other, key)
    assert (first == second) == (email == other)
    assert first.partition("-")[0] == second.partition("-")[0]


@given(email=emails, key=keys, other=keys)
def test_another_key_is_another_id(email: Email, key: str, other: str) -> None:
    assert (message_id(email, key) == message_id(email, other)) == (key == other)


@given(email=emails, seed=st.integers())
def test_without_a_key_the_id_is_drawn(email: Email, seed: int) -> None:
    assert re.fullmatch("[0-9a-f]{32}", message_id(email, None, seed=seed))
    assert message_id(email, None, seed=seed) != message_id(email, None, seed=seed + 1)


def test_the_id_of_a_key_and_an_email_stays_what_it_is(email: Email) -> None:
    """A client may retry across a deployment: another id would store its e-mail twice."""
    assert message_id(email, "8e03978e") == "2b3ffd0b13af24bb7e22a843249ba252-1f18acf0cd1ba1443e7086f613c5e7d2"


@pytest.mark.parametrize(
    ("header", "key"),
    [
        (None, None),
        ("a", "a"),
        (" \ta\t ", "a"),
        ('"a"', "a"),
        ("a b", "a b"),
        ('"a b"', "a b"),
        ('a"b', 'a"b'),
        ('"a"b"', 'a"b'),
        ("x" * 255, "x" * 255),
        ('"' + "x" * 255 + '"', "x" * 255),
    ],
)
def test_a_key_may_be_bare_or_quoted(header: str | None, key: str | None) -> None:
    assert publish.idempotency_key(header) == key


@pytest.mark.parametrize(
    "header",
    [
        "",
        " ",
        ",",
        "a,b",
        '"a","b"',
        '"a, b"',
        '""',
        '" "',
        '" a"',
        '"a "',
        '"',
        '"a',
        "é",
        "a\tb",
        "a\n",
        "\x7f",
        "x" * 256,
        '"' + "x" * 256 + '"',
    ],
)
def test_what_is_not_a_key_is_refused(header: str) -> None:
    with pytest.raises(Rejection) as caught:
        publish.idempotency_key(header)
    assert caught.value.problem.kind is INVALID_IDEMPOTENCY_KEY


def accepts(token: str) -> bool:
    return token == "right"


def test_a_good_request_is_its_email(email: Email) -> None:
    assert publish.read(json.dumps({"data": email.model_dump(), "token": "right"}).encode(), accepts) == email


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", NOT_JSON),
        (b"[]", NOT_JSON),
        (b'{"token": "right"', NOT_JSON),
        (b'{"data": {}}', WRONG_TOKEN),
        (b'{"token": "wrong", "data": {}}', WRONG_TOKEN),
        (b'{"token": ["right"]}', WRONG_TOKEN),
        (b'{"token": "right"}', INVALID_EMAIL),
        (b'{"token": "right", "data": {}}', INVALID_EMAIL),
    ],
)
def test_the_body_is_judged_first_then_the_token_then_the_email(body: bytes, kind: object) -> None:
    with pytest.raises(Rejection) as caught:
        publish.read(body, accepts)
    assert caught.value.problem.kind is kind


@pytest.mark.parametrize("text", ["", "é", "\U0001f600"])
def test_a_message_is_measured_in_bytes(email: Email, text: str) -> None:
    message = Message(id="0" * 32, received_at=0, data=email.model_copy(update={"email_content": text}))
    size = len(message.encode().encode())
    assert publish.encode(message, size) == message.encode()
    with pytest.raises(Rejection) as caught:
        publish.encode(message, size - 1)
    assert caught.value.problem.kind is TOO_LARGE
    assert str(size) in caught.value.problem.detail
