"""What the end-to-end tests share: a ledger of what was accepted, held against what was stored."""

from __future__ import annotations

import json
from collections.abc import Iterable

import pytest

from services.pipeline.message import Email
from sim.client import Client, publish_all
from sim.targets.target import Target

DRAIN_SECONDS = 40


class Ledger:
    """Every e-mail that the API accepted, by the id that names its object."""

    def __init__(self, target: Target, client: Client) -> None:
        self.accepted: dict[str, Email] = {}
        self._target = target
        self._client = client

    def publish(self, *emails: Email) -> list[str]:
        """Publishes each once; all must be accepted. Their ids."""
        answers = [self._client.publish(email) for email in emails]
        assert [answer.status for answer in answers] == [200] * len(emails)
        self.accepted.update((answer.message_id, email) for answer, email in zip(answers, emails, strict=True))
        return [answer.message_id for answer in answers]

    def publish_many(self, emails: Iterable[Email], concurrency: int = 32) -> None:
        """Publishes them at once, as a client does that tries again; all must be accepted."""
        for published in publish_all(self._client, ((email, email) for email in emails), concurrency=concurrency):
            assert published.answer.accepted, published.answer.why()
            self.accepted[published.answer.message_id] = published.name

    def stored(self) -> dict[str, list[str]]:
        """The keys under which each accepted e-mail is stored now."""
        keys: dict[str, list[str]] = {message_id: [] for message_id in self.accepted}
        for key in self._target.data_plane.keys():
            message_id = key.rpartition("/")[2].removesuffix(".json")
            if message_id in keys:
                keys[message_id].append(key)
        return keys

    def verify(self) -> None:
        """Once the queue is empty, each accepted e-mail is one object with the body that was sent, and none is dead."""
        self._target.drain(DRAIN_SECONDS)
        stored = self.stored()
        assert {message_id: len(keys) for message_id, keys in stored.items()} == dict.fromkeys(self.accepted, 1)
        for message_id, email in self.accepted.items():
            body = self._target.data_plane.object(stored[message_id][0]).body
            assert json.loads(body) == email.model_dump()
        dead = [json.loads(body)["id"] for body in self._target.data_plane.dead_letters() if body.startswith('{"id"')]
        assert not set(dead) & set(self.accepted)


@pytest.fixture
def ledger(target: Target, client: Client) -> Ledger:
    """An empty ledger."""
    return Ledger(target, client)


@pytest.fixture
def emails(email: Email) -> list[Email]:
    """Two hundred different e-mails."""
    return [email.model_copy(update={"email_subject": f"number {number}"}) for number in range(200)]
