"""`sim world`: the commands of the deterministic simulation."""

from __future__ import annotations

import shlex
import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from sim.cli.options import FAILED, Json
from sim.cli.output import Report
from sim.faults.plan import load
from sim.history.events import line
from sim.history.timeline import timeline
from sim.world.client_pool import Pool
from sim.world.coverage import Coverage
from sim.world.run import Result, run
from sim.world.sweep import catches, fresh_seeds, parse_seeds, sweep, timeline_of_first_wrong

world = typer.Typer(
    help="Run the services' own code in virtual time, with faults of every kind, from one seed.", no_args_is_help=True
)

Hours = Annotated[float, typer.Option(min=0, help="Hours of virtual time for each seed; at least one episode.")]
PlanFile = Annotated[Path | None, typer.Option("--plan", help="Take the faults from this file instead of the seed.")]
Jobs = Annotated[int, typer.Option(min=1, max=64, help="How many processes to use.")]


@world.command("run")
def run_seeds(
    seeds: Annotated[str, typer.Option(help="The seeds, such as `1..40`, both ends included.")] = "1..20",
    fresh: Annotated[int, typer.Option(min=0, help="Also run this many new random seeds.")] = 0,
    hours: Hours = 0.0,
    jobs: Jobs = 1,
    plan: PlanFile = None,
    complete: Annotated[bool, typer.Option("--complete", help="Fail if any possible event never happened.")] = False,
    json: Json = False,
) -> None:
    """Run many seeds and report what happened. For each seed that goes wrong, print the command that replays it."""
    chosen = load(plan) if plan else None
    wanted = [*parse_seeds(seeds), *fresh_seeds(fresh)]
    report = Report(json)
    began = time.monotonic()
    coverage, bad = Coverage(), list[Result]()
    with report.progress("running") as progress:
        if fresh:
            progress(f"fresh seeds: {' '.join(map(str, wanted[-fresh:]))}")
        for number, result in enumerate(sweep(wanted, hours, jobs, chosen), 1):
            coverage += result.coverage
            bad += [] if result.verdict.good else [result]
            if number % 10 == 0 or not result.verdict.good:
                hours_done = f"{coverage.seconds / 3600:.1f} virtual hours"
                progress(f"{number} of {len(wanted)} seeds, {hours_done}, {len(bad)} bad")
    report.facts(_summary(wanted, coverage, bad, time.monotonic() - began))
    if not json:
        report.table(["fault", "operation", "hits"], _faults(coverage))
        for what, counts in (
            ("crash", coverage.crashes),
            ("version", coverage.deployments),
            ("the cluster came to", coverage.encounters),
        ):
            report.table([what, "times"], [{what: name, "times": n} for name, n in sorted(counts.items())])
    for result in bad:
        report.hint(f"seed {result.seed}: {result.verdict}\nreplay it: {_replay(result.seed, hours, plan)}")
    if bad:
        report.hint("\n".join(timeline_of_first_wrong(bad[0], hours, chosen)))
    missed = coverage.never_hit() if complete else []
    if missed:
        report.hint(f"these seeds prove less than they should: never hit: {', '.join(missed)}")
    if bad or missed:
        raise typer.Exit(FAILED)


@world.command()
def replay(
    seed: Annotated[int, typer.Argument(help="The seed.")],
    hours: Hours = 0.0,
    plan: PlanFile = None,
    history: Annotated[Path | None, typer.Option(help="Write the history to this file, for `sim check`.")] = None,
    json: Json = False,
) -> None:
    """Run one seed once more, and show the timeline of every e-mail that went wrong."""
    report = Report(json)
    with report.progress("running"):
        result = run(seed, hours, Pool(), plan=load(plan) if plan else None, trail=True)
    if history is not None:
        history.write_text("".join(f"{line(event)}\n" for event in result.history))
    report.facts({"verdict": "good" if result.verdict.good else "bad", **asdict(result.verdict)})
    for name in dict.fromkeys(name for names in result.verdict.wrong().values() for name in names):
        report.hint("\n".join(timeline(result.history, name)))
    if not result.verdict.good:
        raise typer.Exit(FAILED)


@world.command()
def mutants(
    seeds: Annotated[str, typer.Option(help="Run each mutant on each of these seeds.")] = "1..20",
    jobs: Jobs = 1,
    json: Json = False,
) -> None:
    """Plant bugs in the services, and report which of them the checker catches, how, and after how many seeds."""
    report = Report(json)
    rows = []
    with report.progress("planting") as progress:
        for catch in catches(parse_seeds(seeds), jobs):
            progress(catch.mutant)
            rows.append(asdict(catch))
    report.table(["mutant", "verdicts", "caught", "seeds", "median"], rows)
    if not all(row["caught"] for row in rows):
        raise typer.Exit(FAILED)


def _summary(seeds: list[int], coverage: Coverage, bad: list[Result], seconds: float) -> dict[str, object]:
    return {
        "seeds": len(seeds),
        "bad": [result.seed for result in bad],
        "virtual_hours": round(coverage.seconds / 3600, 1),
        "publishes": coverage.publishes,
        "stored": coverage.stored,
        "instances_started": coverage.restarts,
        "wall_seconds": round(seconds, 1),
        "faults": sum(coverage.faults.values()),
        "crashes": sum(coverage.crashes.values()),
        "deployments": sum(coverage.deployments.values()),
        "never_hit": coverage.never_hit() or "nothing",
    }


def _faults(coverage: Coverage) -> list[dict[str, object]]:
    return [
        {"fault": fault, "operation": operation or "a task", "hits": hits}
        for (fault, operation), hits in sorted(coverage.faults.items())
    ]


def _replay(seed: int, hours: float, plan: Path | None) -> str:
    command = ["sim", "world", "replay", str(seed), "--hours", f"{hours:g}", *(["--plan", str(plan)] if plan else [])]
    return shlex.join(command)
