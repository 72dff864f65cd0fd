"""What holds for the scheduler, the group and the capacity provider together, whatever the count of tasks does.

The mutants at the end are bugs of the provider's rules, of which each breaks a law.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from sim.cluster import capacity_provider
from sim.cluster.autoscaling import group_requests
from sim.cluster.capacity_provider import ManagedScaling
from sim.cluster.deployments import DeploymentConfiguration
from sim.cluster.services import Settings
from tests.property.cluster.planted import breaks_a_law
from tests.unit.cluster.proves import proves
from tests.unit.cluster.provider_bench import PROVIDER, ProviderBench

CALM_MINUTES: Final = 45
MOST: Final = 5
HALF: Final = Settings(DeploymentConfiguration(50, 200))


class Broken(AssertionError):
    """A law is broken."""


@dataclass(frozen=True)
class Program:
    """A service's count over time, and instances that a user ends meanwhile."""

    step: int
    warmup: int
    least: int
    deeds: tuple[tuple[str, int, int], ...]


programs = st.builds(
    Program,
    step=st.integers(1, 3),
    warmup=st.sampled_from([30, 60, 300]),
    least=st.integers(0, 2),
    deeds=st.lists(
        st.tuples(st.sampled_from(["want", "want", "end", "wait"]), st.integers(0, MOST), st.sampled_from([1, 5, 17])),
        max_size=4,
    ).map(tuple),
)


class Play(ProviderBench):
    """A program while it runs, with each step held to the laws."""

    def __init__(self, program: Program) -> None:
        scaling = ManagedScaling(maximum_step=program.step, warmup_seconds=program.warmup)
        super().__init__(
            tasks=1,
            provider=replace(PROVIDER, scaling=scaling),
            settings=HALF,
            min_size=program.least,
            max_size=MOST,
        )
        self.program = program
        self.tasks = 1

    def step(self, seconds: float = 10.0, *, serve: bool = True) -> None:
        before = self.hosts.group
        super().step(seconds, serve=serve)
        limits = self.hosts.group.settings
        if not limits.min_size <= self.hosts.group.desired <= limits.max_size:
            raise Broken(f"the desired capacity is {self.hosts.group.desired}")
        if self.hosts.group.desired > before.capacity + self.program.step and before.capacity:
            raise Broken(f"from {before.capacity} to {self.hosts.group.desired} instances")
        if self.ended_with_tasks:
            raise Broken(f"tasks of an ended instance ran: {self.ended_with_tasks}")

    def play(self) -> Play:
        for deed, number, minutes in self.program.deeds:
            here = [each.id for each in self.hosts.serving]
            if deed == "want":
                self.tasks = number
                self.want(number)
            elif deed == "end" and here:
                hosts = self.hosts
                one = here[number % len(here)]
                hosts.ask(group_requests.terminated, one, hosts.now, hosts.chance, decrement=False)
            self.run(minutes)
        return self

    def calm(self) -> bool:
        """Whether every task comes to run, and no empty instance stays."""
        self.run(CALM_MINUTES)
        busy = max(self.tasks, self.program.least)
        return self.running == self.tasks and len(self.hosts.serving) == busy


@settings(max_examples=12, deadline=None)
@given(programs)
def test_every_task_comes_to_run_and_no_empty_instance_stays(program: Program) -> None:
    play = Play(program).play()
    assert play.calm(), (play.tasks, play.running, play.hosts.states, play.provider.readings)


def broken_by(program: Program) -> bool:
    """Whether the program breaks a law, or does not come to rest."""
    play = Play(program)
    try:
        return not play.play().calm()
    except Broken:
        return True


SEARCH = settings(max_examples=25, deadline=None, database=None, phases=[Phase.generate])

MUTANTS: list[tuple[str, Callable[..., Any]]] = [
    ("occupied", lambda _: frozenset()),
    ("may_go", lambda *_: True),
    ("wanted", lambda instances, reading, target: round(instances * reading / target)),
    ("low", lambda *_: False),
    ("warms_up", lambda *_: True),
    ("waits_for", lambda *_: False),
]


@proves(capacity_provider.occupied, capacity_provider.wanted, capacity_provider.low)
@pytest.mark.parametrize(("name", "bug"), MUTANTS, ids=[name for name, _ in MUTANTS])
def test_a_bug_in_a_rule_breaks_a_law(monkeypatch: pytest.MonkeyPatch, name: str, bug: Callable[..., Any]) -> None:
    monkeypatch.setattr(capacity_provider, name, bug)
    breaks_a_law(name, programs, broken_by, SEARCH)
