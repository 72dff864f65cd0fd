"""`sim rehearse deploy`: a deployment under load on the cluster that is up, while things go wrong."""

from __future__ import annotations

import json as json_format
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sim.cli.options import FAILED, HERE, Directory
from sim.cli.output import Report
from sim.errors import SimError

if TYPE_CHECKING:
    from sim.stack.lifecycle import ClusterPlace, Stack
    from sim.trial.record import Record
    from sim.trial.report import Result
    from sim.trial.run import LoadOf
    from sim.trial.scenario import DeploymentScenario
    from sim.trial.stage import Stage

_CLIENTS = 16
"""Of the pipeline's load; each sends a request every two seconds."""
_PRINTED = "-"


def scenarios(
    name: Annotated[str | None, typer.Argument(help="Print the file of this one, to copy and change it.")] = None,
) -> None:
    """List the scenarios of `sim rehearse deploy`, or print the file of one."""
    # The group's other commands start faster without them.
    from sim.trial.shipped import NAMES, scenario_of, text_of  # noqa: PLC0415

    if name is not None:
        print(text_of(name), end="")
        return
    rows = [{"scenario": each, "about": scenario_of(each)[1].about} for each in NAMES]
    Report(False).table(["scenario", "about"], rows)


def deploy(
    service: Annotated[str, typer.Argument(help="The service, as `sim cluster status` names it; api or worker.")],
    scenario: Annotated[
        list[str] | None,
        typer.Option(help="A scenario's name or file; may be repeated. By default good.", metavar="NAME|FILE"),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All scenarios of the kit, one after the other.")] = False,
    load: Annotated[
        Path | None,
        typer.Option(help="The request that clients send: TOML, docs/rehearse.md.", exists=True, dir_okay=False),
    ] = None,
    clients: Annotated[int | None, typer.Option(min=1, max=256, help="How many clients send it.")] = None,
    failed_at_most: Annotated[int | None, typer.Option(min=0, help="Fail if more requests fail in a trial.")] = None,
    outage_at_most: Annotated[
        int | None, typer.Option(min=0, help="Fail if for more seconds no request is answered well.")
    ] = None,
    takes_at_most: Annotated[float | None, typer.Option(help="Fail if a deployment takes more seconds.")] = None,
    json: Annotated[str | None, typer.Option(help="Write all of it as JSON; - prints it.", metavar="FILE|-")] = None,
    junit: Annotated[Path | None, typer.Option(help="Write JUnit's XML, a test case for each.", dir_okay=False)] = None,
    directory: Directory = HERE,
) -> None:
    """Deploy a new revision under load on the cluster that is up, and judge what clients saw of it.

    Afterwards the service is what it was before, also after Ctrl-C and SIGTERM.
    """
    from sim.host.ending import ended_by_signals  # noqa: PLC0415
    from sim.stack.lifecycle import running_cluster  # noqa: PLC0415
    from sim.trial.judge import Allowed, broken  # noqa: PLC0415
    from sim.trial.report import Result  # noqa: PLC0415
    from sim.trial.run import run  # noqa: PLC0415
    from sim.trial.stage import Stage  # noqa: PLC0415

    stack, place = running_cluster(directory)
    acts = place.acts(stack.endpoint)
    stage = Stage(acts, acts.service(service))
    load_of = _load(stack, place, load, clients)
    allowed = Allowed(failed_at_most, outage_at_most, takes_at_most)
    report, results = Report(False), list[Result]()
    for name, each in chosen(service, scenario or (), every=every):
        with ended_by_signals(), report.progress(name) as progress:
            progress(f"{name}: {each.about}")
            predict = _prediction(directory, stack, place, stage, each, progress)
            record = run(stage, each, load_of, progress)
        verdict = tuple(broken(each.expect, allowed, record))
        results.append(Result(name, each.about, service, record, verdict, tuple(predict(record))))
        # After each, so that those that ended are kept whatever comes of the next.
        _write(results, json, junit)
        if json != _PRINTED:
            _show(report, results[-1])
    if json == _PRINTED:
        print(_as_json(results))
    else:
        _summarise(report, results)
    if not all(each.good for each in results):
        raise typer.Exit(FAILED)


def chosen(service: str, given: Sequence[str], *, every: bool) -> list[tuple[str, DeploymentScenario]]:
    """The scenarios to run. Raises BadScenario for one that is named and is of no use for the service."""
    from sim.trial.scenario import BadScenario  # noqa: PLC0415
    from sim.trial.shipped import NAMES, scenario_of  # noqa: PLC0415

    fitting = [(name, each) for name, each in map(scenario_of, NAMES if every else ()) if each.service in {"", service}]
    named = [scenario_of(each) for each in given or (() if every else ("good",))]
    for name, each in named:
        if each.service not in {"", service}:
            raise BadScenario(
                f"{name} is of use for {each.service} alone; copy its file, which `sim rehearse scenarios` prints, and "
                f"change it for {service}"
            )
    return [*fitting, *named]


def _prediction(
    directory: Path,
    stack: Stack,
    place: ClusterPlace,
    stage: Stage,
    scenario: DeploymentScenario,
    progress: Callable[[str], None],
) -> Callable[[Record], list[str]]:
    """Makes a record's comparison with what `sim rehearse plan` predicts now, before the trial; or says why not."""
    from release.errors import ReleaseError  # noqa: PLC0415
    from sim.trial.foretold import compared, foretold, predictable  # noqa: PLC0415
    from sim.trial.states import resources_of  # noqa: PLC0415

    if place.time_scale != 1 or not predictable(scenario):
        return lambda _: []
    try:
        resources = resources_of(directory, stack, progress)
        predicted = foretold(resources, stage.service.name, scenario, stage.count_instances())
    except (SimError, ReleaseError) as error:
        why = f"no prediction: {str(error).splitlines()[0]}"
        return lambda _: [why]
    return lambda record: [compared(predicted, record)]


def _load(stack: Stack, place: ClusterPlace, file: Path | None, clients: int | None) -> LoadOf:
    """What sends requests during a trial. Raises BadLoad, or NotRehearsed if there is nothing to send to."""
    from sim.client.load import publishing  # noqa: PLC0415
    from sim.client.request_load import BadLoad, RequestLoad, read  # noqa: PLC0415

    if file is None and stack.project is None:
        return lambda: publishing(stack.client(), clients or _CLIENTS)
    load = read(str(file), file.read_text(errors="replace")) if file else RequestLoad()
    urls = dict(place.urls) if stack.project else {"": stack.url}
    if load.listener and load.listener not in urls:
        raise BadLoad(f"there is no listener {load.listener}; there are: {', '.join(filter(None, urls)) or 'none'}")
    if not urls:
        raise BadLoad("the project has no load balancer that listens, so there are no clients to ask")
    url = urls[load.listener] if load.listener else next(iter(urls.values()))
    return lambda: (load if clients is None else load.model_copy(update={"clients": clients})).to(url)


def _write(results: Sequence[Result], json: str | None, junit: Path | None) -> None:
    from sim.trial.report import junit as as_junit  # noqa: PLC0415

    if json is not None and json != _PRINTED:
        Path(json).write_text(_as_json(results))
    if junit is not None:
        junit.write_text(as_junit(results))


def _as_json(results: Sequence[Result]) -> str:
    from sim.trial.report import as_json  # noqa: PLC0415

    return json_format.dumps([as_json(each) for each in results], indent=2)


def _show(report: Report, result: Result) -> None:
    from sim.trial.report import COURSE, course  # noqa: PLC0415

    report.lines([f"{result.scenario}: {result.about}"])
    report.table(COURSE, course(result.record))
    report.lines([*result.foretold, *(f"BROKEN: {each}" for each in result.broken), ""])


def _summarise(report: Report, results: Sequence[Result]) -> None:
    from sim.trial.report import SUMMARY, summary  # noqa: PLC0415

    report.table(SUMMARY, [summary(each) for each in results])
