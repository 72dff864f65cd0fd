"""Commands for the stack: start it, publish to it, inspect it, end it."""

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

from sim.cli.options import FAILED, HERE, Directory, Json, TimeScale
from sim.cli.output import Report
from sim.cli.runtime import Runtime
from sim.client.api import Client
from sim.client.files import Outcome, publish_files
from sim.cloud.permissions import NoReport, keep, reports
from sim.errors import SimError
from sim.stack import lifecycle
from sim.stack.status import status_of
from sim.targets.target import Progress, Provision


class PartName(StrEnum):
    """The names of the parts of a stack."""

    LOCALSTACK = "localstack"
    GATEWAY = "gateway"
    EDGE = "edge"
    AGENT = "agent"
    PAGE = "page"
    API = "api"
    WORKER = "worker"


class StackTarget(StrEnum):
    """The targets that can stay up: processes, containers, or a cluster that runs what Terraform declares."""

    PROCESS = "process"
    DOCKER = "docker"
    CLUSTER = "cluster"


def up(
    directory: Directory = HERE,
    target: Annotated[StackTarget, typer.Option(help="Where the services run.")] = StackTarget.PROCESS,
    provision: Annotated[
        Provision | None,
        typer.Option(help="What creates the queue, the bucket and the token; for a cluster it is Terraform."),
    ] = None,
    runtime: Runtime = None,
    time_scale: TimeScale = 1.0,
    json: Json = False,
) -> None:
    """Start the pipeline. It keeps running until `sim down`."""
    report = Report(json)
    chosen = provision or (Provision.TERRAFORM if target is StackTarget.CLUSTER else Provision.KIT)
    if target is StackTarget.CLUSTER and chosen is not Provision.TERRAFORM:
        raise typer.BadParameter("what runs in a cluster is what Terraform declares", param_hint="--provision")
    if runtime and target is not StackTarget.CLUSTER:
        raise typer.BadParameter("only a cluster has tasks: --target cluster", param_hint="--runtime")
    if time_scale != 1 and target is not StackTarget.CLUSTER:
        raise typer.BadParameter("only a cluster has a control plane: --target cluster", param_hint="--time-scale")
    with report.progress("starting") as progress:
        stack = lifecycle.up(directory, target, chosen, progress, runtime, time_scale)
    cluster = stack.cluster
    tasks = {"runtime": cluster.tasks.runtime, "time_scale": f"{cluster.time_scale:g}"} if cluster else {}
    report.facts(
        {
            "url": stack.url,
            "page": stack.page.link,
            "endpoint": stack.endpoint,
            "provision": chosen,
            **tasks,
            **asdict(stack.data_plane.resources),
        }
    )
    report.hint(
        "publish e-mails with `sim publish FILE...`, list them with `sim objects`, open the page in a browser "
        "to see and break what runs, end the stack with `sim down`"
    )


def down(directory: Directory = HERE) -> None:
    """End the pipeline and remove everything that it created. What its roles did is kept, for `sim iam`."""
    stack = lifecycle.running(directory)
    with Report(False).progress("stopping"):
        # A LocalStack that has ended, or hangs, reports nothing.
        with suppress(NoReport):
            keep(reports(stack.endpoint), directory)
        lifecycle.down(stack)


def status(directory: Directory = HERE, json: Json = False) -> None:
    """Show the status of each part and the number of messages in the queues."""
    now = status_of(lifecycle.running(directory))
    Report(json).table(["part", "state", "detail"], [asdict(part) for part in now.parts])
    if not now.good:
        raise typer.Exit(FAILED)


def publish(
    files: Annotated[list[Path], typer.Argument(help="E-mails, mailboxes, folders of them, or /dev/stdin.")],
    directory: Directory = HERE,
    rate: Annotated[float | None, typer.Option(min=0.001, help="At most this many e-mails a second.")] = None,
    concurrency: Annotated[int, typer.Option(min=1, max=256, help="How many e-mails to send at once.")] = 8,
    url: Annotated[
        str | None, typer.Option(help="Publish to this API instead of the local one. SIM_TOKEN must hold its token.")
    ] = None,
    json: Json = False,
) -> None:
    """Publish real e-mails."""
    client = _client(url, directory)
    report = Report(json)
    with report.progress("publishing") as progress:
        outcomes = list(_counted(publish_files(client, files, rate=rate, concurrency=concurrency), progress))
    columns = ["name", "published", "detail"]
    report.table(columns, [{column: getattr(outcome, column) for column in columns} for outcome in outcomes])
    if not all(outcome.published for outcome in outcomes):
        raise typer.Exit(FAILED)


def objects(
    key: Annotated[str | None, typer.Argument(help="Print this object's body.")] = None,
    directory: Directory = HERE,
    json: Json = False,
) -> None:
    """List the stored e-mails, or print one."""
    data_plane = lifecycle.running(directory).data_plane
    if key is not None:
        sys.stdout.write(data_plane.object(key).body.decode() + "\n")
        return
    Report(json).table(["key"], [{"key": each} for each in data_plane.object_keys()])


def logs(
    part: Annotated[PartName | None, typer.Argument(help="Print only the log of this part.")] = None,
    directory: Directory = HERE,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Keep printing new lines until Ctrl-C.")] = False,
) -> None:
    """Print the logs of the parts."""
    parts = lifecycle.running(directory).parts
    if part and part.value not in parts:
        raise SimError(f"the running stack has no part {part}; it has {', '.join(parts)}")
    chosen = {part.value: parts[part.value]} if part else parts
    places = dict.fromkeys(chosen, 0)
    while True:
        for name, each in chosen.items():
            # The logs disappear when the stack ends.
            with suppress(FileNotFoundError), Path(each.log).open(errors="replace") as log:
                log.seek(places[name])
                for line in log:
                    sys.stdout.write(line if part else f"{name:<10} {line}")
                places[name] = log.tell()
        if not follow:
            return
        sys.stdout.flush()
        time.sleep(0.2)
        lifecycle.running(directory)


def _client(url: str | None, directory: Path) -> Client:
    if url is None:
        return lifecycle.running(directory).client()
    if "SIM_TOKEN" not in os.environ:
        raise SimError("the token for that API is missing: set the environment variable SIM_TOKEN")
    return Client(url.rstrip("/"), os.environ["SIM_TOKEN"])


def _counted(outcomes: Iterator[Outcome], progress: Progress) -> Iterator[Outcome]:
    """Yields the outcomes, and reports their number once a second."""
    reported = time.monotonic()
    for number, outcome in enumerate(outcomes, 1):
        if time.monotonic() - reported >= 1:
            reported = time.monotonic()
            progress(f"{number} e-mails so far")
        yield outcome
