"""`python -m bench`: measures, prints the tables, and writes them as JSON with `--json`."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bench import gateway, rehearse, report, startup, world
from bench.measure import QUICK, Schedule, measure
from sim.errors import SimError
from sim.targets import LOCAL

_COLUMNS = 120


def main(
    quick: Annotated[
        bool, typer.Option("--quick", help="One short round instead of three, without start-ups.")
    ] = False,
    delay_ms: Annotated[float, typer.Option(help="The duration of each AWS call, in milliseconds.")] = 20,
    json_file: Annotated[Path | None, typer.Option("--json", help="Also write the figures to this file.")] = None,
) -> None:
    """Compares the services with a plain implementation. A missed goal is reported, but is no error."""
    # An event loop shuts down cleanly only on SIGINT.
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    console = Console()
    if not console.is_terminal:
        console.width = _COLUMNS
    schedule = QUICK if quick else Schedule()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    try:
        with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task("starting", total=_steps(schedule, quick=quick))

            def step(what: str) -> None:
                progress.update(task, description=what)
                progress.advance(task)

            figures = measure(schedule, delay_ms=delay_ms, step=step)
            step("a call through the gateway")
            through_gateway = gateway.measure()
            startups = [] if quick else startup.measure(step)
            speed = None if quick else world.measure(step)
            rehearsing = None if quick else rehearse.measure(step)
    except SimError as error:
        raise SystemExit(f"bench: {error}") from None
    console.print(
        f"{os.cpu_count()} cores, of which others used {figures.others_cores:.2f}; "
        f"AWS calls of {delay_ms:g} ms; medians of {schedule.rounds} round(s)"
    )
    for table in report.tables(figures):
        console.print(table)
    console.print(gateway.table(through_gateway))
    if startups:
        console.print(startup.table(startups))
    if speed:
        console.print(world.table(speed))
    if rehearsing:
        console.print(rehearse.table(rehearsing))
    if json_file:
        document = report.document(figures) | {
            "startups": [asdict(each) for each in startups],
            "gateway": asdict(through_gateway),
            "world": asdict(speed) if speed else None,
            "rehearse": asdict(rehearsing) if rehearsing else None,
        }
        json_file.write_text(json.dumps(document, indent=2) + "\n")


def _steps(schedule: Schedule, *, quick: bool) -> int:
    """How many steps the progress bar counts."""
    return schedule.steps + 1 + (0 if quick else len(LOCAL) + world.STEPS + rehearse.STEPS)


if __name__ == "__main__":
    typer.run(main)
