"""`sim rehearse`: what a deployment would cost clients, predicted from Terraform. `deploy` has its own file."""

from __future__ import annotations

import json as json_format
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path
from random import Random
from typing import Annotated, Final

import typer

from sim.cli.options import FAILED, Json
from sim.cli.output import Report
from sim.cli.rehearse_deploy import deploy, scenarios
from sim.cluster.cadence import AWS, LOCAL, Cadence
from sim.errors import SimError
from sim.host.command import run
from sim.rehearsal.answers import Answers
from sim.rehearsal.project import Project, scenario
from sim.rehearsal.rehearse import CannotBegin, Course, Forecast, forecast
from sim.rehearsal.scenario import INSTANCE_START, USUAL, Application, Scenario, Seconds
from sim.rehearsal.settings_beside import Line, Variant, advice, contradictions, variants
from sim.rehearsal.terraform_json import Resource, read

rehearse = typer.Typer(help="What a deployment costs clients, before there is one in production.", no_args_is_help=True)
_ZIP: Final = b"PK"
"""The first bytes of a binary Terraform plan."""


rehearse.command()(deploy)
rehearse.command()(scenarios)


class Pace(StrEnum):
    """Whose control plane is predicted: AWS's, or the local one."""

    AWS = "aws"
    LOCAL = "local"

    @property
    def cadence(self) -> Cadence:
        """The speed of that control plane."""
        return AWS if self is Pace.AWS else LOCAL


@dataclass(frozen=True, slots=True)
class Limits:
    """The caller's limits for the current settings. None means no limit."""

    serving_at_least: int | None
    takes_at_most: float | None
    missing_at_most: float | None
    nothing_at_most: float | None

    def broken(self, line: Line) -> list[str]:
        """A sentence for each limit that at least one deployment breaks."""
        asked = (self.serving_at_least, self.takes_at_most, self.missing_at_most, self.nothing_at_most)
        if all(each is None for each in asked):
            return []
        if line.forecast is None or not line.forecast.ends:
            return ["a deployment does not end with the new version"]
        courses = line.forecast.courses
        found = []
        if self.serving_at_least is not None and line.forecast.lowest < self.serving_at_least:
            found.append(f"{line.forecast.lowest} serve at the lowest, and {self.serving_at_least} must")
        for limit, what, of in _MEASURES:
            allowed, worst = getattr(self, limit), max(of(each) for each in courses)
            if allowed is not None and worst > allowed:
                found.append(f"{worst:.0f} {what}, and {allowed:g} are allowed")
        return found


_MEASURES: Final[tuple[tuple[str, str, Callable[[Course], float]], ...]] = (
    ("takes_at_most", "seconds until it ends", lambda course: course.seconds or 0.0),
    ("missing_at_most", "task-seconds missing", lambda course: course.missing),
    ("nothing_at_most", "seconds with nothing serving", lambda course: course.nothing),
)


def seconds(text: str) -> Seconds:
    """Parses `3` or `1..5`, in seconds. Raises typer.BadParameter."""
    least, _, most = text.partition("..")
    try:
        found = Seconds(float(least), float(most or least))
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no time: write seconds, as `3`, or from and to, as `1..5`") from None
    if not 0 <= found.least <= found.most:
        raise typer.BadParameter(f"{text!r} is no time: it must not be negative, nor end before it begins")
    return found


def _time(flag: str, usual: Seconds, what: str) -> object:
    shown = str(usual).removesuffix(" s")
    return typer.Option(flag, parser=seconds, metavar="SECONDS", help=f"{what} By default {shown}.", show_default=False)


Files = Annotated[list[Path], typer.Argument(help="A plan or state as JSON, a plan, or a root's folder.", exists=True)]
Measured = Annotated[
    list[Path] | None,
    typer.Option(
        exists=True,
        help="Takes --launch and --stop from what `aws ecs describe-tasks` printed, --drain from an access log of a "
        "Classic ELB; may be repeated.",
    ),
]


