"""What the models of AWS's services share: how they are called, their errors, and what is left to choice.

A model is a state machine over values. It does what AWS's pages promise and, where they promise little, asks a
`Choice` what happens this time: a calm one makes it the service of a good day, a seeded one the worst that the
contract allows, and one that looks at what an emulator answered shows whether the model can answer the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol, TypeVar

Parameters = Mapping[str, Any]
"""As a boto3 client takes them."""
Answer = dict[str, Any]
"""As a boto3 client returns it, without `ResponseMetadata`; a `Body` is bytes."""
Item = TypeVar("Item")


class AwsError(Exception):
    """An error of a service. `code` is what boto3 shows as `error.response["Error"]["Code"]`, `status` that of HTTP."""

    def __init__(self, code: str, message: str = "", status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


class NotModelled(Exception):
    """A call of something that the model does not know: extend the model, or do not ask for it."""


@dataclass(frozen=True)
class Wait:
    """Instead of an answer: the same call is to be made again with this `Wait`, at `until` (or before, when the state
    has changed meanwhile: then it may have an answer already)."""

    until: float
    deadline: float
    """When there will be an answer in any case."""
    blind: bool = False
    """Whether it will be an empty one, whatever comes."""


class Freedom(StrEnum):
    """What a service may do without breaking its word. The rule that asks for it cites the page."""

    EMPTY_RECEIVE = "empty-receive"
    REORDERING = "reordering"
    DUPLICATE_DELIVERY = "duplicate-delivery"
    DELAYED_DELIVERY = "delayed-delivery"
    DELETE_NOT_STICKING = "delete-not-sticking"
    STALE_HANDLE_WORKS = "stale-handle-works"
    PARTIAL_BATCH_FAILURE = "partial-batch-failure"
    INEXACT_COUNT = "inexact-count"


class Choice(Protocol):
    """Decides what a contract leaves open."""

    def happens(self, freedom: Freedom) -> bool:
        """Whether the service makes use of it this time."""
        ...

    def pick(self, candidates: Sequence[Item], at_most: int) -> Sequence[Item]:
        """Some of them, in any order; all different."""
        ...

    def between(self, low: float, high: float) -> float:
        """A number from low to high."""
        ...

    def identity(self) -> str:
        """What has not been used: 32 hex digits or the like."""
        ...


class Calm:
    """The service on a good day: everything at once, once, in order."""

    def __init__(self) -> None:
        self._made = 0

    def happens(self, freedom: Freedom) -> bool:  # noqa: ARG002 - never, whatever it is
        return False

    def pick(self, candidates: Sequence[Item], at_most: int) -> Sequence[Item]:
        return candidates[:at_most]

    def between(self, low: float, high: float) -> float:  # noqa: ARG002 - the least
        return low

    def identity(self) -> str:
        self._made += 1
        return f"{self._made:032x}"


@dataclass(frozen=True)
class Operation:
    """What does it, and the parameters that it knows."""

    do: Callable[..., Any]
    parameters: frozenset[str]


def operation(do: Callable[..., Any], *parameters: str) -> Operation:
    """An operation with its parameters' names."""
    return Operation(do, frozenset(parameters))


def find(operations: Mapping[str, Operation], name: str, parameters: Iterable[str]) -> Operation:
    """The operation of that name. Raises NotModelled rather than let a parameter go unheeded."""
    found = operations.get(name)
    if found is None:
        raise NotModelled(f"{name} is not modelled; modelled are {', '.join(operations)}")
    unknown = set(parameters) - found.parameters
    if unknown:
        raise NotModelled(f"{name} is modelled without {', '.join(sorted(unknown))}")
    return found
