"""A client that does not know whether its e-mail was accepted sends it again, and it is stored once."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
import urllib3

from services.pipeline.message import Email
from sim.client.api import Client
from sim.client.tracker import EmailTracker
from sim.targets.target import Capability


@pytest.mark.needs(Capability.OBJECTS)
def test_the_same_key_and_email_is_one_object(tracker: EmailTracker, client: Client, email: Email) -> None:
    key = str(uuid.uuid4())
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: client.publish(email, key), range(8)))
    assert {answer.status for answer in answers} == {200}
    [message_id] = {answer.message_id for answer in answers}
    tracker.accepted[message_id] = email
    tracker.verify()


def test_the_key_may_be_quoted_as_the_draft_has_it(client: Client, email: Email) -> None:
    key = str(uuid.uuid4())
    assert client.publish(email, key).message_id == client.publish(email, f'"{key}"').message_id


@pytest.mark.needs(Capability.OBJECTS)
def test_another_email_under_a_used_key_overwrites_nothing_and_is_seen(
    tracker: EmailTracker, client: Client, email: Email
) -> None:
    key = str(uuid.uuid4())
    other = email.model_copy(update={"email_content": "something else"})
    first, second = client.publish(email, key).message_id, client.publish(other, key).message_id
    assert first != second
    assert first.partition("-")[0] == second.partition("-")[0]
    tracker.accepted |= {first: email, second: other}
    tracker.verify()


def test_without_a_key_each_request_is_an_email_of_its_own(client: Client, email: Email) -> None:
    assert client.publish(email).message_id != client.publish(email).message_id


@pytest.mark.parametrize("key", ["", '""', "x" * 256, "tab\tinside", "a,b"])
def test_what_is_not_a_key_is_refused(client: Client, email: Email, key: str) -> None:
    answer = client.publish(email, key)
    assert (answer.status, answer.document["type"]) == (400, "urn:email-api:problem:invalid-idempotency-key")


def test_two_keys_are_not_taken_as_one(client: Client, email: Email) -> None:
    headers = urllib3.HTTPHeaderDict([("Idempotency-Key", '"a"'), ("Idempotency-Key", '"b"')])
    body = {"data": email.model_dump(), "token": client.token}
    answer = urllib3.request("POST", f"{client.url}/publish", json=body, headers=headers)
    assert (answer.status, answer.json()["type"]) == (400, "urn:email-api:problem:invalid-idempotency-key")
