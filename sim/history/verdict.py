"""The judgement over what was accepted and what became of it, in the words of Jepsen's total-queue checker."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields

from services.pipeline.message import Email


@dataclass(frozen=True)
class Verdict:
    """The ids of the e-mails that went wrong, by the way in which they did."""

    lost: tuple[str, ...]
    """Accepted, and in neither the bucket nor the dead-letter queue."""
    duplicated: tuple[str, ...]
    """In more than one object."""
    corrupt: tuple[str, ...]
    """Stored with another body than was sent."""
    misrouted: tuple[str, ...]
    """A good one, in the dead-letter queue."""

    @property
    def good(self) -> bool:
        """Nothing went wrong."""
        return not any(getattr(self, field.name) for field in fields(self))

    def __str__(self) -> str:
        wrong = {field.name: getattr(self, field.name) for field in fields(self)}
        return "; ".join(f"{name}: {', '.join(ids)}" for name, ids in wrong.items() if ids) or "good"


def message_id(key: str) -> str:
    """The id in an object's key."""
    return key.rpartition("/")[2].removesuffix(".json")


def judge(accepted: Mapping[str, Email], objects: Mapping[str, bytes], dead_letters: Iterable[str]) -> Verdict:
    """What became of the accepted e-mails (by id), once the queue is empty.

    `objects` are bodies by key, `dead_letters` the bodies in the dead-letter queue; what is in neither
    `accepted` nor of its ids is somebody else's, and not judged.
    """
    keys: dict[str, list[str]] = {each: [] for each in accepted}
    for key in objects:
        if message_id(key) in keys:
            keys[message_id(key)].append(key)
    dead = set(map(_dead_id, dead_letters))
    return Verdict(
        lost=tuple(each for each, found in keys.items() if not found and each not in dead),
        duplicated=tuple(each for each, found in keys.items() if len(found) > 1),
        corrupt=tuple(
            each for each, found in keys.items() if any(not _equal(objects[key], accepted[each]) for key in found)
        ),
        misrouted=tuple(each for each in keys if each in dead),
    )


def _equal(body: bytes, email: Email) -> bool:
    return bool(_parsed(body) == email.model_dump())


def _dead_id(body: str) -> str | None:
    document = _parsed(body)
    id_ = document.get("id") if isinstance(document, dict) else None
    return id_ if isinstance(id_, str) else None


def _parsed(body: bytes | str) -> object:
    """What a body is as JSON; None for what is none, or is nested too deeply to be read."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
