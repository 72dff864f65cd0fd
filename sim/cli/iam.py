"""The command for permissions."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from sim.cli.options import HERE, Directory, Json
from sim.cli.output import Report
from sim.cloud.permissions import NoReport, RoleReport, kept, reports, rows
from sim.stack.lifecycle import NothingRuns, running

_COLUMNS = ("role", "end", "action", "statement", "calls", "needed_by")


def iam(
    role: Annotated[str | None, typer.Argument(help="The name of a role; by default all of them.")] = None,
    directory: Directory = HERE,
    json: Json = False,
) -> None:
    """Show what each role was denied, what of its permissions it used, and what it never used.

    Without a stack that runs, it is what the last one ended with.
    """
    found, live = _found(directory)
    chosen = tuple(each for each in found if role is None or each.role.rpartition("/")[2] == role)
    if role is not None and not chosen:
        names = ", ".join(sorted(each.role.rpartition("/")[2] for each in found))
        raise NoReport(f"there is no role {role!r}; there are: {names or 'none'}")
    report = Report(json)
    if json:
        report.facts({"running": live, "roles": [asdict(each) for each in chosen]})
    else:
        report.table(_COLUMNS, [asdict(each) for each in rows(chosen)])
    if not live:
        report.hint("no stack is running: these are the roles of the last one, as it ended")


def _found(directory: Path) -> tuple[tuple[RoleReport, ...], bool]:
    """The reports, and whether their stack is running. Raises NothingRuns if there is none to be had."""
    try:
        return reports(running(directory).endpoint), True
    except NothingRuns:
        last = kept(directory)
        if last is None:
            raise
        return last, False
