"""The clients: careful ones with an Idempotency-Key, hasty ones that try again without one, patient ones that try once,
and some that send what must be refused. When they try again is the policy of `sim.client.retry`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import TYPE_CHECKING

from services.pipeline.message import Email
from sim.client import retry
from sim.client.retry import ATTEMPTS, NO_ANSWER, outcome_of
from sim.history.events import Ended, Event, Invoked, PublishOutcome
from sim.history.observed import email_fingerprint
from sim.world.instances import Exchange, Request

if TYPE_CHECKING:
    from random import Random

    from sim.world.elb import Elb
    from sim.world.virtual_time import WorldRuntime

_OUTSIDE_SECONDS = 0.03
"""The way between a client and the load balancer."""


class Habit(StrEnum):
    """How a client publishes."""

    CAREFUL = "careful"
    """Six tries under one Idempotency-Key."""
    HASTY = "hasty"
    """Up to three tries, each without a key."""
    PATIENT = "patient"
    """One try."""
    IMPATIENT = "impatient"
    """Six tries under one key, and little time for each."""
    INTRUDER = "intruder"
    """A wrong token."""
    CARELESS = "careless"
    """An e-mail that breaks the rules."""


_ATTEMPTS = {Habit.CAREFUL: ATTEMPTS, Habit.IMPATIENT: ATTEMPTS, Habit.HASTY: 3}
WRONG = frozenset({Habit.INTRUDER, Habit.CARELESS})
"""The habits whose e-mails must be refused."""
_KEYED = frozenset({Habit.CAREFUL, Habit.IMPATIENT})
_TIMEOUT = {Habit.IMPATIENT: 0.2}
_TIMEOUT_SECONDS = 30.0


@dataclass(frozen=True)
class _Reply:
    status: int
    headers: Mapping[str, str]


@dataclass
class WorldClient:
    """Publishes e-mails that no other client publishes; `record` gets the events."""

    name: str
    habit: Habit
    token: Callable[[], str]
    elb: Elb
    runtime: WorldRuntime
    record: Callable[[Event], None]
    sent: int = 0

    def publish(self) -> PublishOutcome:
        """Publishes one e-mail, with as many tries as this client makes. Returns what the client knows in the end."""
        self.sent += 1
        name = f"{self.name}/{self.sent}"
        draw = self.runtime.random
        email = _email(name, draw)
        key = f"{draw.getrandbits(64):016x}" if self.habit in _KEYED else None

        def send(attempt: int) -> _Reply:
            return self._send(name if attempt == 1 else f"{name}#{attempt}", email, key)

        reply = retry.publish(send, self.runtime.sleep, draw, attempts=_ATTEMPTS.get(self.habit, 1))
        return outcome_of(reply.status)

    def _send(self, publish: str, email: Email, key: str | None) -> _Reply:
        self.record(Invoked(self.runtime.monotonic(), publish, email_fingerprint(email), key))
        exchange = Exchange(Request("/publish", self._body(email), key), self.runtime.event())
        draw = self.runtime.random
        self.runtime.sleep(draw.expovariate(2 / _OUTSIDE_SECONDS))
        self.elb.route(exchange)
        answered = exchange.over.wait(_TIMEOUT.get(self.habit, _TIMEOUT_SECONDS))
        if answered:
            self.runtime.sleep(draw.expovariate(2 / _OUTSIDE_SECONDS))
        reply = _Reply(exchange.status, exchange.headers) if answered else _Reply(NO_ANSWER, {})
        message_id = json.loads(exchange.body)["message_id"] if reply.status == HTTPStatus.OK else None
        outcome, detail = outcome_of(reply.status), str(reply.status or "no answer")
        self.record(Ended(self.runtime.monotonic(), publish, outcome, message_id, detail))
        return reply

    def _body(self, email: Email) -> bytes:
        data = email.model_dump()
        if self.habit is Habit.CARELESS:
            data["email_timestream"] = "yesterday"
        token = "wrong" if self.habit is Habit.INTRUDER else self.token()
        return json.dumps({"data": data, "token": token}).encode()


def _email(name: str, draw: Random) -> Email:
    """An e-mail that says in its subject whose it is."""
    return Email(
        email_subject=name,
        email_sender="world@example.com",
        email_timestream=str(draw.randrange(0, 2_000_000_000)),
        email_content="x" * int(draw.paretovariate(1.2) * 20 % 20_000),
    )
