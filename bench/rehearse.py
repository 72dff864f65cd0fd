"""Measures how long `sim rehearse plan` takes, from the start of the command to its end."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

STEPS = 2
_EXAMPLE = Path(__file__).parents[1] / "docs" / "examples" / "rehearse.json"
_COMMAND = (str(Path(sys.executable).with_name("sim")), "rehearse", "plan", str(_EXAMPLE))
_ROUNDS = 3
GOALS_SECONDS = {1: 2.0, 8: 4.0}
"""The goals by the number of settings, with 50 deployments of each."""
_OPTIONS = {1: ("--alone",), 8: ("--desired", "4", "--instances", "5")}


@dataclass(frozen=True)
class Rehearsing:
    """The shortest time of a few rounds, in seconds, by the number of settings."""

    seconds: dict[int, float]


def measure(step: Callable[[str], None]) -> Rehearsing:
    """Runs the command on the example in docs/."""
    seconds = {}
    for settings, options in _OPTIONS.items():
        step(f"a rehearsal of {settings} setting(s)")
        seconds[settings] = min(_once(options) for _ in range(_ROUNDS))
    return Rehearsing(seconds)


def table(rehearsing: Rehearsing) -> Table:
    """The result as a table."""
    shown = Table("settings", "s", "to reach", title="sim rehearse plan, 50 deployments each", title_justify="left")
    for settings, seconds in rehearsing.seconds.items():
        shown.add_row(str(settings), f"{seconds:.2f}", f"< {GOALS_SECONDS[settings]:g}")
    return shown


def _once(options: tuple[str, ...]) -> float:
    began = time.monotonic()
    subprocess.run([*_COMMAND, *options], check=True, capture_output=True)
    return time.monotonic() - began
