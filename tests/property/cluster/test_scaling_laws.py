"""What holds for scaling policies with any readings, and for a service whose load they follow.

The mutants at the end are bugs of their rules, of which each breaks a law.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from typing import Any, Final

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from sim.cluster.autoscaling import scaling_policies
from sim.cluster.autoscaling.scaling_policies import Reading, ScalableTarget, Scaled, step
from tests.property.cluster.planted import breaks_a_law
from tests.unit.cluster.autoscaling.test_scaling_policies import TRACKING, WAKE
from tests.unit.cluster.proves import proves

LONG: Final = 40
LOW_SHARE: Final = 0.9


class Broken(AssertionError):
    """A law is broken."""


@dataclass(frozen=True)
class Program:
    """A service, and the load of each of its minutes."""

    least: int
    more: int
    loads: tuple[int, ...]


programs = st.builds(
    Program,
    least=st.integers(0, 3),
    more=st.integers(0, 30),
    loads=st.lists(st.integers(0, 3000), min_size=1, max_size=30).map(tuple),
)


class Play:
    """A service whose load its tasks share, and the policies of our worker."""

    def __init__(self, program: Program) -> None:
        self.program, self.now = program, 0.0
        self.target = ScalableTarget(program.least, program.least + program.more, program.least, (TRACKING, WAKE))
        self.scaled: list[tuple[float, Scaled]] = []

    def minute(self, load: int) -> None:
        """One minute under this load, with the alarms as they are after their periods."""
        self.now += 60.0
        tasks = self.target.capacity
        share = load / max(tasks, 1)
        readings = {
            "backlog": Reading(high=share > TRACKING.target, low=share < LOW_SHARE * TRACKING.target, value=share),
            "wake": Reading(high=load > 0 and tasks == 0, value=float(load), threshold=1.0),
        }
        before = self.target
        self.target, scaled = step(before, readings, self.now)
        self.hold(before, scaled, readings)
        self.scaled += [(self.now, each) for each in scaled]

    def hold(self, before: ScalableTarget, scaled: list[Scaled], readings: dict[str, Reading]) -> None:
        """Raises Broken if the minute broke a law."""
        target = self.target
        if not target.minimum <= target.capacity <= target.maximum:
            raise Broken(f"{target.capacity} tasks")
        for each in scaled:
            if (each.before, each.after) != (before.capacity, target.capacity) or each.before == each.after:
                raise Broken(f"{each} and {before.capacity} to {target.capacity}")
            if each.after > each.before and not any(reading.high for reading in readings.values()):
                raise Broken("scaled out without an alarm")
            if each.after < each.before and not readings["backlog"].low:
                raise Broken("scaled in without an alarm")
            last = next((at for at, one in reversed(self.scaled) if one.after < one.before), None)
            out_since = any(one.after > one.before for at, one in self.scaled if last is not None and at > last)
            if each.after < each.before and last is not None and self.now - last < 300.0 and not out_since:
                raise Broken("scaled in within the cool-down")

    def run(self) -> None:
        for load in self.program.loads:
            self.minute(load)

    def calm(self, load: int) -> bool:
        """Under a load that stays: whether the tasks come to what it needs, and stay there."""
        for _ in range(LONG):
            self.minute(load)
        low = max(self.target.minimum, min(ceil(load / TRACKING.target), self.target.maximum))
        high = max(self.target.minimum, min(ceil(load / TRACKING.target / LOW_SHARE), self.target.maximum))
        return low <= self.target.capacity <= max(low, high)


@settings(max_examples=150, deadline=None)
@given(programs, st.integers(1, 3000))
def test_the_tasks_follow_the_load_within_the_limits(program: Program, load: int) -> None:
    play = Play(program)
    play.run()
    assert play.calm(load), (load, play.target.capacity)


def broken_by(program: Program) -> bool:
    """Whether the program breaks a law, or the tasks do not come to what a load needs."""
    play = Play(program)
    try:
        play.run()
        return not play.calm(program.loads[0] + 1)
    except Broken:
        return True


SEARCH = settings(max_examples=200, deadline=None, database=None, phases=[Phase.generate])

MUTANTS: list[tuple[str, Callable[..., Any]]] = [
    ("bounded", lambda _, count: count),
    ("may_scale_in", lambda *_, **__: True),
    ("tracked", lambda policy, value, capacity: None if value is None else int(capacity * value / policy.target)),
    ("adjusted", lambda _, __, capacity: capacity),
    ("counted_from", lambda target, _: target.out_from),
]


@proves(scaling_policies.bounded, scaling_policies.may_scale_in, scaling_policies.tracked)
@pytest.mark.parametrize(("name", "bug"), MUTANTS, ids=[name for name, _ in MUTANTS])
def test_a_bug_in_a_rule_breaks_a_law(monkeypatch: pytest.MonkeyPatch, name: str, bug: Callable[..., Any]) -> None:
    monkeypatch.setattr(scaling_policies, name, bug)
    breaks_a_law(name, programs, broken_by, SEARCH)
