"""Where an e-mail is stored, and what the object holds."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.pipeline import aws
from services.pipeline.aws import AWS_ERRORS
from services.pipeline.message import MAX_UNIX_SECONDS, Email, Message
from services.worker.store import Store, object_key
from tests.unit import wire


def message(seconds: str, *, received_at: float = 0, content: str = "") -> Message:
    email = Email(email_subject="", email_sender="", email_timestream=seconds, email_content=content)
    return Message(id="0123456789abcdef" * 2, received_at=received_at, data=email)


@given(
    seconds=st.integers(0, MAX_UNIX_SECONDS),
    zeros=st.integers(0, 11),
    received_at=st.floats(0, 1e11),
    prefix=st.text(max_size=9),
)
@example(seconds=0, zeros=0, received_at=0, prefix="")
@example(seconds=86_399, zeros=0, received_at=0, prefix="")
@example(seconds=86_400, zeros=0, received_at=0, prefix="")
@example(seconds=MAX_UNIX_SECONDS, zeros=0, received_at=0, prefix="")
def test_the_key_is_the_prefix_the_day_of_the_emails_own_time_and_the_id(
    seconds: int, zeros: int, received_at: float, prefix: str
) -> None:
    digits = str(seconds).zfill(min(12, len(str(seconds)) + zeros))
    day = datetime(1970, 1, 1) + timedelta(seconds=seconds)  # noqa: DTZ001 - reckoned without any time zone
    date = f"{day.year:04}/{day.month:02}/{day.day:02}"
    assert object_key(prefix, message(digits, received_at=received_at)) == (
        f"{prefix}{date}/0123456789abcdef0123456789abcdef.json"
    )


@pytest.fixture
def in_zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    def change(name: str) -> None:
        monkeypatch.setenv("TZ", name)
        time.tzset()

    yield change
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_the_day_is_of_utc_wherever_the_worker_runs(zone: str, in_zone: Callable[[str], None]) -> None:
    in_zone(zone)
    assert object_key("", message("1693612799")).startswith("2023/09/01/")
    assert object_key("", message("1693612800")).startswith("2023/09/02/")


def store(answer: wire.Answer) -> Store:
    s3 = aws.client("s3", wire.REGION, connections=1, attempts=1)
    wire.connect(s3, answer)
    return Store(s3, "bucket", "emails/")


def test_the_object_is_the_email_as_json_with_where_it_came_from() -> None:
    put: list[tuple[str, str, Any, dict[str, str]]] = []
    names = ("Content-Type", "x-amz-meta-message-id", "x-amz-meta-received-at")

    def answer(operation: str, request: Any) -> wire.Sent:
        headers = {name: wire.header(request, name) for name in names}
        put.append((operation, request.url, json.loads(wire.body(request)), headers))
        return wire.Reply(200)

    stored = message("1693561101", received_at=1_700_000_000.25, content="é\n\U0001f600")
    key = store(answer).put(stored)
    [(operation, url, body, headers)] = put
    assert operation == "PutObject"
    assert url.startswith("https://bucket.")
    assert url.endswith(f"/{key}")
    assert key == f"emails/2023/09/01/{stored.id}.json"
    assert body == stored.data.model_dump()
    assert headers == dict(zip(names, ("application/json", stored.id, "1700000000.25"), strict=True))


@pytest.mark.parametrize(
    "failure",
    [wire.READ_TIMEOUT, wire.s3_error(503, "SlowDown"), wire.s3_error(403, "AccessDenied")],
    ids=wire.described,
)
def test_what_s3_does_not_confirm_is_not_stored(failure: wire.Sent) -> None:
    with pytest.raises(AWS_ERRORS):
        store(lambda *_: failure).put(message("0"))
