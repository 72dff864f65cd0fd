"""`sim watch`: the live page of the stack that is up."""

from __future__ import annotations

from typing import Annotated

import typer

from sim.cli.options import HERE, Directory
from sim.cli.output import Report
from sim.stack import lifecycle
from sim.watch.compose import ComposeProject
from sim.watch.watch import Watch
from sim.watch.watched import running_stack


def watch(
    directory: Directory = HERE,
    compose: Annotated[
        bool,
        typer.Option("--compose", help="Serve a page of the stack of compose.yaml in this folder instead."),
    ] = False,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="Serve a second page at this port, until Ctrl-C; 0 is any that is free."),
    ] = None,
) -> None:
    """Print the link of the live page of the stack that is up: see what runs, and break it."""
    report = Report(False)
    if port is None and not compose:
        report.lines([lifecycle.running(directory).page.link])
        report.hint("open it in a browser of this machine; the page ends with the stack")
        return
    watched = ComposeProject() if compose else running_stack(directory)
    with Watch(watched, port or 0) as page:
        report.lines([page.link])
        report.hint("open it in a browser of this machine; Ctrl-C ends the page, not the stack")
        try:
            ended = page.wait()
        except KeyboardInterrupt:
            return
    raise lifecycle.NothingRuns(ended)
