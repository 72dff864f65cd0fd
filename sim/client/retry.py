"""When a client of the API tries a publish again, and what it knows in the end.

Pure: sending, waiting and chance are handed in, so that the clients of a world follow the same policy in virtual time.
The API and the load balancer answer 503 when nothing was done; 502, 504 and silence leave open whether it was.
https://docs.aws.amazon.com/elasticloadbalancing/latest/classic/ts-elb-error-message.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol, TypeVar

from services.pipeline.runtime import full_jitter
from sim.history.events import PublishOutcome

if TYPE_CHECKING:
    from random import Random

NO_ANSWER = 0
"""In place of an HTTP status."""
ATTEMPTS = 6

_LEAVES_OPEN = frozenset({NO_ANSWER, HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT})
_RETRIED = _LEAVES_OPEN | {HTTPStatus.SERVICE_UNAVAILABLE}
_BASE_SECONDS = 0.2
_CAP_SECONDS = 5.0
_MAX_RETRY_AFTER_SECONDS = 60.0


class Reply(Protocol):
    """What came back of one try: the HTTP status, or NO_ANSWER, and the headers by their names in lower case."""

    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> Mapping[str, str]: ...


AnyReply = TypeVar("AnyReply", bound=Reply)


def outcome_of(status: int) -> PublishOutcome:
    """What a status says about the e-mail."""
    if status == HTTPStatus.OK:
        return PublishOutcome.OK
    return PublishOutcome.INFO if status in _LEAVES_OPEN else PublishOutcome.FAIL


def retry_wait(reply: Reply, attempt: int, draw: Random) -> float | None:
    """How many seconds to wait after try `attempt` (the first is 1) before the next; None if a next one is in vain.

    `Retry-After` is the least; a random time comes on top of it, so that clients who failed together come back apart.
    Whoever asks for more than a minute is not tried again.
    https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3
    """
    if reply.status not in _RETRIED:
        return None
    asked = _retry_after(reply.headers)
    if asked > _MAX_RETRY_AFTER_SECONDS:
        return None
    return asked + full_jitter(attempt, base=_BASE_SECONDS, cap=_CAP_SECONDS, draw=draw)


def publish(
    send: Callable[[int], AnyReply], sleep: Callable[[float], object], draw: Random, *, attempts: int = ATTEMPTS
) -> AnyReply:
    """Tries up to `attempts` times; `send` makes the try of this number, the first is 1.

    Returns the last reply. But a refusal does not settle what an earlier reply left open: then it is that one.
    """
    last = kept = send(1)
    for attempt in range(1, attempts):
        seconds = retry_wait(last, attempt, draw)
        if seconds is None:
            break
        sleep(seconds)
        last = send(attempt + 1)
        if outcome_of(last.status) is not PublishOutcome.FAIL or outcome_of(kept.status) is PublishOutcome.FAIL:
            kept = last
    return kept


def _retry_after(headers: Mapping[str, str]) -> float:
    """In seconds. The form with a date is not understood: neither the API nor the load balancer sends it."""
    text = headers.get("retry-after", "")
    return float(text) if text.isdecimal() else 0.0
