"""`sim chaos` and `sim check`: run a pipeline under faults, and judge a history."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from sim.chaos import run as disturbances
from sim.chaos.acts import doable
from sim.chaos.run import Load
from sim.cli.options import FAILED, Json
from sim.cli.output import Report
from sim.cli.runtime import Runtime
from sim.errors import SimError
from sim.history.checker import check as judge
from sim.history.events import line, read
from sim.history.timeline import timeline
from sim.targets import LOCAL, create

chaos = typer.Typer(help="Run a pipeline under faults, and check that no e-mail is lost.", no_args_is_help=True)


def check(
    file: Annotated[Path, typer.Argument(help="A history: JSON lines.", exists=True, dir_okay=False)],
    timeline_of: Annotated[
        str | None, typer.Option("--timeline", metavar="NAME", help="Instead, show what happened to this e-mail.")
    ] = None,
    json: Json = False,
) -> None:
    """Judge a history: what was lost, duplicated, unexpected, corrupt or misrouted, with the timelines of some."""
    with file.open("rb") as lines:
        history = list(read(lines))
    report = Report(json)
    if timeline_of is not None:
        events = timeline(history, timeline_of)
        if not events:
            raise SimError(
                f"no e-mail in {file} is named {timeline_of!r}; `sim check {file}` lists the e-mails that went wrong"
            )
        report.lines(events)
        return
    verdict = judge(history)
    report.facts({"verdict": "good" if verdict.good else "bad", **asdict(verdict)})
    for name in dict.fromkeys(name for names in verdict.wrong().values() for name in names[:1]):
        report.hint("\n".join(timeline(history, name)))
    if not verdict.good:
        raise typer.Exit(FAILED)


@chaos.command("run")
def chaos_run(
    plan: Annotated[str, typer.Argument(help="A plan of faults: a file, or the name of a plan in the kit.")],
    target: Annotated[str, typer.Option(help="Where the pipeline runs.", metavar="NAME")] = LOCAL[0],
    runtime: Runtime = None,
    seed: Annotated[int | None, typer.Option(help="Use this seed instead of the plan's.")] = None,
    rate: Annotated[float, typer.Option(min=0.1, help="How many e-mails to publish a second.")] = Load.rate,
    drain_seconds: Annotated[
        float, typer.Option(min=1, help="How long the queue may take to become empty at the end.")
    ] = (Load.drain_seconds),
    history: Annotated[Path | None, typer.Option(dir_okay=False, help="Write the history to this file.")] = None,
    json: Json = False,
) -> None:
    """Start a pipeline, publish while the plan's faults act, and judge whether each e-mail was stored correctly."""
    asked = disturbances.find(plan)
    seeded = asked if seed is None else asked.seeded(seed)
    report = Report(json)
    with report.progress("starting") as progress:
        chosen = create(target, disturbances.TUNING, progress, runtime=runtime)
        # Before anything starts.
        doable(seeded, chosen)
        with chosen as pipeline:
            outcome = disturbances.run(pipeline, seeded, Load(rate, drain_seconds), progress)
    if history is not None:
        history.write_text("".join(f"{line(event)}\n" for event in outcome.history))
    report.facts(
        {
            "verdict": "good" if outcome.verdict.good else "bad",
            "seed": seeded.seed,
            "published": outcome.published,
            "accepted": outcome.accepted,
            "requests_per_email": round(outcome.requests_per_email, 2),
            "calls": outcome.trail.calls,
            "faults": outcome.trail.faults,
            **asdict(outcome.verdict),
        }
    )
    report.hint(f"again: sim chaos run {plan} --target {target} --seed {seeded.seed}")
    if not outcome.verdict.good:
        raise typer.Exit(FAILED)


@chaos.command("plans")
def chaos_plans(json: Json = False) -> None:
    """List the plans of faults in the kit."""
    rows = [{"name": name, "faults": sorted({*disturbances.find(name).faults})} for name in disturbances.shipped()]
    Report(json).table(["name", "faults"], rows)
