"""Commands for Terraform in the local cloud of the stack that is up: production's, or any other project's."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from sim.cli.options import HERE, Directory, Json, VarFiles, Variables
from sim.cli.output import Report
from sim.stack import lifecycle
from sim.targets.target import Progress
from sim.terraform.installation import Modules
from sim.terraform.local_roots import Done, LocalRoots
from sim.terraform.project_roots import ProjectRoots
from sim.terraform.project_settings import settings
from sim.terraform.root_order import BadVariable, assigned, chosen, given, is_ours

Roots = Annotated[
    list[str] | None,
    typer.Option(
        "--root",
        help="Only this root of production, such as terraform/network, or a root of another project; may be repeated.",
        metavar="DIR",
    ),
]
Unlock = Annotated[bool, typer.Option("--unlock", help="Remove the state lock that a killed apply left behind.")]


def apply(
    root: Roots = None,
    var: Variables = None,
    var_file: VarFiles = None,
    modules: Annotated[
        Modules, typer.Option(help="Where the VPC module comes from; auto: the registry, if it can be reached.")
    ] = Modules.AUTO,
    unlock: Unlock = False,
    directory: Directory = HERE,
    json: Json = False,
) -> None:
    """Apply Terraform to the local cloud of the stack that is up: production's, or the roots of any other project."""
    report = Report(json)
    with report.progress("applying") as progress:
        if theirs := _project(directory, root, var, var_file, progress):
            done = theirs.apply()
        else:
            done = _roots(directory, var, var_file, progress).apply(chosen(root or ()), modules=modules, unlock=unlock)
    _show(report, done)


def destroy(
    root: Roots = None,
    var: Variables = None,
    var_file: VarFiles = None,
    unlock: Unlock = False,
    directory: Directory = HERE,
    json: Json = False,
) -> None:
    """Destroy what `sim apply` made. Pass the same options as for `sim apply`."""
    report = Report(json)
    with report.progress("destroying") as progress:
        if theirs := _project(directory, root, var, var_file, progress):
            done = theirs.destroy()
        else:
            done = _roots(directory, var, var_file, progress).destroy(chosen(root or ()), unlock=unlock)
    _show(report, done)


def _show(report: Report, done: list[Done]) -> None:
    report.table(["root", "seconds"], [asdict(each) for each in done])


def _project(
    directory: Path,
    roots: list[str] | None,
    variables: list[str] | None,
    var_files: list[Path] | None,
    progress: Progress,
) -> ProjectRoots | None:
    """The roots of another project, if those are meant: the named ones, or else those of the stack that is up."""
    stack = lifecycle.running(directory)
    up = stack.project.terraform if stack.project else None
    if up is None and (not roots or all(map(is_ours, roots))):
        return None
    wanted = settings(
        [Path(each) for each in roots or ()] or (up.roots if up else ()),
        var_files or (up.var_files if up else ()),
        {**(dict(up.variables) if up else {}), **assigned(variables or ())},
    )
    return ProjectRoots(lifecycle.roots(directory), stack.endpoint, wanted, progress)


def _roots(
    directory: Path, variables: list[str] | None, var_files: list[Path] | None, progress: Progress
) -> LocalRoots:
    if var_files:
        raise BadVariable("production's roots take their variables by --var; --var-file is for other projects")
    values = given(variables or ())
    return LocalRoots(lifecycle.roots(directory), lifecycle.running(directory).endpoint, values, progress)
