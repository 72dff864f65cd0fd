"""The worker's liveness, as its container's health check sees it.

Every poller beats when it has finished something: a receive, an attempt to store, a delete. The sign
of life is given only while no poller is overdue, so one stuck poller silences all the others. It is not
given either while S3 has refused every write for too long: another task may have the permission.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from services.pipeline.runtime import Runtime

_SIGN_EVERY_SECONDS = 1.0


class Heartbeat:
    """Calls `sign` at beats, unless a poller has been silent for `limit_seconds`, or for `refused_seconds` every write
    was refused."""

    def __init__(
        self, sign: Callable[[], None], limit_seconds: float, refused_seconds: float, runtime: Runtime
    ) -> None:
        self._sign = sign
        self._limit_seconds = limit_seconds
        self._refused_seconds = refused_seconds
        self._runtime = runtime
        self._lock = runtime.lock()
        self._beats: dict[int, float] = {}
        self._signed_at = float("-inf")
        self._refused_since: float | None = None

    def beat(self, poller: int) -> None:
        """The poller has finished something."""
        now = self._runtime.monotonic()
        with self._lock:
            self._beats[poller] = now
            overdue = now - min(self._beats.values()) >= self._limit_seconds
            refused = self._refused_since is not None and now - self._refused_since >= self._refused_seconds
            if overdue or refused or now - self._signed_at < _SIGN_EVERY_SECONDS:
                return
            self._signed_at = now
        self._sign()

    def write(self, *, refused: bool) -> None:
        """A write to S3 has ended. Any other end than a refusal for good begins the time anew."""
        now = self._runtime.monotonic()
        with self._lock:
            if not refused:
                self._refused_since = None
            elif self._refused_since is None:
                self._refused_since = now

    def forget(self, poller: int) -> None:
        """The poller has ended."""
        with self._lock:
            self._beats.pop(poller, None)
