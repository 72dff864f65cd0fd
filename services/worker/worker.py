"""Receive, store, delete: in that order, several pollers at once while the queue is deep.

A message is deleted only after S3 has confirmed its object. While it is in hand its visibility timeout
is started anew in time, so that a slow S3 does not make SQS deliver it to someone else; while S3 fails
it stays in hand and is tried again, so that an outage does not use up its receive count and send a good
e-mail to the dead-letter queue. A message that is not one of ours is left alone: SQS moves it there.
"""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from services.pipeline.aws import log_failure
from services.pipeline.message import Message, NotAMessage
from services.pipeline.runtime import full_jitter
from services.worker.settings import BACKOFF_CAP_SECONDS
from services.worker.store import refused_for_good

if TYPE_CHECKING:
    from collections.abc import Sequence

    from services.pipeline.runtime import Runtime
    from services.worker.heartbeat import Heartbeat
    from services.worker.queue import Queue, Received
    from services.worker.settings import Settings
    from services.worker.store import Store

log = logging.getLogger(__name__)

_BACKOFF_BASE_SECONDS = 0.2
_REPORT_SECONDS = 60.0
_KEEP_FRACTION = 3
"""The visibility timeout is started anew after this part of it."""


@dataclass(frozen=True)
class Counters:
    """What a worker has done since it started, in messages."""

    received: int = 0
    stored: int = 0
    deleted: int = 0
    poison: int = 0
    given_back: int = 0
    failed_puts: int = 0


class _Batch:
    """The messages of one receive that are being stored."""

    def __init__(self, size: int, runtime: Runtime) -> None:
        self._lock = runtime.lock()
        self._left = size
        self.settled = runtime.event()
        self.stored: list[Received] = []
        self.unstored: list[Received] = []

    def settle(self, received: Received, *, stored: bool) -> None:
        with self._lock:
            (self.stored if stored else self.unstored).append(received)
            self._left -= 1
            if self._left == 0:
                self.settled.set()


class Worker:
    """One worker. `start` returns at once; `stop` lets it end; `wait_stopped` waits for that."""

    def __init__(self, queue: Queue, store: Store, heartbeat: Heartbeat, settings: Settings, runtime: Runtime) -> None:
        self._queue = queue
        self._store = store
        self._heartbeat = heartbeat
        self._settings = settings
        self._runtime = runtime
        self._lock = runtime.lock()
        self._stopping = runtime.event()
        self._at_rest = runtime.event()
        self._pollers: set[int] = set()
        self._busy = 0
        self._counters = Counters()
        self._reported_at = runtime.monotonic()

    def start(self) -> None:
        """Starts polling."""
        self._open_poller()

    def stop(self) -> None:
        """No new receive; what is being stored is finished, what has not been started is given back."""
        with self._lock:
            self._stopping.set()
            if self._busy == 0:
                self._at_rest.set()

    def wait_stopped(self, timeout_seconds: float) -> bool:
        """Whether nothing was left in hand within the time."""
        rested = self._at_rest.wait(timeout_seconds)
        log.info("stopped" if rested else "stopped with messages in hand", extra=asdict(self._counters))
        return rested

    def _open_poller(self) -> None:
        with self._lock:
            if len(self._pollers) == self._settings.pollers:
                return
            poller = min(set(range(self._settings.pollers)) - self._pollers)
            self._pollers.add(poller)
        self._runtime.spawn(partial(self._poll, poller))

    def _poll(self, poller: int) -> None:
        """Receives until the worker stops. All but the first poller end when they find the queue empty.

        After any error it goes on. Where it cannot, since it cannot even show that it lives, the process ends.
        """
        self._heartbeat.beat(poller)
        failures = 0
        while not self._stopping.is_set():
            doing = "ReceiveMessage"
            try:
                messages = self._queue.receive()
                doing = "handling a batch"
                self._heartbeat.beat(poller)
                if messages:
                    self._take(poller, messages)
                failures = 0
            except Exception as error:
                failures += 1
                log_failure(log, f"{doing} failed", error, failures=failures)
                self._heartbeat.beat(poller)
                self._back_off(failures)
                continue
            if poller > 0 and not messages:
                break
            self._report()
            self._stopping.wait(self._settings.poll_interval_seconds)
        self._heartbeat.forget(poller)
        with self._lock:
            self._pollers.discard(poller)

    def _take(self, poller: int, messages: Sequence[Received]) -> None:
        with self._lock:
            self._busy += 1
        try:
            if self._stopping.is_set():
                self._queue.give_back(messages)
                self._count(received=len(messages), given_back=len(messages))
                return
            if len(messages) == self._settings.receive_batch_size:
                self._open_poller()
            self._handle(poller, messages)
        finally:
            with self._lock:
                self._busy -= 1
                if self._busy == 0 and self._stopping.is_set():
                    self._at_rest.set()

    def _handle(self, poller: int, messages: Sequence[Received]) -> None:
        good = [(received, message) for received in messages if (message := _decode(received)) is not None]
        self._count(received=len(messages), poison=len(messages) - len(good))
        if not good:
            return
        batch = _Batch(len(good), self._runtime)
        for received, message in good:
            self._runtime.spawn(partial(self._put, poller, received, message, batch))
        while not batch.settled.wait(self._settings.visibility_timeout_seconds / _KEEP_FRACTION):
            self._queue.keep([received for received, _ in good])
            # Held up by a message that cannot be stored: the others in the queue do not wait for it.
            self._open_poller()
        deleted = self._queue.delete(batch.stored, attempted=partial(self._heartbeat.beat, poller))
        if self._stopping.is_set():
            self._queue.give_back(batch.unstored)
        self._heartbeat.beat(poller)
        self._count(stored=len(batch.stored), deleted=deleted, given_back=len(batch.unstored))

    def _put(self, poller: int, received: Received, message: Message, batch: _Batch) -> None:
        """Stores one message, however often it takes, unless the worker is to stop."""
        failures = 0
        stored = False
        try:
            while not stored:
                try:
                    key = self._store.put(message)
                    stored = True
                    self._heartbeat.write(refused=False)
                    log.info("stored", extra={"message_id": message.id, "key": key, "receives": received.receive_count})
                except Exception as error:
                    failures += 1
                    self._count(failed_puts=1)
                    self._heartbeat.write(refused=refused_for_good(error))
                    log_failure(log, "PutObject failed", error, message_id=message.id)
                self._heartbeat.beat(poller)
                if not stored and self._back_off(failures):
                    break
        finally:
            batch.settle(received, stored=stored)

    def _back_off(self, failures: int) -> bool:
        """Waits after a failure; whether the worker is to stop."""
        seconds = full_jitter(failures, base=_BACKOFF_BASE_SECONDS, cap=BACKOFF_CAP_SECONDS, draw=self._runtime.random)
        return self._stopping.wait(seconds)

    def _count(self, **more: int) -> None:
        with self._lock:
            now = asdict(self._counters)
            self._counters = replace(self._counters, **{name: now[name] + count for name, count in more.items()})

    def _report(self) -> None:
        now = self._runtime.monotonic()
        with self._lock:
            if now - self._reported_at < _REPORT_SECONDS:
                return
            self._reported_at = now
            counters = self._counters
        log.info("counters", extra=asdict(counters))


def _decode(received: Received) -> Message | None:
    """The message, or None for poison."""
    try:
        return Message.decode(received.body)
    except NotAMessage as error:
        log.warning(
            "poison: left to the dead-letter queue",
            extra={"sqs_id": received.sqs_id, "receives": received.receive_count, "cause": str(error)},
        )
        return None
