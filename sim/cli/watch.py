"""`sim watch`: the live page of the stack that is up."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from sim.cli.options import HERE, Directory
from sim.cli.output import Report
from sim.stack import lifecycle
from sim.stack.deployment import deployment_of
from sim.watch.compose import ComposeProject
from sim.watch.watch import Watch
from sim.watch.watched import RunningStack


def watch(
    directory: Directory = HERE,
    compose: Annotated[
        bool, typer.Option("--compose", help="Watch the stack of compose.yaml in this folder instead.")
    ] = False,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Of the page; 0 for any that is free.")] = 0,
) -> None:
    """Serve the live page of the stack that is up, until Ctrl-C: see what runs, and break it."""
    report = Report(False)
    watched = ComposeProject() if compose else _running(directory)
    with Watch(watched, port) as page:
        report.lines([page.link])
        report.hint("open it in a browser of this machine; Ctrl-C ends the page, not the stack")
        try:
            ended = page.wait()
        except KeyboardInterrupt:
            return
    raise lifecycle.NothingRuns(ended)


def _running(directory: Path) -> RunningStack:
    return RunningStack(partial(lifecycle.running, directory), partial(deployment_of, directory))
