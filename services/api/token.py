"""The token that clients must bring, as SSM Parameter Store has it."""

from __future__ import annotations

import hmac
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from services.api.problems import UNAVAILABLE, Problem, Rejection
from services.pipeline.aws import Outcome, log_failure, outcome

if TYPE_CHECKING:
    from types_boto3_ssm import SSMClient

    from services.pipeline.runtime import Runtime

log = logging.getLogger(__name__)

REFRESH_SECONDS = 1.0
"""SSM is asked once in this time at most, however many wrong tokens come."""


@dataclass(frozen=True)
class _Reading:
    """The value that SSM returned, and when (monotonic seconds)."""

    at: float
    token: bytes = field(repr=False)


_UNKNOWN = Problem(UNAVAILABLE, "The token cannot be checked.")


class Token:
    """The parameter's value, read with decryption and good for `cache_seconds`.

    A token that does not match makes it read again, so a rotated token works within REFRESH_SECONDS.
    While SSM cannot be reached the value read last stays good for its time and no longer; once SSM
    has refused, it is good no more.
    """

    def __init__(self, ssm: SSMClient, parameter: str, cache_seconds: float, runtime: Runtime) -> None:
        self._ssm = ssm
        self._parameter = parameter
        self._cache_seconds = cache_seconds
        self._runtime = runtime
        self._lock = runtime.lock()
        self._reading: _Reading | None = None
        self._failed_at: float | None = None

    def accepts(self, candidate: str) -> bool:
        """Whether this is the token, compared in constant time. Raises Rejection if SSM does not answer."""
        offered = candidate.encode()
        if hmac.compare_digest(offered, self._value(self._cache_seconds)):
            return True
        return hmac.compare_digest(offered, self._value(REFRESH_SECONDS))

    def check(self) -> None:
        """Raises Rejection unless the token is known."""
        self._value(self._cache_seconds)

    def _value(self, max_age: float) -> bytes:
        """The value as SSM had it no more than `max_age` seconds ago. One thread reads, the others wait for it."""
        reading = self._reading
        if reading is not None and self._runtime.monotonic() - reading.at < max_age:
            return reading.token
        with self._lock:
            now = self._runtime.monotonic()
            if self._reading is not None and now - self._reading.at < max_age:
                return self._reading.token
            if self._failed_at is not None and now - self._failed_at < REFRESH_SECONDS:
                raise Rejection(_UNKNOWN)
            return self._read()

    def _read(self) -> bytes:
        try:
            answer = self._ssm.get_parameter(Name=self._parameter, WithDecryption=True)
        except Exception as error:
            if outcome(error) is Outcome.REFUSED:
                self._reading = None
            log_failure(log, "SSM did not give the token", error, parameter=self._parameter)
            self._failed_at = self._runtime.monotonic()
            raise Rejection(_UNKNOWN) from None
        # An answer that was cut off on its way comes without its value.
        value = answer.get("Parameter", {}).get("Value")
        if value is None:
            log.warning("SSM's answer has no value", extra={"parameter": self._parameter})
            self._failed_at = self._runtime.monotonic()
            raise Rejection(_UNKNOWN)
        self._failed_at = None
        self._reading = _Reading(self._runtime.monotonic(), value.encode())
        return self._reading.token
