"""`python -m bench`: measures, prints the tables, and writes them as JSON if asked."""

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
from bench.measure import QUICK, Plan, measure
from sim.errors import SimError
from sim.targets import LOCAL

_COLUMNS = 120


def main(
    quick: Annotated[bool, typer.Option("--quick", help="One short round instead of three, and no start-ups.")] = False,
    delay_ms: Annotated[float, typer.Option(help="What each AWS call takes, in milliseconds.")] = 20,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures to this file, too.")] = None,
) -> None:
    """Compares the services with a plain implementation of the same. A report: goals that are missed are no error."""
    # An event loop ends in order on SIGINT alone.
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    console = Console()
    if not console.is_terminal:
        console.width = _COLUMNS
    plan = QUICK if quick else Plan()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    try:
        with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task("starting", total=_steps(plan, quick=quick))

            def step(what: str) -> None:
                progress.update(task, description=what)
                progress.advance(task)

            figures = measure(plan, delay_ms=delay_ms, step=step)
            step("a call through the gateway")
            passing = gateway.measure()
            startups = [] if quick else startup.measure(step)
            speed = None if quick else world.measure(step)
            rehearsing = None if quick else rehearse.measure(step)
    except SimError as error:
        raise SystemExit(f"bench: {error}") from None
    console.print(
        f"{os.cpu_count()} cores, of which others used {figures.others_cores:.2f}; "
        f"AWS calls of {delay_ms:g} ms; medians of {plan.rounds} round(s)"
    )
    for table in report.tables(figures):
        console.print(table)
    console.print(gateway.table(passing))
    if startups:
        console.print(startup.table(startups))
    if speed:
        console.print(world.table(speed))
    if rehearsing:
        console.print(rehearse.table(rehearsing))
    if json_file:
        document = report.document(figures) | {
            "startups": [asdict(each) for each in startups],
            "gateway": asdict(passing),
            "world": asdict(speed) if speed else None,
            "rehearse": asdict(rehearsing) if rehearsing else None,
        }
        json_file.write_text(json.dumps(document, indent=2) + "\n")


def _steps(plan: Plan, *, quick: bool) -> int:
    """How many steps the progress bar counts."""
    return plan.steps + 1 + (0 if quick else len(LOCAL) + world.STEPS + rehearse.STEPS)


if __name__ == "__main__":
    typer.run(main)