@rehearse.command()
def plan(
    files: Files,
    service: Annotated[list[str] | None, typer.Option(help="Only this service; may be repeated.")] = None,
    seeds: Annotated[int, typer.Option(min=1, max=10_000, help="How many deployments of each setting.")] = 50,
    alone: Annotated[bool, typer.Option("--alone", help="Only the settings as they are.")] = False,
    pace: Annotated[Pace, typer.Option(help="How fast the control plane moves.")] = Pace.AWS,
    launch: Annotated[Seconds | None, _time("--launch", USUAL.launch, "From the order to RUNNING.")] = None,
    start: Annotated[Seconds | None, _time("--start", USUAL.start, "From RUNNING until it answers.")] = None,
    drain: Annotated[Seconds | None, _time("--drain", USUAL.drain, "The longest request in hand.")] = None,
    stop: Annotated[Seconds | None, _time("--stop", USUAL.stop, "From SIGTERM to the end.")] = None,
    measured: Measured = None,
    never_healthy: Annotated[bool, typer.Option("--never-healthy", help="A new version that never answers.")] = False,
    instances: Annotated[int | None, typer.Option(min=0, help="How many container instances there are.")] = None,
    instance_cpu: Annotated[int | None, typer.Option(min=1, help="CPU units of each.")] = None,
    instance_memory: Annotated[int | None, typer.Option(min=1, help="MiB of each.")] = None,
    instance_start: Annotated[
        Seconds | None, _time("--instance-start", INSTANCE_START, "Until a new instance has registered.")
    ] = None,
    zones: Annotated[int | None, typer.Option(min=1, help="How many zones they are in.")] = None,
    desired: Annotated[int | None, typer.Option(min=0, help="The desired count.")] = None,
    host_port: Annotated[int | None, typer.Option(min=0, max=65535, help="The task's host port; 0: dynamic.")] = None,
    cpu: Annotated[int | None, typer.Option(min=0, help="CPU units of a task.")] = None,
    memory: Annotated[int | None, typer.Option(min=0, help="MiB of a task.")] = None,
    check_interval: Annotated[float | None, typer.Option(min=1, help="Of the load balancer, in seconds.")] = None,
    drain_timeout: Annotated[float | None, typer.Option(min=0, help="Of the load balancer, in seconds.")] = None,
    serving_at_least: Annotated[int | None, typer.Option(help="Fail if fewer tasks ever serve.")] = None,
    takes_at_most: Annotated[float | None, typer.Option(help="Fail if a deployment takes more seconds.")] = None,
    missing_at_most: Annotated[float | None, typer.Option(help="Fail if more task-seconds are missing.")] = None,
    nothing_at_most: Annotated[float | None, typer.Option(help="Fail if nothing serves for more seconds.")] = None,
    json: Json = False,
) -> None:
    """Predict what a deployment costs clients, with these settings and with some alternatives."""
    project = Project(tuple(resource for each in files for resource in _resources(each)))
    known = _known(measured or ())
    application = Application(
        launch or known.get("launch", USUAL.launch),
        start or USUAL.start,
        drain or known.get("drain", USUAL.drain),
        stop or known.get("stop", USUAL.stop),
        answers=not never_healthy,
    )
    answers = Answers(
        instances=instances,
        instance_cpu=instance_cpu,
        instance_memory=instance_memory,
        zones=zones,
        host_port=host_port,
        cpu=cpu,
        memory=memory,
        desired=desired,
        check_interval=check_interval,
        drain_timeout=drain_timeout,
        instance_start=instance_start or INSTANCE_START,
        application=application,
        cadence=pace.cadence,
    )
    limits = Limits(serving_at_least, takes_at_most, missing_at_most, nothing_at_most)
    results = [_rehearsed(project, name, answers, seeds, alone=alone) for name in _chosen(project, service)]
    broken = {each.scenario.name: limits.broken(each.lines[0]) for each in results}
    if json:
        print(json_format.dumps([_as_json(each, broken[each.scenario.name]) for each in results], indent=2))
    else:
        for each in results:
            _show(each, broken[each.scenario.name])
    if any(broken.values()):
        raise typer.Exit(FAILED)


@dataclass(frozen=True, slots=True)
class Result:
    """The predictions for one service, one line for each of the settings tried."""

    scenario: Scenario
    lines: tuple[Line, ...]
    seeds: int


def _rehearsed(project: Project, name: str, answers: Answers, seeds: int, *, alone: bool) -> Result:
    as_it_is = scenario(project, name, answers)
    tried = variants(as_it_is)[: 1 if alone else None]
    return Result(as_it_is, tuple(_lines(tried, seeds)), seeds)


def _lines(tried: Sequence[Variant], seeds: int) -> list[Line]:
    """The prediction for each of the settings, computed by one process for each core."""
    processes = min(os.cpu_count() or 1, len(tried))
    if processes == 1:
        return [_line(each, seeds) for each in tried]
    from concurrent.futures import ProcessPoolExecutor  # noqa: PLC0415 - not needed for one setting, which should start fast

    with ProcessPoolExecutor(processes) as pool:
        return list(pool.map(partial(_line, seeds=seeds), tried))


def _line(variant: Variant, seeds: int) -> Line:
    try:
        # Repeatable, not secret.
        return Line(variant, forecast(variant.scenario, [Random(seed) for seed in range(seeds)]))  # noqa: S311
    except CannotBegin as error:
        return Line(variant, None, str(error))


def _chosen(project: Project, wanted: Sequence[str] | None) -> list[str]:
    names = project.services()
    for each in wanted or ():
        if each not in names:
            raise SimError(f"there is no service {each} in the files; there is {', '.join(names)}")
    return list(wanted or names)


