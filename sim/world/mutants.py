"""Planted bugs: each a small patch of the services in memory, which the checker must catch.

A mutant that cannot lose or double an e-mail wastes work, or does not end, or keeps to an old token: it is caught by a
bound.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from services.api import publish, queue
from services.api.batching import Batcher
from services.api.problems import Rejection
from services.api.queue import Queue as SendingQueue
from services.api.token import Token
from services.pipeline.aws import AWS_ERRORS, Outcome
from services.worker import worker as worker_module
from services.worker.queue import Queue as ReceivingQueue
from services.worker.queue import Received
from services.worker.store import Store
from services.worker.worker import Worker

LONG = 200
"""Characters."""


@dataclass(frozen=True)
class Mutant:
    """A bug: what it does, and the verdicts of which at least one must catch it."""

    name: str
    verdicts: frozenset[str]
    owner: object
    attribute: str
    make: Callable[[Any], Any]
    """From what is there to what is put there."""

    @contextmanager
    def planted(self) -> Iterator[None]:
        """The services have the bug inside."""
        real = getattr(self.owner, self.attribute)
        setattr(self.owner, self.attribute, self.make(real))
        try:
            yield
        finally:
            setattr(self.owner, self.attribute, real)


def _delete_before_put(real: Any) -> Any:
    def put(self: Any, poller: int, received: Received, message: Any, batch: Any) -> None:
        self._queue.delete([received], attempted=lambda: None)
        real(self, poller, received, message, batch)

    return put


def _key_from_the_clock(real: Any) -> Any:
    def put(self: Any, poller: int, received: Received, message: Any, batch: Any) -> None:
        self._store._prefix = f"emails/{self._runtime.time() // 10:.0f}/"
        real(self, poller, received, message, batch)

    return put


def _key_from_the_receive_count(real: Any) -> Any:
    def put(self: Any, poller: int, received: Received, message: Any, batch: Any) -> None:
        self._store._prefix = f"emails/{received.receive_count}/"
        real(self, poller, received, message, batch)

    return put


def _gives_up_at_once(_real: Any) -> Any:
    def put(self: Any, poller: int, received: Received, message: Any, batch: Any) -> None:
        stored = False
        try:
            self._store.put(message)
            stored = True
        except AWS_ERRORS:
            self._heartbeat.beat(poller)
        finally:
            batch.settle(received, stored=stored)

    return put


def _failed_put_taken_for_stored(_real: Any) -> Any:
    def put(self: Any, poller: int, received: Received, message: Any, batch: Any) -> None:
        try:
            self._store.put(message)
        except AWS_ERRORS:
            self._heartbeat.beat(poller)
        finally:
            batch.settle(received, stored=True)

    return put


def _poison_deleted(real: Any) -> Any:
    def handle(self: Any, poller: int, messages: Sequence[Received]) -> None:
        poison = [each for each in messages if worker_module._decode(each) is None]
        self._queue.delete(poison, attempted=lambda: None)
        real(self, poller, messages)

    return handle


def _partial_delete_failure_ignored(real: Any) -> Any:
    def delete_once(self: Any, messages: list[Received]) -> list[Received]:
        left: list[Received] = real(self, messages)
        return left if len(left) == len(messages) else []

    return delete_once


def _partial_send_failure_answered_200(real: Any) -> Any:
    def attempt(self: Any, bodies: Sequence[str]) -> list[Any]:
        answers = real(self, bodies)
        return [None] * len(answers) if None in answers else answers

    return attempt


def _batch_entry_ids_mixed_up(real: Any) -> Any:
    return lambda self, bodies: real(self, bodies)[::-1]


def _answer_before_sqs_confirmed(real: Any) -> Any:
    def put(self: Any, body: str) -> None:
        self._runtime.spawn(lambda: real(self, body))

    return put


def _lost_answer_reported_as_refusal(real: Any) -> Any:
    return real | {Outcome.UNKNOWN: real[Outcome.UNAVAILABLE]}


def _token_cache_never_refreshed(real: Any) -> Any:
    def value(self: Any, max_age: float) -> bytes:
        token: bytes = real(self, max_age) if self._reading is None else self._reading.token
        return token

    return value


def _token_not_checked_while_ssm_is_away(real: Any) -> Any:
    def accepts(self: Any, candidate: str) -> bool:
        try:
            return bool(real(self, candidate))
        except Rejection:
            return True

    return accepts


def _long_email_cut(real: Any) -> Any:
    def put(self: Any, message: Any) -> Any:
        cut = message.data.model_copy(update={"email_content": message.data.email_content[:LONG]})
        return real(self, message.model_copy(update={"data": cut}))

    return put


def _nothing(_real: Any) -> Any:
    return lambda *_arguments, **_named: None


def _mutant(name: str, verdicts: str, owner: object, attribute: str, make: Callable[[Any], Any]) -> Mutant:
    return Mutant(name, frozenset(verdicts.split()), owner, attribute, make)


MUTANTS = (
    _mutant("delete before put", "lost", Worker, "_put", _delete_before_put),
    _mutant("key from the clock", "duplicated", Worker, "_put", _key_from_the_clock),
    _mutant("key from the receive count", "duplicated", Worker, "_put", _key_from_the_receive_count),
    _mutant("failed put taken for stored", "lost", Worker, "_put", _failed_put_taken_for_stored),
    _mutant("gives up storing at once", "exceeded misrouted", Worker, "_put", _gives_up_at_once),
    _mutant("long e-mail cut", "corrupt", Store, "put", _long_email_cut),
    _mutant("poison deleted", "lost", Worker, "_handle", _poison_deleted),
    _mutant("SIGTERM ignored", "exceeded", Worker, "stop", _nothing),
    _mutant("visibility never extended", "exceeded misrouted", ReceivingQueue, "keep", _nothing),
    _mutant(
        "partial delete failure ignored", "exceeded", ReceivingQueue, "_delete_once", _partial_delete_failure_ignored
    ),
    _mutant("partial send failure answered 200", "lost", SendingQueue, "_attempt", _partial_send_failure_answered_200),
    _mutant("batch entry ids mixed up", "lost unexpected", SendingQueue, "_attempt", _batch_entry_ids_mixed_up),
    _mutant("answer before SQS confirmed", "lost", Batcher, "put", _answer_before_sqs_confirmed),
    _mutant("lost answer reported as refusal", "unexpected", queue, "_BY_OUTCOME", _lost_answer_reported_as_refusal),
    _mutant(
        "later refusal covers a lost answer", "unexpected", queue, "_later", lambda _real: lambda _first, second: second
    ),
    _mutant("idempotency key ignored", "duplicated", publish, "idempotency_key", _nothing),
    _mutant("token cache never refreshed", "exceeded", Token, "_value", _token_cache_never_refreshed),
    _mutant("token not checked while SSM is away", "exceeded", Token, "accepts", _token_not_checked_while_ssm_is_away),
)
