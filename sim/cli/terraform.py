"""Commands for production's Terraform in the local cloud of the stack that is up."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from sim.cli.options import HERE, Directory, Json
from sim.cli.output import Report
from sim.stack import lifecycle
from sim.targets.target import Progress
from sim.terraform.installation import Modules
from sim.terraform.local_roots import LocalRoots
from sim.terraform.root_order import chosen, given

Roots = Annotated[
    list[str] | None, typer.Option("--root", help="Only this root, such as terraform/network; may be repeated.")
]
Variables = Annotated[
    list[str] | None, typer.Option("--var", metavar="NAME=VALUE", help="A variable of all roots that have it.")
]
Unlock = Annotated[bool, typer.Option("--unlock", help="Remove the state lock that a killed apply left behind.")]


def apply(
    root: Roots = None,
    var: Variables = None,
    modules: Annotated[
        Modules, typer.Option(help="Where the VPC module comes from; auto: the registry, if it can be reached.")
    ] = Modules.AUTO,
    unlock: Unlock = False,
    directory: Directory = HERE,
    json: Json = False,
) -> None:
    """Apply production's Terraform to the local cloud of the stack that is up."""
    roots, report = chosen(root or ()), Report(json)
    with report.progress("applying") as progress:
        done = _roots(directory, var, progress).apply(roots, modules=modules, unlock=unlock)
    report.table(["root", "seconds"], [asdict(each) for each in done])


def destroy(
    root: Roots = None,
    var: Variables = None,
    unlock: Unlock = False,
    directory: Directory = HERE,
    json: Json = False,
) -> None:
    """Destroy what `sim apply` made. Pass the same variables as for `sim apply`."""
    roots, report = chosen(root or ()), Report(json)
    with report.progress("destroying") as progress:
        done = _roots(directory, var, progress).destroy(roots, unlock=unlock)
    report.table(["root", "seconds"], [asdict(each) for each in done])


def _roots(directory: Path, variables: list[str] | None, progress: Progress) -> LocalRoots:
    values = given(variables or ())
    return LocalRoots(lifecycle.roots(directory), lifecycle.running(directory).endpoint, values, progress)
