"""Events made of e-mails, objects and messages."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping

from services.pipeline.message import Email
from sim.history.events import Dead, Drained, Ended, Event, Invoked, PublishOutcome, Stored

_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"))


def fingerprint(body: bytes | str) -> str:
    """Names what a body says: of JSON the value, however it is written; of anything else the bytes."""
    raw = body.encode(errors="surrogatepass") if isinstance(body, str) else body
    try:
        return _digest(_CANONICAL.encode(json.loads(raw)).encode())
    except (ValueError, RecursionError):
        return _digest(b"\0" + raw)


def email_fingerprint(email: Email) -> str:
    """The fingerprint that the e-mail's object will have."""
    return _digest(_CANONICAL.encode(email.model_dump()).encode())


def stored(at: float, key: str, body: bytes) -> Stored:
    """The event for an object."""
    return Stored(at, key, fingerprint(body))


def dead(at: float, body: str) -> Dead:
    """The event for a dead letter."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        document = None
    id_, data = (document.get("id"), document.get("data")) if isinstance(document, dict) else (None, None)
    email = fingerprint(json.dumps(data)) if isinstance(id_, str) and data is not None else None
    return Dead(at, fingerprint(body), id_ if isinstance(id_, str) else None, email)


def of_accepted(
    accepted: Mapping[str, Email], objects: Mapping[str, bytes], dead_letters: Iterable[str], *, drained: bool
) -> Iterator[Event]:
    """The history of e-mails that were accepted (by message id): objects are bodies by key, dead letters bodies."""
    for id_, email in accepted.items():
        yield Invoked(0, id_, email_fingerprint(email))
        yield Ended(0, id_, PublishOutcome.OK, id_)
    yield Drained(0, drained)
    for key, body in objects.items():
        yield stored(0, key, body)
    for letter in dead_letters:
        yield dead(0, letter)


def _digest(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()[:32]
