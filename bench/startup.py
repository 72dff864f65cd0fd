"""Measures how long the targets take to start and to end."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from rich.table import Table

from sim.cli.doctor import examine, missing
from sim.targets import LOCAL, create
from sim.targets.target import Tuning

GOALS_SECONDS = {"process": 10, "docker": 15}


@dataclass(frozen=True)
class Startup:
    """The times of one target's second start. The first start, which may install or build, is not counted."""

    target: str
    up_seconds: float
    down_seconds: float


def measure(step: Callable[[str], None]) -> list[Startup]:
    """Measures the targets that this machine can run."""
    findings = examine()
    measured = []
    for name in LOCAL:
        if missing(findings, name):
            continue
        step(f"start of the target {name}")
        _once(name)
        measured.append(_once(name))
    return measured


def table(startups: list[Startup]) -> Table:
    """The results as a table."""
    shown = Table("target", "up s", "to reach", "down s", title="Start-up, warm", title_justify="left")
    for each in startups:
        goal = f"< {GOALS_SECONDS[each.target]}"
        shown.add_row(each.target, f"{each.up_seconds:.1f}", goal, f"{each.down_seconds:.1f}")
    return shown


def _once(name: str) -> Startup:
    began = time.monotonic()
    with create(name, Tuning(), lambda _: None):
        up = time.monotonic()
        up_seconds = up - began
    return Startup(name, up_seconds, time.monotonic() - up)
