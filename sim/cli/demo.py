"""`sim demo`: starts a pipeline, publishes real e-mails to it, and shows which were stored."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer

from sim.cli.options import FAILED, Json
from sim.cli.output import Report
from sim.client.api import Client
from sim.client.files import publish_files
from sim.history.checker import check
from sim.history.events import message_id
from sim.history.observed import of_accepted
from sim.mail import SAMPLES
from sim.targets.process import ProcessTarget
from sim.targets.target import Tuning

_DRAIN_SECONDS = 120


@dataclass(frozen=True)
class Row:
    """One e-mail. `detail` is the key of its object, or why it was not published. The subject comes from S3."""

    name: str
    subject: str
    detail: str


@dataclass(frozen=True)
class Demonstration:
    """The rows for all e-mails, a summary, and whether the verdict is good."""

    rows: tuple[Row, ...]
    summary: str
    good: bool


def demonstrate(paths: Sequence[Path], progress: Callable[[str], None]) -> Demonstration:
    """Starts a pipeline, publishes the e-mails in the paths, waits until they are stored, and ends the pipeline."""
    with ProcessTarget(Tuning(), progress) as target:
        progress("publishing")
        client = Client(target.url, target.token())
        outcomes = list(publish_files(client, paths, concurrency=8))
        progress("waiting for the worker to store them")
        target.drain(_DRAIN_SECONDS)
        objects = {key: target.data_plane.object(key).body for key in target.data_plane.object_keys()}
        dead = list(target.data_plane.dead_letters())
    accepted = {outcome.detail: outcome.email for outcome in outcomes if outcome.email and outcome.published}
    verdict = check(of_accepted(accepted, objects, dead, drained=True))
    keys = {message_id(key): key for key in objects}
    rows = []
    for outcome in outcomes:
        key = keys.get(outcome.detail)
        subject = json.loads(objects[key])["email_subject"] if key else ""
        rows.append(Row(Path(outcome.name).name, subject, key or f"not published: {outcome.detail}"))
    summary = (
        f"{len(accepted)} e-mails accepted, {len(objects)} objects in S3, "
        f"{len(outcomes) - len(accepted)} not published; verdict: {verdict}"
    )
    return Demonstration(tuple(rows), summary, verdict.good)


def demo(
    files: Annotated[
        list[Path] | None, typer.Argument(help="Your own e-mails. By default, the samples of the kit.")
    ] = None,
    json: Json = False,
) -> None:
    """Start a pipeline, publish real e-mails, show that they are stored in S3, and end the pipeline."""
    report = Report(json)
    with report.progress("starting") as progress:
        shown = demonstrate(files or [SAMPLES], progress)
    report.table(["name", "subject", "detail"], [asdict(row) for row in shown.rows])
    report.hint(shown.summary)
    if not shown.good:
        raise typer.Exit(FAILED)
