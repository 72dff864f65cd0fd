"""The verdict over a history, in the words of Jepsen's total-queue checker.

Every accepted e-mail must be in exactly one object, under the id in its client's answer and with the body that was
sent. One of which nobody knows whether it was accepted may be in one object or in none, a refused one in none; tries
under one Idempotency-Key are one e-mail. Poison must be in the dead-letter queue, and nothing else may. That is safety.
Liveness is that the queue was drained at all, and each bound that was observed.

An object belongs to the e-mail whose id it has; without such an e-mail, to one of the same content that still lacks it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, fields

from sim.history.events import (
    Dead,
    Drained,
    Ended,
    History,
    Invoked,
    Observed,
    Planted,
    PublishOutcome,
    Stored,
    message_id,
)

NOT_DRAINED = "the queue was not drained"
NOTHING_TRIED = "nothing was tried"

_LEGAL = {"legal": True}


@dataclass(frozen=True)
class Verdict:
    """What went wrong, by the way in which it did; e-mails are named by their first publish, poison by its own name."""

    lost: tuple[str, ...] = ()
    """Accepted, or poison, and in neither the bucket nor the dead-letter queue."""
    duplicated: tuple[str, ...] = ()
    """In more than one object."""
    unexpected: tuple[str, ...] = ()
    """Stored though refused, or under an id that is in no answer; an object's key where there is no such e-mail."""
    corrupt: tuple[str, ...] = ()
    """Stored with another body than was sent."""
    misrouted: tuple[str, ...] = ()
    """A good one in the dead-letter queue, poison in the bucket."""
    exceeded: tuple[str, ...] = ()
    """What was measured above its bound."""
    unknown: tuple[str, ...] = ()
    """Why there is no verdict: not drained, or nothing tried."""
    recovered: tuple[str, ...] = field(default=(), metadata=_LEGAL)
    """Stored, though its client could not know whether it was accepted. Legal."""

    @property
    def good(self) -> bool:
        """Nothing went wrong, and that is certain."""
        return not self.wrong()

    def wrong(self) -> dict[str, tuple[str, ...]]:
        """The names by the way in which they went wrong; those only where there are some."""
        every = {each.name: getattr(self, each.name) for each in fields(self) if not each.metadata}
        return {name: names for name, names in every.items() if names}

    def __str__(self) -> str:
        return "; ".join(f"{name}: {', '.join(names)}" for name, names in self.wrong().items()) or "good"


@dataclass
class TrackedEmail:
    """An e-mail with all tries to publish it, and what became of it."""

    name: str
    fingerprint: str
    publishes: list[str] = field(default_factory=list)
    outcomes: list[PublishOutcome] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)
    objects: list[Stored] = field(default_factory=list)
    dead: bool = False
    unnamed: bool = False
    """In an object whose id is not the one in its answer."""

    @property
    def accepted(self) -> bool:
        return PublishOutcome.OK in self.outcomes

    @property
    def refused(self) -> bool:
        """Every try failed for certain."""
        return len(self.outcomes) == len(self.publishes) and set(self.outcomes) <= {PublishOutcome.FAIL}


def emails(history: History) -> list[TrackedEmail]:
    """The e-mails of a history in the order of their first publishes, as they were answered."""
    by_identity: dict[tuple[str | None, str], TrackedEmail] = {}
    by_publish: dict[str, TrackedEmail] = {}
    for event in history:
        match event:
            case Invoked(publish=publish, email=email, key=key):
                identity = (None, publish) if key is None else (key, email)
                mail = by_identity.setdefault(identity, TrackedEmail(publish, email))
                mail.publishes.append(publish)
                by_publish[publish] = mail
            case Ended(publish=publish, outcome=outcome, message_id=id_) if publish in by_publish:
                by_publish[publish].outcomes.append(outcome)
                by_publish[publish].ids |= {id_} if id_ is not None else set()
    return list(by_identity.values())


def check(history: History) -> Verdict:
    """The verdict over a history. Its events may come in any order but that of a publish: invoked, then ended."""
    events = list(history)
    mails = emails(events)
    planted = {event.body: event.poison for event in events if isinstance(event, Planted)}
    foreign = list(_find(mails, sorted((e for e in events if isinstance(e, Stored)), key=lambda e: e.key), planted))
    dead = [event for event in events if isinstance(event, Dead)]
    foreign += _bury(mails, [event for event in dead if event.body not in planted])
    buried = {event.body for event in dead}
    drained = [event.drained for event in events if isinstance(event, Drained)]
    unknown = () if drained and drained[-1] else (NOT_DRAINED,)
    lost = [mail.name for mail in mails if mail.accepted and not mail.objects and not mail.dead]
    lost += [poison for body, poison in planted.items() if body not in buried]
    bounds = [event for event in events if isinstance(event, Observed)]
    poison_stored = [planted[event.email] for event in events if isinstance(event, Stored) and event.email in planted]
    return Verdict(
        # What is not stored while the queue is not empty may be in it.
        lost=() if unknown else tuple(lost),
        duplicated=tuple(mail.name for mail in mails if len(mail.objects) > 1),
        unexpected=tuple([m.name for m in mails if (m.objects and m.refused) or m.unnamed] + foreign),
        corrupt=tuple(m.name for m in mails if any(found.email != m.fingerprint for found in m.objects)),
        misrouted=tuple([mail.name for mail in mails if mail.dead] + poison_stored),
        exceeded=tuple(f"{b.what} is {b.measured:g}, bound {b.limit:g}" for b in bounds if b.measured > b.limit),
        unknown=unknown if mails or planted else (*unknown, NOTHING_TRIED),
        recovered=tuple(m.name for m in mails if m.objects and not m.accepted and not m.refused),
    )


def _find(mails: list[TrackedEmail], objects: list[Stored], planted: dict[str, str]) -> Iterator[str]:
    """Gives each e-mail its objects; the keys of those that belong to none."""
    by_id = _by_id(mails)
    alike: dict[str, list[TrackedEmail]] = defaultdict(list)
    for mail in mails:
        alike[mail.fingerprint].append(mail)
    nameless = []
    for found in objects:
        owners = by_id.get(message_id(found.key), [])
        for mail in owners:
            mail.objects.append(found)
        if not owners:
            nameless.append(found)
    for found in nameless:
        candidates = sorted(alike[found.email], key=lambda mail: (bool(mail.objects), mail.refused, mail.accepted))
        if candidates:
            candidates[0].objects.append(found)
            candidates[0].unnamed |= candidates[0].accepted and len(candidates[0].objects) == 1
        elif found.email not in planted:
            yield found.key


def _bury(mails: list[TrackedEmail], dead: list[Dead]) -> Iterator[str]:
    """Marks the e-mails that are dead; names the dead letters of none."""
    by_id = _by_id(mails)
    for letter in dead:
        owners = by_id.get(letter.message_id or "", [])
        alike = [mail for mail in mails if mail.fingerprint == letter.email]
        for mail in owners or alike[:1]:
            mail.dead = True
        if not owners and not alike:
            yield f"dead letter {letter.message_id or letter.body}"


def _by_id(mails: list[TrackedEmail]) -> dict[str, list[TrackedEmail]]:
    by_id: dict[str, list[TrackedEmail]] = defaultdict(list)
    for mail in mails:
        for id_ in mail.ids:
            by_id[id_].append(mail)
    return by_id
