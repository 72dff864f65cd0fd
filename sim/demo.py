"""The demonstration: a pipeline of its own, real e-mails through it, and what became of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sim.client import Client
from sim.history.checker import check
from sim.history.events import message_id
from sim.history.record import of_accepted
from sim.publishing import publish_files
from sim.targets.process import ProcessTarget
from sim.targets.target import Tuning

_DRAIN_SECONDS = 120


@dataclass(frozen=True)
class Row:
    """One e-mail: `detail` is the key of its object, or why there is none; the subject is as S3 has it."""

    name: str
    subject: str
    detail: str


@dataclass(frozen=True)
class Demonstration:
    """All of them, and the verdict."""

    rows: tuple[Row, ...]
    summary: str
    good: bool


def demonstrate(paths: Sequence[Path], tell: Callable[[str], None]) -> Demonstration:
    """Starts a pipeline, publishes the e-mails at the paths, waits until they are stored, and ends it."""
    with ProcessTarget(Tuning(), tell) as target:
        tell("publishing")
        client = Client(target.url, target.token())
        outcomes = list(publish_files(client, paths, concurrency=8))
        tell("waiting for the worker to store them")
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
