"""E-mails from files, published."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from services.pipeline.message import Email
from sim.client.api import Client
from sim.client.bulk import publish_all
from sim.mail import Found, UnreadableMail, read


@dataclass(frozen=True)
class Outcome:
    """What became of one e-mail: `detail` is its message id, or why it was not published."""

    name: str
    published: bool
    detail: str
    email: Email | None = field(default=None, repr=False)


def publish_files(
    client: Client, paths: Iterable[Path], *, concurrency: int, rate: float | None = None
) -> Iterator[Outcome]:
    """Publishes every e-mail at the paths, and names those that cannot be read; the others go on."""
    unreadable: list[Outcome] = []

    def readable() -> Iterator[tuple[Found, Email]]:
        for path in paths:
            for found in read(path):
                if isinstance(found.result, UnreadableMail):
                    unreadable.append(Outcome(found.name, published=False, detail=str(found.result)))
                else:
                    yield found, found.result

    for published in publish_all(client, readable(), concurrency=concurrency, rate=rate):
        answer, found = published.answer, published.name
        detail = answer.message_id if answer.accepted else answer.why()
        email = found.result if isinstance(found.result, Email) else None
        yield Outcome(found.name, answer.accepted, detail, email)
    yield from unreadable
