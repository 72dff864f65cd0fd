"""A message that is not one of the pipeline's ends in the dead-letter queue, and the good ones go past it."""

from __future__ import annotations

import json

import pytest

from services.pipeline.message import Email
from sim.client.tracker import EmailTracker
from sim.host.waiting import until
from sim.targets.target import Capability, Target

pytestmark = [pytest.mark.needs(Capability.OBJECTS, Capability.QUEUE, Capability.DEAD_LETTERS), pytest.mark.resources]

POISON = [
    "not json",
    "[]",
    json.dumps({"id": "../../outside", "received_at": 0, "data": {}}),
    json.dumps({"id": "0" * 32, "received_at": 0, "data": {"email_subject": "only"}}),
]


def test_poison_is_dead_and_the_good_are_stored(target: Target, tracker: EmailTracker, emails: list[Email]) -> None:
    before = set(target.data_plane.object_keys())
    for body in POISON:
        target.data_plane.send(body)
    tracker.publish_all(emails[:20])
    tracker.verify()

    def dead() -> list[str]:
        return [body for body in target.data_plane.dead_letters() if body in POISON]

    until(lambda: sorted(dead()) == sorted(POISON), "the poison in the dead-letter queue", seconds=30, seen=dead)
    new = set(target.data_plane.object_keys()) - before
    assert len(new) == 20, "nothing but the good ones was stored"
