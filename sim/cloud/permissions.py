"""What the control plane says of permissions: what each role may do, what it did and what it was denied."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Final, Literal

from pydantic import TypeAdapter

from sim.errors import SimError
from sim.host.loopback import NoAnswer, request

_PATH: Final = "/_sim/permissions"
_SECONDS: Final = 30

End = Literal["used", "never used", "denied", "not judged"]


class NoReport(SimError):
    """The control plane does not say what roles did."""


@dataclass(frozen=True)
class GivenPermission:
    """An action as a statement of a role's policy has it. `calls` are those that it allowed.

    `needed_by` counts the calls by operation that would be denied without it.
    """

    action: str
    policy: str
    statement: str
    resources: tuple[str, ...]
    calls: int = 0
    needed_by: Mapping[str, int] | None = None


@dataclass(frozen=True)
class Denial:
    """Calls of one operation that were denied. `statements` are those that denied them explicitly."""

    operation: str
    action: str
    resource: str
    because: str
    statements: tuple[str, ...]
    calls: int


@dataclass(frozen=True)
class RoleReport:
    """One role by its ARN. `unknown` counts the calls of operations of which nobody knows what they need."""

    role: str
    used: tuple[GivenPermission, ...]
    unused: tuple[GivenPermission, ...]
    denied: tuple[Denial, ...]
    unknown: Mapping[str, int]


@dataclass(frozen=True)
class Row:
    """One line of the table: a permission or an operation of a role, and what became of it."""

    role: str
    end: End
    action: str
    statement: str
    calls: int
    needed_by: str


_REPORTS: Final = TypeAdapter(dict[Literal["roles"], tuple[RoleReport, ...]])


def reports(endpoint: str) -> tuple[RoleReport, ...]:
    """Of all roles. Raises NoReport."""
    try:
        answer = request("GET", f"{endpoint}{_PATH}", seconds=_SECONDS)
    except NoAnswer as error:
        raise NoReport(str(error)) from None
    if answer.status != HTTPStatus.OK:
        raise NoReport(f"the control plane answers {answer.status} about permissions: {answer.data[:500]!r}")
    return _REPORTS.validate_json(answer.data)["roles"]


def keep(found: tuple[RoleReport, ...], directory: Path) -> None:
    """Keeps the reports of a stack that is about to end, for `kept`. There are no keys and no values in them."""
    _file(directory).write_bytes(_REPORTS.dump_json({"roles": found}, indent=2))


def kept(directory: Path) -> tuple[RoleReport, ...] | None:
    """The reports of the last stack of a directory; None if it kept none."""
    try:
        return _REPORTS.validate_json(_file(directory).read_bytes())["roles"]
    except FileNotFoundError:
        return None


def _file(directory: Path) -> Path:
    return directory / "permissions.json"


def rows(found: tuple[RoleReport, ...]) -> Iterator[Row]:
    """The lines of a table, what was denied first; what a statement gives and nobody uses is one line."""
    for each in found:
        name = each.role.rpartition("/")[2]
        for denied in each.denied:
            why = ", ".join(denied.statements) or denied.because
            yield Row(name, "denied", f"{denied.action} on {denied.resource}", why, denied.calls, denied.operation)
        for operation, calls in each.unknown.items():
            yield Row(name, "not judged", operation, "", calls, "")
        for used in each.used:
            needing = ", ".join(f"{operation} {calls}" for operation, calls in (used.needed_by or {}).items())
            yield Row(name, "used", used.action, _statement(used), used.calls, needing)
        never: dict[str, list[str]] = {}
        for unused in each.unused:
            never.setdefault(_statement(unused), []).append(unused.action)
        for statement, actions in never.items():
            yield Row(name, "never used", ", ".join(actions), statement, 0, "")


def _statement(given: GivenPermission) -> str:
    return f"{given.statement} of {given.policy.rpartition('/')[2]}"
