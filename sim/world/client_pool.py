"""boto3 clients for the instances of worlds. One is costly to make and remembers nothing, so it is lent again; but one
that tries again by itself remembers how often it did, and is made anew."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import botocore.endpoint

from services.pipeline import aws
from sim.aws import wire
from sim.faults.plan import AwsService

if TYPE_CHECKING:
    from sim.aws.model import Answer
    from sim.aws.wire import Attempt

REGION = "eu-central-1"

Answering = Callable[["Attempt", float], "Answer"]
"""Answers a call within its read timeout, in seconds."""


@dataclass(frozen=True)
class _Kind:
    service: AwsService
    attempts: int
    read_timeout: float


class _Lent:
    """A client, and whose it is now."""

    def __init__(self, kind: _Kind) -> None:
        self.kind = kind
        self.caller = ""
        self.answering: Answering = _nobody
        self.client: Any = aws.client(
            kind.service, REGION, connections=1, attempts=kind.attempts, read_timeout=kind.read_timeout
        )
        wire.connect(self.client, "", self._deliver)

    def _deliver(self, call: Attempt) -> Answer:
        return self.answering(replace(call, caller=self.caller), self.kind.read_timeout)


class Pool:
    """Lends clients to instances."""

    def __init__(self) -> None:
        self._idle: dict[_Kind, list[_Lent]] = defaultdict(list)
        self._lent: dict[str, list[_Lent]] = defaultdict(list)

    def lend(
        self, service: AwsService, caller: str, answering: Answering, *, attempts: int, read_timeout: float
    ) -> Any:
        """A client whose calls `answering` answers."""
        kind = _Kind(service, attempts, read_timeout)
        lent = self._idle[kind].pop() if self._idle[kind] else _Lent(kind)
        lent.caller, lent.answering = caller, answering
        self._lent[caller].append(lent)
        return lent.client

    def take_back(self, caller: str) -> None:
        """The instance is gone."""
        for lent in self._lent.pop(caller, []):
            lent.answering = _nobody
            if lent.kind.attempts == 1:
                self._idle[lent.kind].append(lent)


def _nobody(call: Attempt, _read_timeout: float) -> Answer:
    raise RuntimeError(f"{call.operation} by a client that is lent to nobody")


@contextmanager
def botocore_sleeps(sleep: Callable[[], None]) -> Iterator[None]:
    """botocore waits between two tries of a call by itself: meanwhile `sleep` is called, which decides how long."""
    module: Any = botocore.endpoint
    real = module.time
    module.time = SimpleNamespace(sleep=lambda _seconds: sleep())
    try:
        yield
    finally:
        module.time = real
