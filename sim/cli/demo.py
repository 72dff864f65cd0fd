"""`sim demo`: starts a pipeline, publishes real e-mails to it, and shows which were stored."""

from __future__ import annotations

import json as json_format
from pathlib import Path
from typing import Annotated

import typer

from sim.cli.options import FAILED, Json
from sim.cli.output import Report
from sim.client.files import publish_files
from sim.history.checker import check
from sim.history.events import message_id
from sim.history.observed import of_accepted
from sim.mail import SAMPLES
from sim.targets.process import ProcessTarget
from sim.targets.target import Tuning

_DRAIN_SECONDS = 120


def demo(
    files: Annotated[
        list[Path] | None, typer.Argument(help="Your own e-mails. By default, the samples of the kit.")
    ] = None,
    json: Json = False,
) -> None:
    """Start a pipeline, publish real e-mails, show that they are stored in S3, and end the pipeline."""
    report = Report(json)
    with report.progress("starting") as progress, ProcessTarget(Tuning(), progress) as target:
        progress("publishing")
        outcomes = list(publish_files(target.client(), files or [SAMPLES], concurrency=8))
        progress("waiting for the worker to store them")
        target.drain(_DRAIN_SECONDS)
        objects = {key: target.data_plane.object(key).body for key in target.data_plane.object_keys()}
        dead = list(target.data_plane.dead_letters())
    accepted = {each.detail: each.email for each in outcomes if each.email and each.published}
    verdict = check(of_accepted(accepted, objects, dead, drained=True))
    keys = {message_id(key): key for key in objects}
    rows = []
    for each in outcomes:
        key = keys.get(each.detail)
        # The subject comes from S3, to show that it is there.
        subject = json_format.loads(objects[key])["email_subject"] if key else ""
        rows.append(
            {"name": Path(each.name).name, "subject": subject, "detail": key or f"not published: {each.detail}"}
        )
    report.table(["name", "subject", "detail"], rows)
    report.hint(
        f"{len(accepted)} e-mails accepted, {len(objects)} objects in S3, "
        f"{len(outcomes) - len(accepted)} not published; verdict: {verdict}"
    )
    if not verdict.good:
        raise typer.Exit(FAILED)
