"""The events of a history, and their form in a file: one JSON object a line, its kind in `event`.

E-mails are not in it, only fingerprints of them. Times are in seconds since a moment that all events share.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from sim.errors import SimError


class BadHistory(SimError):
    """A file is not a history. Says in which line, and why."""


class PublishOutcome(StrEnum):
    """How a publish ended, for its client."""

    OK = "ok"
    """Accepted."""
    FAIL = "fail"
    """Not accepted, for certain."""
    INFO = "info"
    """Nobody knows: no answer, 502, 504."""


@dataclass(frozen=True)
class Invoked:
    """A client sends an e-mail. Publishes under one `key` with one e-mail are tries of the same."""

    at: float
    publish: str
    """Names it in this history."""
    email: str
    """The e-mail's fingerprint."""
    key: str | None = None
    """The Idempotency-Key."""
    event: Literal["invoked"] = "invoked"


@dataclass(frozen=True)
class Ended:
    """A publish ended for its client. One that never does is like one that ended with `info`."""

    at: float
    publish: str
    outcome: PublishOutcome
    message_id: str | None = None
    """Of an accepted one: the id in the answer."""
    detail: str = ""
    event: Literal["ended"] = "ended"


@dataclass(frozen=True)
class Planted:
    """A message that is not one of the pipeline's was put into the queue. It must end in the dead-letter queue."""

    at: float
    poison: str
    body: str
    """The body's fingerprint."""
    event: Literal["planted"] = "planted"


@dataclass(frozen=True)
class Faulted:
    """Something was made to fail."""

    at: float
    fault: str
    target: str
    """What it hit: a caller, an instance."""
    operation: str = ""
    event: Literal["faulted"] = "faulted"


@dataclass(frozen=True)
class Called:
    """A call of AWS that came to its end; `messages` are the ids of the messages that it was about."""

    at: float
    caller: str
    operation: str
    outcome: str
    messages: tuple[str, ...] = ()
    event: Literal["called"] = "called"


@dataclass(frozen=True)
class Observed:
    """Something that must be at most `limit` was measured."""

    at: float
    what: str
    measured: float
    limit: float
    event: Literal["observed"] = "observed"


@dataclass(frozen=True)
class Drained:
    """The end of waiting for the queue to be empty, and whether it was."""

    at: float
    drained: bool
    event: Literal["drained"] = "drained"


@dataclass(frozen=True)
class Stored:
    """An object found at the end."""

    at: float
    key: str
    email: str
    """The fingerprint of its body."""
    event: Literal["stored"] = "stored"


@dataclass(frozen=True)
class Dead:
    """A dead letter found at the end."""

    at: float
    body: str
    """The body's fingerprint."""
    message_id: str | None = None
    """Of one of the pipeline's messages."""
    email: str | None = None
    """The fingerprint of its e-mail."""
    event: Literal["dead"] = "dead"


Event = Invoked | Ended | Planted | Faulted | Called | Observed | Drained | Stored | Dead
History = Iterable[Event]

_event: TypeAdapter[Event] = TypeAdapter(
    Annotated[Event, Field(discriminator="event")], config=ConfigDict(extra="forbid")
)


def line(event: Event) -> str:
    """An event as a line, without its end."""
    return _event.dump_json(event).decode()


def read(lines: Iterable[str | bytes]) -> Iterator[Event]:
    """The events in lines; empty ones are passed over. Raises BadHistory."""
    for number, text in enumerate(lines, 1):
        if not text.strip():
            continue
        try:
            yield _event.validate_json(text)
        except ValidationError as error:
            fault = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(map(str, fault["loc"]))
            raise BadHistory(
                f"line {number} is not an event of a history: {where + ': ' if where else ''}{fault['msg']}; "
                "each line must be one JSON object as sim/history/events.py has it"
            ) from None


def message_id(key: str) -> str:
    """The id in an object's key."""
    return key.rpartition("/")[2].removesuffix(".json")
