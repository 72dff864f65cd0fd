"""Who may publish."""

from __future__ import annotations

import json

import pytest

from services.pipeline.message import Email
from sim.client.api import Client
from sim.host.waiting import until
from sim.targets.target import Capability, Target

pytestmark = pytest.mark.resources

WRONG_TOKEN = "urn:email-api:problem:wrong-token"


@pytest.mark.parametrize("token", ["", "wrong", "tøken", 1, None, [], {}])
def test_a_wrong_token_is_refused_before_the_fields_are_judged(client: Client, token: object) -> None:
    answer = client.post(json.dumps({"token": token, "data": {"bad": "fields"}}).encode())
    assert (answer.status, answer.document["type"]) == (401, WRONG_TOKEN)
    assert "errors" not in answer.document


def test_no_token_is_refused(client: Client, email: Email) -> None:
    answer = client.post(json.dumps({"data": email.model_dump()}).encode())
    assert (answer.status, answer.document["type"]) == (401, WRONG_TOKEN)


@pytest.mark.needs(Capability.ROTATE_TOKEN)
def test_a_rotated_token_works_at_once_and_the_old_one_ends(target: Target, client: Client, email: Email) -> None:
    assert client.publish(email).status == 200
    rotated = Client(target.url, target.data_plane.rotate_token())
    # A wrong token may have made the API ask SSM in the very second before.
    until(lambda: rotated.publish(email).accepted, "the new token to be taken", seconds=1.5)
    until(lambda: client.publish(email).status == 401, "the old token to end", seconds=5)


@pytest.mark.needs(Capability.ROTATE_TOKEN)
def test_a_flood_of_wrong_tokens_does_not_lock_out_the_right_one(target: Target, client: Client, email: Email) -> None:
    wrong = Client(target.url, "wrong")
    assert {wrong.publish(email).status for _ in range(50)} == {401}
    # One of several tasks may have asked SSM just before the token became the present one.
    until(lambda: client.publish(email).accepted, "the right token to be taken", seconds=1.5)
