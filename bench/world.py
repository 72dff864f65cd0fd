"""Measures the speed of the world: e-mails under heavy load, virtual hours under light load, both with faults."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import psutil
from rich.table import Table

from sim.faults.plan import Fault, FaultPlan, Rule
from sim.world.client_pool import Pool
from sim.world.clients import Habit
from sim.world.run import Result, run
from sim.world.setup import Setup

STEPS = 2
EMAILS_GOAL = 1000
HOURS_GOAL = 1000
MEMORY_GOAL_MIB = 10
_MIB = 2**20
_HEAVY = Setup(habits=(Habit.CAREFUL,) * 256, pause=0.02, storm=2.0, token_cache=5.0)
_LIGHT = Setup(habits=(Habit.CAREFUL, Habit.PATIENT), pause=600.0, storm=3 * 3600.0, poison=3600.0, rotation=7200.0)
_FAULTS = FaultPlan(
    (
        Rule(Fault.THROTTLE, operation="SendMessageBatch", probability=0.01),
        Rule(Fault.ANSWER_LOST, operation="PutObject", probability=0.01),
        Rule(Fault.PARTIAL_BATCH_FAILURE, operation="DeleteMessageBatch", probability=0.05),
        Rule(Fault.DUPLICATE_DELIVERY, operation="ReceiveMessage", probability=0.01),
        Rule(Fault.KILL_TASK, caller="worker", since=5.0, every=1000.0),
    )
)


@dataclass(frozen=True)
class Speed:
    """The speed on one core, per second and per hour of CPU time."""

    emails_per_second: float
    hours_per_hour: float
    grown_mib: float
    """How many MiB the process grew in the second half of the virtual hours."""
    good: bool
    """True if the verdict on both worlds was good."""


def measure(step: Callable[[str], None]) -> Speed:
    """Runs two worlds. The first world runs twice, and only its second run counts."""
    pool = Pool()
    _timed(_HEAVY, 0, pool)
    step("the world: heavy load")
    heavy, heavy_seconds = _timed(_HEAVY, 0, pool)
    step("the world: light load")
    first, first_seconds = _timed(_LIGHT, 6, pool)
    half = psutil.Process().memory_info().rss
    second, second_seconds = _timed(_LIGHT, 6, pool)
    grown = (psutil.Process().memory_info().rss - half) / _MIB
    hours = (first.coverage.seconds + second.coverage.seconds) / (first_seconds + second_seconds)
    good = heavy.verdict.good and first.verdict.good and second.verdict.good
    return Speed(heavy.coverage.stored / heavy_seconds, hours, grown, good)


def table(speed: Speed) -> Table:
    """The result as a table."""
    title = "The world, on one core, faults on"
    shown = Table("", "measured", "to reach", "reached", title=title, title_justify="left")
    emails, hours, grown = speed.emails_per_second, speed.hours_per_hour, speed.grown_mib
    rows = (
        ("e-mails a second", emails, f">= {EMAILS_GOAL}", emails >= EMAILS_GOAL),
        ("virtual hours an hour, light load", hours, f">= {HOURS_GOAL}", hours >= HOURS_GOAL),
        ("growth in as many hours again, MiB", grown, f"<= {MEMORY_GOAL_MIB}", grown <= MEMORY_GOAL_MIB),
    )
    for what, measured, goal, reached in rows:
        shown.add_row(what, f"{measured:,.1f}", goal, "yes" if reached else "NO")
    shown.add_row("nothing lost, nothing doubled", "yes" if speed.good else "NO", "yes", "yes" if speed.good else "NO")
    return shown


def _timed(setup: Setup, hours: float, pool: Pool) -> tuple[Result, float]:
    began = time.process_time()
    result = run(1, hours, pool, setup=setup, plan=_FAULTS)
    return result, time.process_time() - began
