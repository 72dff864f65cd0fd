"""The types that all providers share: a call of an AWS operation, its answer, its errors, and state by region."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, Protocol, TypeVar

from sim.cluster.desired import Place
from sim.cluster.refused import Refused

Values = dict[str, Any]
"""The parameters of an operation or its answer, with the names and shapes of AWS's API reference."""

State = TypeVar("State")


def moment(seconds: float) -> datetime:
    """A time of the cores as AWS's API has it."""
    return datetime.fromtimestamp(seconds, UTC)


class Forward(Protocol):
    """Passes an operation on to moto or to LocalStack's own provider."""

    def __call__(self, operation: str | None = None, parameters: Values | None = None) -> Values:
        """Returns the answer. Without arguments, passes on the original call. Raises LocalStack's own errors."""


@dataclass(frozen=True)
class Call:
    """One call of an AWS operation: the caller's account, the region, the parameters, and the key that signed it."""

    account: str
    region: str
    parameters: Values
    forward: Forward
    key: str = ""

    def arn(self, service: str, resource: str) -> str:
        """The ARN of a resource in the caller's account and region."""
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"


Route = Callable[[str, dict[str, str], Values], Values]
"""Handles a path that AWS's API lacks. Takes the HTTP method, the path's variables and the body. Raises AwsError."""

Operations = Mapping[str, Callable[[Call], Values]]
"""The operations that a provider answers itself, by name."""


class AwsError(Exception):
    """An error from AWS's API reference. The caller receives it in the protocol of the service."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


@contextmanager
def refusals() -> Iterator[None]:
    """What a core refuses is an error of AWS's API. Raises AwsError."""
    try:
        yield
    except Refused as refused:
        raise AwsError(refused.code, refused.message) from None


class Regional(Generic[State]):
    """The state of an AWS service, one for each account and region. The first access creates it."""

    def __init__(self, new: Callable[[], State]) -> None:
        self._states: defaultdict[tuple[str, str], State] = defaultdict(new)

    def everywhere(self) -> list[tuple[Place, State]]:
        """The states that there are, and where each is."""
        return [(Place(*key), state) for key, state in self._states.items()]

    def of(self, call: Call) -> State:
        """The state of the caller's account and region."""
        return self.at(call.account, call.region)

    def at(self, account: str, region: str) -> State:
        """The state of this account and region."""
        return self._states[account, region]
