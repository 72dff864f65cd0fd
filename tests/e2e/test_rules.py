"""Laws of `tests/property` on a running target: what it accepts and refuses, and what its OpenAPI document says."""

from __future__ import annotations

import json
from typing import Any

import pytest
import schemathesis
from hypothesis import given, settings
from schemathesis import Case, GenerationMode

from services.pipeline.message import Email
from sim.client.api import Client
from sim.client.tracker import EmailTracker
from sim.targets.cluster import ClusterTarget
from sim.targets.target import Capability, Target
from tests.property.answers import ask, assert_problem
from tests.property.in_process import RECEIVED_AT
from tests.property.oracle import ACCEPTED, Rules, judge
from tests.property.strategies import TOKEN, almost_good_bodies, headers


@pytest.mark.needs(Capability.LOAD, Capability.OBJECTS, Capability.QUEUE)
def test_what_is_accepted_is_stored_and_the_rest_refused(target: Target, client: Client, tracker: EmailTracker) -> None:
    rules = Rules(TOKEN, 1_048_576, RECEIVED_AT)
    token = json.dumps(client.token)[1:-1].encode()

    @settings(max_examples=150)
    @given(almost_good_bodies(), headers)
    def publish(body: bytes, sent_with: dict[str, str]) -> None:
        # The real token is put in at the last moment, so that no failure prints it.
        answer = client.post(body.replace(TOKEN.encode(), token), sent_with)
        if isinstance(target, ClusterTarget) and not all(map(str.isascii, sent_with.values())):
            assert answer.status == 400, "the load balancer refuses it, whatever the API would say"
            return
        ruling = judge(rules, body, sent_with.get("Idempotency-Key"))
        if ruling == ACCEPTED:
            assert answer.status == 200
            tracker.accepted[answer.message_id] = Email.model_validate(json.loads(body)["data"])
        else:
            assert_problem(answer, ruling)

    publish()
    tracker.verify()


@pytest.mark.needs(Capability.LOAD)
def test_the_api_is_as_described(client: Client) -> None:
    document = schemathesis.openapi.from_url(f"{client.url}/openapi.json", config=schemathesis.Config())
    publish = document["/publish"]["POST"]

    @settings(max_examples=50)
    @given(publish.as_strategy(GenerationMode.POSITIVE) | publish.as_strategy(GenerationMode.NEGATIVE))
    def is_as_described(case: Case[Any]) -> None:
        ask(case, client.token)

    is_as_described()
