"""The command for permissions."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from sim.cli.options import HERE, Directory, Json
from sim.cli.output import Report
from sim.cloud.permissions import NoReport, reports, rows
from sim.stack.lifecycle import running

_COLUMNS = ("role", "end", "action", "statement", "calls", "needed_by")


def iam(
    role: Annotated[str | None, typer.Argument(help="The name of a role; by default all of them.")] = None,
    directory: Directory = HERE,
    json: Json = False,
) -> None:
    """Show what each role was denied, what of its permissions it used, and what it never used."""
    found = reports(running(directory).endpoint)
    chosen = tuple(each for each in found if role is None or each.role.rpartition("/")[2] == role)
    if role is not None and not chosen:
        names = ", ".join(sorted(each.role.rpartition("/")[2] for each in found))
        raise NoReport(f"there is no role {role!r}; there are: {names or 'none'}")
    report = Report(json)
    if json:
        report.facts({"roles": [asdict(each) for each in chosen]})
    else:
        report.table(_COLUMNS, [asdict(each) for each in rows(chosen)])
