"""A call of an AWS operation as the providers see it, and what they answer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

Values = dict[str, Any]
"""Parameters or an answer, with the names and the shapes of AWS's API reference."""

State = TypeVar("State")


class Forward(Protocol):
    """Has an operation answered by what is underneath: moto, or LocalStack's own provider."""

    def __call__(self, operation: str | None = None, parameters: Values | None = None) -> Values:
        """The answer; without arguments, to the call as it came. Raises LocalStack's own errors."""


@dataclass(frozen=True)
class Call:
    """One call: who makes it, where, with which parameters."""

    account: str
    region: str
    parameters: Values
    forward: Forward

    def arn(self, service: str, resource: str) -> str:
        """The ARN of a resource of the caller's."""
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"


Route = Callable[[str, dict[str, str], Values], Values]
"""What answers where AWS has no API: handed the method, the variables of the path, and the body. Raises AwsError."""

Operations = Mapping[str, Callable[[Call], Values]]
"""What a provider answers itself, by the names of the operations."""


class AwsError(Exception):
    """An error that AWS's API reference names for the operation; the caller gets it in the service's protocol."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


class Regional(Generic[State]):
    """The state of a service: one for each account and region, made when first asked for."""

    def __init__(self, new: Callable[[], State]) -> None:
        self._states: defaultdict[tuple[str, str], State] = defaultdict(new)

    def of(self, call: Call) -> State:
        """That of the caller."""
        return self.at(call.account, call.region)

    def at(self, account: str, region: str) -> State:
        """That of an account in a region."""
        return self._states[account, region]
