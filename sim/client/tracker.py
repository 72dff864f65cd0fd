"""Tracks e-mails from the API, which accepted them, to the bucket, where each must be stored once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from services.pipeline.message import Email
from sim.client.api import Client
from sim.client.bulk import publish_all
from sim.cloud.resources import DataPlane
from sim.errors import SimError
from sim.history.checker import check
from sim.history.events import Dead, Event, message_id
from sim.history.observed import of_accepted


class NotAccepted(SimError):
    """The API did not accept an e-mail that it should have."""


class VerdictBad(SimError):
    """An accepted e-mail was lost, doubled, changed, or declared dead."""


class Pipeline(Protocol):
    """What the tracker needs of a pipeline; every target has it."""

    @property
    def data_plane(self) -> DataPlane: ...
    def drain(self, seconds: float) -> None: ...


class EmailTracker:
    """`accepted` holds every e-mail that the API accepted, by the id that names its object."""

    def __init__(self, pipeline: Pipeline, client: Client) -> None:
        self.accepted: dict[str, Email] = {}
        self._pipeline = pipeline
        self._client = client

    def publish(self, email: Email) -> str:
        """Publishes once; the id. Raises NotAccepted."""
        answer = self._client.publish(email)
        if not answer.accepted:
            raise NotAccepted(answer.why())
        self.accepted[answer.message_id] = email
        return answer.message_id

    def publish_all(self, emails: Iterable[Email], *, concurrency: int = 32) -> None:
        """Publishes many at once, as a client does that tries again. Raises NotAccepted."""
        for published in publish_all(self._client, ((email, email) for email in emails), concurrency=concurrency):
            if not published.answer.accepted:
                raise NotAccepted(published.answer.why())
            self.accepted[published.answer.message_id] = published.name

    def object_keys(self) -> list[str]:
        """The keys of those that are stored now."""
        return [key for key in self._pipeline.data_plane.object_keys() if message_id(key) in self.accepted]

    def history(self, *, drained: bool) -> list[Event]:
        """What was accepted, and what is there of it now. What others have published is not in it."""
        objects = {key: self._pipeline.data_plane.object(key).body for key in self.object_keys()}
        events = of_accepted(self.accepted, objects, self._pipeline.data_plane.dead_letters(), drained=drained)
        return [event for event in events if not isinstance(event, Dead) or event.message_id in self.accepted]

    def verify(self, *, drain_seconds: float = 40) -> None:
        """Waits for the queue to be empty; each accepted e-mail is then one object with the body that was sent.

        Raises TimedOut or VerdictBad.
        """
        self._pipeline.drain(drain_seconds)
        verdict = check(self.history(drained=True))
        if not verdict.good:
            raise VerdictBad(f"of {len(self.accepted)} accepted e-mails, {verdict}")
