"""Concurrent requests made into batches.

The request that finds no open batch opens one and becomes its leader; those that come while it is
open join it. The leader sends the batch and wakes the others with their answers. It sends at once
when nothing is under way, so a lone request waits for nobody; otherwise when the batch is full, or
`linger_seconds` after it was opened. No thread but the requests' own takes part.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from services.api.problems import INTERNAL, Problem
from services.api.queue import BATCH_ENTRIES, Answer

if TYPE_CHECKING:
    from services.pipeline.runtime import Runtime

Send = Callable[[Sequence[str]], Sequence[Answer]]

_NOT_SENT: Answer = Problem(INTERNAL, "The batch of this e-mail could not be sent. It has not been accepted.")


class _Batch:
    def __init__(self, runtime: Runtime) -> None:
        self.bodies: list[str] = []
        self.bytes = 0
        self.closed = runtime.event()
        self.sent = runtime.event()
        self.answers: Sequence[Answer] = ()

    def add(self, body: str, size: int) -> int:
        """The place that the body has in the batch."""
        self.bodies.append(body)
        self.bytes += size
        return len(self.bodies) - 1


class Batcher:
    """Hands what `put` is given to `send`, up to BATCH_ENTRIES bodies of `max_bytes` in all at a time."""

    def __init__(self, send: Send, *, max_bytes: int, linger_seconds: float, runtime: Runtime) -> None:
        self._send = send
        self._max_bytes = max_bytes
        self._linger_seconds = linger_seconds
        self._runtime = runtime
        self._lock = runtime.lock()
        self._open: _Batch | None = None
        self._under_way = 0

    def put(self, body: str) -> Answer:
        """The answer to this body, once its batch has been sent."""
        size = len(body.encode())
        with self._lock:
            batch, leads = self._batch_for(size)
            lingers = leads and self._under_way > 0
            place = batch.add(body, size)
            if len(batch.bodies) == BATCH_ENTRIES:
                self._close(batch)
            if leads:
                self._under_way += 1
        if leads:
            self._lead(batch, lingers=lingers)
        else:
            batch.sent.wait()
        return batch.answers[place]

    def _batch_for(self, size: int) -> tuple[_Batch, bool]:
        """The batch that a body of this size joins, and whether it is new."""
        if self._open is not None:
            if self._open.bytes + size <= self._max_bytes:
                return self._open, False
            self._close(self._open)
        self._open = _Batch(self._runtime)
        return self._open, True

    def _close(self, batch: _Batch) -> None:
        if self._open is batch:
            self._open = None
        batch.closed.set()

    def _lead(self, batch: _Batch, *, lingers: bool) -> None:
        answers: Sequence[Answer] = [_NOT_SENT] * BATCH_ENTRIES
        try:
            if lingers:
                batch.closed.wait(self._linger_seconds)
            with self._lock:
                self._close(batch)
            answers = self._send(batch.bodies)
        finally:
            # Whatever happened, nobody is left waiting.
            with self._lock:
                self._under_way -= 1
            batch.answers = answers
            batch.sent.set()