def _resources(path: Path) -> list[Resource]:
    """The resources in a file. Terraform converts a folder or a binary plan to JSON first."""
    if path.is_dir() or path.read_bytes()[:2] == _ZIP:
        folder, arguments = (path, []) if path.is_dir() else (path.parent, [path.name])
        remedy = "Run `terraform init` there, or write the JSON yourself: terraform show -json PLAN > plan.json"
        text = run(["terraform", f"-chdir={folder}", "show", "-json", *arguments], remedy=remedy)
        return read(path, text)
    return read(path, path.read_text(errors="replace"))


def _known(records: Sequence[Path]) -> Mapping[str, Seconds]:
    """The times in these records; the last one that has a time counts. Raises SimError."""
    # The command starts faster without it, and few use it.
    from sim.rehearsal.measured import measured  # noqa: PLC0415

    times = (measured(str(each), each.read_text(errors="replace")) for each in records)
    return {name: seconds for each in times for name, seconds in each.items()}


def _show(result: Result, broken: Sequence[str]) -> None:
    report, now = Report(False), result.scenario
    configuration = now.settings.configuration
    report.lines(
        [
            f"service {now.name}: {now.desired} tasks on {len(now.instances)} instances, "
            f"{configuration.minimum_healthy_percent}/{configuration.maximum_percent}",
            f"assumed: {now.application}; {now.cadence}; {result.seeds} deployments each",
            *_beside(now),
            *contradictions(now),
        ]
    )
    report.table(["settings", "instances", "takes", "longest", "serving_at_least", "missing", "nothing"], _rows(result))
    reasons = dict.fromkeys(f"{each.variant.percents}: {why}" for each in result.lines if (why := _why(each)))
    report.lines([*reasons, *([] if len(result.lines) == 1 else [advice(result.lines)])])
    report.lines([f"LIMIT BROKEN: {each}" for each in broken])


def _beside(now: Scenario) -> list[str]:
    """Whose tasks take room on the instances, too."""
    known = [f"{each.desired} of {each.name}" for each in now.neighbours]
    lines = [f"beside them on the instances: tasks of other services, {', '.join(known)}"] if known else []
    if now.overlooked:
        lines.append(f"take no room here, since the files do not describe their tasks: {', '.join(now.overlooked)}")
    return lines


def _rows(result: Result) -> list[dict[str, str]]:
    return [
        {
            "settings": f"{line.variant.percents}{'' if line.variant.label else ' (as it is)'}",
            "instances": str(len(line.variant.scenario.instances)),
            **_figures(line.forecast),
        }
        for line in result.lines
    ]


def _figures(found: Forecast | None) -> dict[str, str]:
    if found is None:
        return {"takes": "cannot begin"} | dict.fromkeys(("longest", "serving_at_least", "missing", "nothing"), "-")
    takes = found.mean(lambda course: course.seconds)
    ended = (
        "rolled back"
        if takes is not None and any(each.rolled_back for each in found.courses)
        else f"{takes or 0:.0f} s"
    )
    longest, missing = found.longest(), found.mean(lambda course: course.missing)
    return {
        "takes": "never ends" if len(found.ended) < len(found.courses) else ended,
        "longest": f"{longest:.0f} s" if longest is not None else "-",
        "serving_at_least": str(found.lowest),
        "missing": f"{missing:.0f} task-seconds" if missing is not None else "-",
        "nothing": f"{nothing:.0f} s" if (nothing := found.mean(lambda course: course.nothing)) is not None else "-",
    }


def _why(line: Line) -> str:
    return line.forecast.why if line.forecast else line.why


def _as_json(result: Result, broken: Sequence[str]) -> dict[str, object]:
    now = result.scenario
    return {
        "service": now.name,
        "desired": now.desired,
        "assumed": {
            "launch": str(now.application.launch),
            "start": str(now.application.start),
            "drain": str(now.application.drain),
            "stop": str(now.application.stop),
            "step_seconds": now.cadence.step_seconds,
            "registration_seconds": now.cadence.delays.registration,
            "deployments": result.seeds,
        },
        "beside": {each.name: each.desired for each in now.neighbours},
        "overlooked": list(now.overlooked),
        "contradictions": contradictions(now),
        "settings": [_line_as_json(each) for each in result.lines],
        "advice": advice(result.lines),
        "broken": list(broken),
    }


def _line_as_json(line: Line) -> dict[str, object]:
    configuration, found = line.variant.scenario.settings.configuration, line.forecast
    return {
        "minimum_healthy_percent": configuration.minimum_healthy_percent,
        "maximum_percent": configuration.maximum_percent,
        "instances": len(line.variant.scenario.instances),
        "as_it_is": not line.variant.label,
        "ends": line.ends,
        "why": _why(line),
        "seconds": found and found.mean(lambda course: course.seconds),
        "longest_seconds": found and found.longest(),
        "serving_at_least": found and found.lowest,
        "missing_task_seconds": found and found.mean(lambda course: course.missing),
        "nothing_serving_seconds": found and found.mean(lambda course: course.nothing),
    }
