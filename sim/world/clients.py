"""The clients, as real ones are: careful ones with an Idempotency-Key, hasty ones that try again without, patient ones
that never do, and such as send what must be refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import TYPE_CHECKING

from services.pipeline.message import Email
from services.pipeline.runtime import full_jitter
from sim.history.events import Ended, Event, Invoked, Outcome
from sim.history.observed import email_fingerprint
from sim.world.instances import NO_ANSWER, Exchange, Request

if TYPE_CHECKING:
    from random import Random

    from sim.world.elb import Elb
    from sim.world.virtual_time import WorldRuntime

_RETRIED = frozenset({NO_ANSWER, HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT})
_OPEN = frozenset({NO_ANSWER, HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT})
_OUTSIDE_SECONDS = 0.03
"""The way between a client and the load balancer."""


class Habit(StrEnum):
    """How a client goes about it."""

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


_ATTEMPTS = {Habit.CAREFUL: 6, Habit.IMPATIENT: 6, Habit.HASTY: 3}
WRONG = frozenset({Habit.INTRUDER, Habit.CARELESS})
"""Whose e-mails must be refused."""
_KEYED = frozenset({Habit.CAREFUL, Habit.IMPATIENT})
_TIMEOUT = {Habit.IMPATIENT: 0.2}
_TIMEOUT_SECONDS = 30.0


@dataclass
class Client:
    """Publishes e-mails that no other client publishes; `record` gets the events."""

    name: str
    habit: Habit
    token: Callable[[], str]
    elb: Elb
    runtime: WorldRuntime
    record: Callable[[Event], None]
    sent: int = 0

    def publish(self) -> Outcome:
        """One e-mail, with as many tries as this client makes; what the client knows in the end."""
        self.sent += 1
        name = f"{self.name}/{self.sent}"
        draw = self.runtime.random
        email = _email(name, draw)
        key = f"{draw.getrandbits(64):016x}" if self.habit in _KEYED else None
        outcome = Outcome.FAIL
        for attempt in range(1, _ATTEMPTS.get(self.habit, 1) + 1):
            if attempt > 1:
                self.runtime.sleep(full_jitter(attempt, base=0.2, cap=5, draw=draw))
            status, outcome = self._try(name if attempt == 1 else f"{name}#{attempt}", email, key)
            if status not in _RETRIED:
                break
        return outcome

    def _try(self, publish: str, email: Email, key: str | None) -> tuple[int, Outcome]:
        self.record(Invoked(self.runtime.monotonic(), publish, email_fingerprint(email), key))
        exchange = Exchange(Request("/publish", self._body(email), key), self.runtime.event())
        draw = self.runtime.random
        self.runtime.sleep(draw.expovariate(2 / _OUTSIDE_SECONDS))
        self.elb.route(exchange)
        answered = exchange.over.wait(_TIMEOUT.get(self.habit, _TIMEOUT_SECONDS))
        if answered:
            self.runtime.sleep(draw.expovariate(2 / _OUTSIDE_SECONDS))
        status = exchange.status if answered else NO_ANSWER
        outcome, message_id = Outcome.FAIL, None
        if status == HTTPStatus.OK:
            outcome, message_id = Outcome.OK, json.loads(exchange.body)["message_id"]
        elif status in _OPEN:
            outcome = Outcome.INFO
        self.record(Ended(self.runtime.monotonic(), publish, outcome, message_id, str(status or "no answer")))
        return status, outcome

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
