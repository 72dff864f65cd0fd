"""`sim`: the pipeline on this machine, from the command line.

Exit status: 0 all is well; 1 something failed, or is not as it should be; 2 the command was not
understood; 3 nothing is running.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from services.pipeline.aws import AWS_ERRORS
from sim import chaos as disturbances
from sim import doctor as examination
from sim import stack as stacks
from sim.chaos import Load
from sim.client import Client
from sim.demo import demonstrate
from sim.errors import SimError
from sim.history.checker import check as judge
from sim.history.events import line, read
from sim.history.story import story
from sim.mail import SAMPLES
from sim.publishing import Outcome, publish_files
from sim.report import Report
from sim.status import status_of
from sim.targets import LOCAL, create
from sim.targets.target import Provision, Tell
from sim.terraform.environment import Environment
from sim.terraform.installation import Modules
from sim.terraform.roots import chosen, given
from sim.world_commands import world

FAILED = 1
NOTHING_RUNS = 3

app = typer.Typer(
    name="sim",
    help="The e-mail pipeline on this machine: no AWS account, no token, no network.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

app.add_typer(world, name="world")


chaos = typer.Typer(help="Faults, and whether anything is lost under them.", no_args_is_help=True)
app.add_typer(chaos, name="chaos")


class Part(StrEnum):
    """The parts of a stack."""

    LOCALSTACK = "localstack"
    GATEWAY = "gateway"
    API = "api"
    WORKER = "worker"


Directory = Annotated[
    Path,
    typer.Option(
        "--dir",
        envvar="SIM_DIR",
        help="Where the stack's state is kept; one stack for each.",
        metavar="DIR",
        file_okay=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for a program, not a table.")]
_HERE = Path(".sim")
Roots = Annotated[
    list[str] | None, typer.Option("--root", help="Only this root, such as terraform/network; may be repeated.")
]
Variables = Annotated[
    list[str] | None, typer.Option("--var", metavar="NAME=VALUE", help="A variable of all roots that have it.")
]
Unlock = Annotated[bool, typer.Option("--unlock", help="Take away a lock that a killed apply has left.")]


@app.command()
def up(
    directory: Directory = _HERE,
    provision: Annotated[Provision, typer.Option(help="Who makes queue, bucket and token.")] = Provision.KIT,
    json: Json = False,
) -> None:
    """Start the pipeline; it stays up until `sim down`."""
    report = Report(json)
    with report.progress("starting") as tell:
        stack = stacks.up(directory, provision, tell)
    report.facts({"url": stack.url, "endpoint": stack.endpoint, "provision": provision, **asdict(stack.resources)})
    report.hint("publish with `sim publish FILE...`, look with `sim objects`, end with `sim down`")


@app.command()
def down(directory: Directory = _HERE) -> None:
    """End the pipeline, and remove what it left."""
    with Report(False).progress("stopping"):
        stacks.down(stacks.running(directory))


@app.command()
def apply(
    root: Roots = None,
    var: Variables = None,
    modules: Annotated[
        Modules, typer.Option(help="Where the VPC module comes from; auto: the registry, if it can be reached.")
    ] = Modules.AUTO,
    unlock: Unlock = False,
    directory: Directory = _HERE,
    json: Json = False,
) -> None:
    """Apply production's Terraform to the local cloud of the stack that is up."""
    roots, report = chosen(root or ()), Report(json)
    with report.progress("applying") as tell:
        done = _environment(directory, var, tell).apply(roots, modules=modules, unlock=unlock)
    report.table(["root", "seconds"], [asdict(each) for each in done])


@app.command()
def destroy(
    root: Roots = None,
    var: Variables = None,
    unlock: Unlock = False,
    directory: Directory = _HERE,
    json: Json = False,
) -> None:
    """Destroy what `sim apply` made. The variables must be those that it had."""
    roots, report = chosen(root or ()), Report(json)
    with report.progress("destroying") as tell:
        done = _environment(directory, var, tell).destroy(roots, unlock=unlock)
    report.table(["root", "seconds"], [asdict(each) for each in done])


@app.command()
def status(directory: Directory = _HERE, json: Json = False) -> None:
    """Show how the parts are, and how full the queues."""
    now = status_of(stacks.running(directory))
    Report(json).table(["part", "state", "detail"], [asdict(part) for part in now.parts])
    if not now.good:
        raise typer.Exit(FAILED)


@app.command()
def publish(
    files: Annotated[list[Path], typer.Argument(help=".eml files, mbox files, Maildirs, or folders of them.")],
    directory: Directory = _HERE,
    rate: Annotated[float | None, typer.Option(min=0.001, help="E-mails a second at most.")] = None,
    concurrency: Annotated[int, typer.Option(min=1, max=256, help="E-mails under way at once.")] = 8,
    url: Annotated[
        str | None, typer.Option(help="Publish to this API, not to the local one; the token is taken from SIM_TOKEN.")
    ] = None,
    json: Json = False,
) -> None:
    """Publish real e-mails."""
    client = _client(url, directory)
    report = Report(json)
    with report.progress("publishing") as tell:
        outcomes = list(_told(publish_files(client, files, rate=rate, concurrency=concurrency), tell))
    columns = ["name", "published", "detail"]
    report.table(columns, [{column: getattr(outcome, column) for column in columns} for outcome in outcomes])
    if not all(outcome.published for outcome in outcomes):
        raise typer.Exit(FAILED)


