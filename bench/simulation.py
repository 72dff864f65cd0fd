"""Measures what runs in virtual time: the world, on one core with faults, and `sim rehearse plan`."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sim.errors import SimError
from sim.faults.plan import Fault, FaultPlan, Rule
from sim.world.client_pool import Pool
from sim.world.clients import Habit
from sim.world.run import Result, run
from sim.world.setup import Setup

_ROUNDS: Final = 3
_EXAMPLE: Final = Path(__file__).parents[1] / "docs" / "examples" / "rehearse.json"
_REHEARSE: Final = (str(Path(sys.executable).with_name("sim")), "rehearse", "plan", str(_EXAMPLE))
_OPTIONS: Final = {1: ("--alone",), 8: ("--desired", "4", "--instances", "5")}
"""By the number of settings that they lead to."""
_HEAVY: Final = Setup(habits=(Habit.CAREFUL,) * 256, pause=0.02, storm=2.0, token_cache=5.0)
_LIGHT: Final = Setup(
    habits=(Habit.CAREFUL, Habit.PATIENT), pause=600.0, storm=3 * 3600.0, poison=3600.0, rotation=7200.0
)
_FAULTS: Final = FaultPlan(
    (
        Rule(Fault.THROTTLE, operation="SendMessageBatch", probability=0.01),
        Rule(Fault.ANSWER_LOST, operation="PutObject", probability=0.01),
        Rule(Fault.PARTIAL_BATCH_FAILURE, operation="DeleteMessageBatch", probability=0.05),
        Rule(Fault.DUPLICATE_DELIVERY, operation="ReceiveMessage", probability=0.01),
        Rule(Fault.KILL_TASK, caller="worker", since=5.0, every=1000.0),
    )
)


@dataclass(frozen=True)
class Simulated:
    """A figure and the goal for it: at least so much, or at most."""

    figure: str
    measured: float
    bound: float
    at_least: bool

    def row(self) -> Mapping[str, object]:
        """As a row of the benchmark's table, which has nothing plain beside it."""
        reached = self.measured >= self.bound if self.at_least else self.measured <= self.bound
        goal = f"{'>=' if self.at_least else '<='} {self.bound:g}: {'reached' if reached else 'MISSED'}"
        return {"figure": self.figure, "plain": None, "product": round(self.measured, 2), "ratio": None, "goal": goal}


def measure(progress: Callable[[str], None]) -> list[Simulated]:
    """Runs the worlds and the command. Raises SimError if a world's verdict is bad."""
    progress("the world")
    pool = Pool()
    # The first world pays for what all later ones share.
    _timed(_HEAVY, 0, pool)
    heavy, heavy_seconds = _timed(_HEAVY, 0, pool)
    light, light_seconds = _timed(_LIGHT, 6, pool)
    figures = [
        Simulated("e-mails a second in the world", heavy.coverage.stored / heavy_seconds, 300, at_least=True),
        Simulated("hours an hour in the world", light.coverage.seconds / light_seconds, 1000, at_least=True),
    ]
    for (settings, options), bound in zip(_OPTIONS.items(), (2.0, 4.0), strict=True):
        progress(f"a rehearsal of {settings} setting(s)")
        seconds = min(_seconds(options) for _ in range(_ROUNDS))
        figure = f"seconds of sim rehearse plan, {settings} setting(s)"
        figures.append(Simulated(figure, seconds, bound, at_least=False))
    return figures


def _timed(setup: Setup, hours: float, pool: Pool) -> tuple[Result, float]:
    """A world, and the seconds of CPU that it took."""
    began = time.process_time()
    result = run(1, hours, pool, setup=setup, plan=_FAULTS)
    if not result.verdict.good:
        raise SimError(f"the world of the benchmark is bad: {result.verdict}")
    return result, time.process_time() - began


def _seconds(options: tuple[str, ...]) -> float:
    began = time.monotonic()
    subprocess.run([*_REHEARSE, *options], check=True, capture_output=True)
    return time.monotonic() - began
