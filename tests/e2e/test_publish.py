"""What is published is stored: once, under the key that its own time gives, byte for byte."""

from __future__ import annotations

import json

import pytest

from services.pipeline.message import Email, Message
from sim.client.api import Client
from sim.client.tracker import EmailTracker
from sim.targets.target import Capability, Target

pytestmark = [pytest.mark.needs(Capability.OBJECTS), pytest.mark.resources]


def test_an_email_is_one_object_named_by_its_own_time(target: Target, tracker: EmailTracker, email: Email) -> None:
    message_id = tracker.publish(email)
    tracker.verify()
    [key] = tracker.object_keys()
    assert key == f"{target.data_plane.resources.prefix}2023/09/01/{message_id}.json"
    stored = target.data_plane.object(key)
    assert stored.content_type == "application/json"
    assert stored.metadata["message-id"] == message_id
    assert float(stored.metadata["received-at"]) > int(email.email_timestream)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\t\r\n",
        "a\r\nb\n\rc",
        'quotes " \\ / and </script>',
        "Ünïcödé, 日本語, العربية, हिन्दी",
        "\U0001f469‍\U0001f469‍\U0001f467‍\U0001f466 \U0010fffd",
        "\u0085\u2028\u2029\ufeff\ufffd\ud7ff\ue000",
    ],
    ids=["empty", "blank", "whitespace", "line-ends", "quotes", "scripts", "astral", "corners"],
)
def test_all_text_that_sqs_takes_comes_back_equal(tracker: EmailTracker, email: Email, text: str) -> None:
    sender = f"{email.email_sender}{text}"
    tracker.publish(Email(email_subject=text, email_sender=sender, email_timestream="0", email_content=text))
    tracker.verify()


@pytest.mark.needs(Capability.LOAD)
def test_every_character_that_sqs_takes_comes_back_equal(tracker: EmailTracker, email: Email) -> None:
    points = [0x9, 0xA, 0xD, *range(0x20, 0xD800), *range(0xE000, 0xFFFE), *range(0x10000, 0x110000, 97)]
    tracker.publish(email.model_copy(update={"email_content": "".join(map(chr, points))}))
    tracker.verify()


@pytest.mark.parametrize("time", ["0", "00000000000", "253402300799"])
def test_the_first_and_the_last_second_are_taken(tracker: EmailTracker, email: Email, time: str) -> None:
    tracker.publish(email.model_copy(update={"email_timestream": time}))
    tracker.verify()


@pytest.mark.needs(Capability.LOAD)
def test_the_largest_email_is_stored_and_one_byte_more_is_refused(
    target: Target, tracker: EmailTracker, client: Client, email: Email
) -> None:
    largest = target.data_plane.message_max_bytes()

    def filled(size: int) -> Email:
        empty = Message(id="0" * 32, received_at=1_700_000_000.001, data=email.model_copy(update={"email_content": ""}))
        room = size - len(empty.encode().encode())
        return email.model_copy(update={"email_content": "é" * (room // 2) + "x" * (room % 2)})

    # The time of receipt takes up to three bytes less when its last digits are zeros.
    tracker.publish(filled(largest))
    refused = client.publish(filled(largest + 4))
    assert refused.status == 413
    assert refused.document["type"] == "urn:email-api:problem:too-large"
    tracker.verify()


@pytest.mark.needs(Capability.LOAD)
def test_the_size_is_judged_in_bytes_not_in_characters(target: Target, client: Client, email: Email) -> None:
    characters = target.data_plane.message_max_bytes() // 4 + 1
    assert client.publish(email.model_copy(update={"email_content": "\U0001f600" * characters})).status == 413


@pytest.mark.needs(Capability.LOAD)
def test_large_emails_at_once_each_find_room_in_a_batch(target: Target, tracker: EmailTracker, email: Email) -> None:
    third = target.data_plane.message_max_bytes() // 3
    tracker.publish_all(
        (email.model_copy(update={"email_content": f"{number}" * (third - 1000)}) for number in range(9)), concurrency=9
    )
    tracker.verify()


@pytest.mark.needs(Capability.LOAD)
@pytest.mark.timeout(120)
def test_a_thousand_emails_at_once_are_each_stored_once(tracker: EmailTracker, email: Email) -> None:
    tracker.publish_all(
        (email.model_copy(update={"email_subject": f"of a thousand: {number}"}) for number in range(1000)),
        concurrency=64,
    )
    assert len(tracker.accepted) == 1000
    tracker.verify()


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "text/plain", "", "application/json"])
def test_json_is_taken_under_any_content_type(client: Client, email: Email, content_type: str) -> None:
    body = json.dumps({"data": email.model_dump(), "token": client.token}).encode()
    assert client.post(body, {"Content-Type": content_type}).status == 200