@app.command()
def objects(
    key: Annotated[str | None, typer.Argument(help="Print this object's body.")] = None,
    directory: Directory = _HERE,
    json: Json = False,
) -> None:
    """List the stored e-mails, or print one."""
    data_plane = stacks.running(directory).data_plane
    if key is not None:
        sys.stdout.write(data_plane.object(key).body.decode() + "\n")
        return
    Report(json).table(["key"], [{"key": each} for each in data_plane.object_keys()])


@app.command()
def logs(
    part: Annotated[Part | None, typer.Argument(help="Only this part.")] = None,
    directory: Directory = _HERE,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
) -> None:
    """Print what the parts have logged."""
    parts = stacks.running(directory).parts
    chosen = {part.value: parts[part.value]} if part else parts
    places = dict.fromkeys(chosen, 0)
    while True:
        for name, each in chosen.items():
            # The stack's end takes its logs away.
            with suppress(FileNotFoundError), Path(each.log).open(errors="replace") as log:
                log.seek(places[name])
                for line in log:
                    sys.stdout.write(line if part else f"{name:<10} {line}")
                places[name] = log.tell()
        if not follow:
            return
        sys.stdout.flush()
        time.sleep(0.2)
        stacks.running(directory)


@app.command()
def demo(
    files: Annotated[list[Path] | None, typer.Argument(help="E-mails of yours; else those that come along.")] = None,
    json: Json = False,
) -> None:
    """Start a pipeline, publish real e-mails, show them arrive in S3, and end it."""
    report = Report(json)
    with report.progress("starting") as tell:
        shown = demonstrate(files or [SAMPLES], tell)
    report.table(["name", "subject", "detail"], [asdict(row) for row in shown.rows])
    report.hint(shown.summary)
    if not shown.good:
        raise typer.Exit(FAILED)


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="A history: JSON lines.", exists=True, dir_okay=False)],
    story_of: Annotated[
        str | None, typer.Option("--story", metavar="NAME", help="Tell what this e-mail met, instead.")
    ] = None,
    json: Json = False,
) -> None:
    """Judge a history: what was lost, duplicated, unexpected, corrupt or misrouted, with the stories of some."""
    with file.open("rb") as lines:
        history = list(read(lines))
    report = Report(json)
    if story_of is not None:
        told = story(history, story_of)
        if not told:
            raise SimError(f"no e-mail in {file} is named {story_of!r}; `sim check {file}` names those that went wrong")
        report.lines(told)
        return
    verdict = judge(history)
    report.facts({"verdict": "good" if verdict.good else "bad", **asdict(verdict)})
    for name in dict.fromkeys(name for names in verdict.wrong().values() for name in names[:1]):
        report.hint("\n".join(story(history, name)))
    if not verdict.good:
        raise typer.Exit(FAILED)


@chaos.command("run")
def chaos_run(
    plan: Annotated[str, typer.Argument(help="A plan of faults: a file, or the name of one that comes along.")],
    target: Annotated[str, typer.Option(help="Where the pipeline runs.", metavar="NAME")] = LOCAL[0],
    seed: Annotated[int | None, typer.Option(help="In place of the plan's own.")] = None,
    rate: Annotated[float, typer.Option(min=0.1, help="E-mails a second.")] = Load.rate,
    drain_seconds: Annotated[float, typer.Option(min=1, help="In which the queue must be empty at the end.")] = (
        Load.drain_seconds
    ),
    history: Annotated[Path | None, typer.Option(dir_okay=False, help="Write the history there.")] = None,
    json: Json = False,
) -> None:
    """Start a pipeline, publish while the plan's faults act, and judge what became of the e-mails."""
    asked = disturbances.find(plan)
    seeded = asked if seed is None else asked.seeded(seed)
    report = Report(json)
    with report.progress("starting") as tell, create(target, disturbances.TUNING, tell) as pipeline:
        outcome = disturbances.run(pipeline, seeded, Load(rate, drain_seconds), tell)
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
    """List the plans that come along."""
    rows = [{"name": name, "faults": sorted({*disturbances.find(name).faults})} for name in disturbances.shipped()]
    Report(json).table(["name", "faults"], rows)


@app.command()
def doctor(json: Json = False) -> None:
    """Say what this machine can run, and what is missing for the rest."""
    findings = examination.examine()
    report = Report(json)
    report.table(
        ["what", "good", "seen", "needed_for", "remedy"],
        [{**asdict(each), "remedy": "" if each.good else each.remedy} for each in findings],
    )
    if examination.missing(findings, "process"):
        raise typer.Exit(FAILED)


def _environment(directory: Path, variables: list[str] | None, tell: Tell) -> Environment:
    told = given(variables or ())
    return Environment(stacks.roots(directory), stacks.running(directory).endpoint, told, tell)


def _client(url: str | None, directory: Path) -> Client:
    if url is None:
        return stacks.running(directory).client()
    if "SIM_TOKEN" not in os.environ:
        raise SimError("the token of that API is not known: put it into the environment variable SIM_TOKEN")
    return Client(url.rstrip("/"), os.environ["SIM_TOKEN"])


def _told(outcomes: Iterator[Outcome], tell: Tell) -> Iterator[Outcome]:
    """Says once a second how many there were."""
    said = time.monotonic()
    for number, outcome in enumerate(outcomes, 1):
        if time.monotonic() - said >= 1:
            said = time.monotonic()
            tell(f"{number} e-mails so far")
        yield outcome


def main() -> None:
    """The console script."""
    try:
        app()
    except stacks.NothingRuns as error:
        sys.exit(_told_error(error, NOTHING_RUNS))
    except (SimError, *AWS_ERRORS) as error:
        sys.exit(_told_error(error, FAILED))


def _told_error(error: Exception, status: int) -> int:
    print(f"sim: {error}", file=sys.stderr)
    return status
