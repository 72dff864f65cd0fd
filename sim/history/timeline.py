"""The timeline of one e-mail, or of one poisoned message: everything that happened to it, in order."""

from __future__ import annotations

from collections.abc import Iterator

from sim.history.checker import emails
from sim.history.events import (
    Called,
    Dead,
    Drained,
    Ended,
    Event,
    Faulted,
    History,
    Invoked,
    Observed,
    Planted,
    Stored,
    message_id,
)


def timeline(history: History, name: str) -> list[str]:
    """A line for each event of the e-mail or the poison of this name; empty if the history has none.

    The faults meanwhile are among them; where the history has calls, only the faults of its callers.
    """
    events = sorted(history, key=lambda event: event.at)
    own = list(_own(events, name))
    times = [event.at for event in own if not isinstance(event, (Drained, Stored, Dead))]
    if not times:
        return []
    callers = {event.caller for event in own if isinstance(event, Called)}

    def concerns(event: Event) -> bool:
        if isinstance(event, Faulted):
            return times[0] <= event.at <= times[-1] and (not callers or event.target in callers)
        return event in own

    return [f"{event.at:12.3f}  {_words(event)}" for event in filter(concerns, events)]


def _own(events: list[Event], name: str) -> Iterator[Event]:
    mail = next((mail for mail in emails(events) if mail.name == name), None)
    publishes = set(mail.publishes) if mail else set()
    fingerprints = (
        {mail.fingerprint} if mail else {e.body for e in events if isinstance(e, Planted) and e.poison == name}
    )
    ids = set(mail.ids) if mail else set()
    ids |= {message_id(event.key) for event in events if isinstance(event, Stored) and event.email in fingerprints}
    ids |= {
        event.message_id
        for event in events
        if isinstance(event, Dead) and event.message_id and event.email in fingerprints
    }
    for event in events:
        match event:
            case Invoked(publish=publish) | Ended(publish=publish):
                mine = publish in publishes
            case Planted(poison=poison):
                mine = poison == name
            case Called(messages=messages):
                mine = not ids.isdisjoint(messages) or name in messages
            case Stored(key=key, email=email):
                mine = message_id(key) in ids or email in fingerprints
            case Dead(message_id=id_, email=email, body=body):
                mine = id_ in ids or not fingerprints.isdisjoint({email, body})
            case Drained():
                mine = True
            case _:
                mine = False
        if mine:
            yield event


def _words(event: Event) -> str:
    match event:
        case Invoked(publish=publish, key=key):
            words = [publish, "is sent", key and f"under the key {key}"]
        case Ended(publish=publish, outcome=outcome, message_id=id_, detail=detail):
            words = [publish, f"ends: {outcome}", detail, id_ and f"as {id_}"]
        case Planted(poison=poison):
            words = [poison, "is put into the queue"]
        case Faulted(fault=fault, target=target, operation=operation):
            words = [f"fault: {fault} on {target}", operation]
        case Called(caller=caller, operation=operation, outcome=outcome):
            words = [f"{caller}: {operation}: {outcome}"]
        case Stored(key=key):
            words = [f"found as {key}"]
        case Dead():
            words = ["found in the dead-letter queue"]
        case Drained(drained=drained):
            words = ["the queue is empty" if drained else "the queue is not empty, and no longer waited for"]
        case Observed(what=what, measured=measured, limit=limit):
            words = [f"{what} is {measured:g}, bound {limit:g}"]
    return " ".join(filter(None, words))
