"""What holds for an instance refresh with any percentages while the group is scaled and instances are lost.

The mutants at the end are bugs of its rules, of which each breaks a law.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from sim.cluster.autoscaling import group_requests, instance_refresh
from sim.cluster.autoscaling.group_state import Group
from sim.cluster.autoscaling.group_turn import GroupAction
from sim.cluster.autoscaling.instance_refresh import Refresh, ready
from sim.cluster.autoscaling.lifecycle_hooks import TERMINATING, Hook
from tests.property.cluster.planted import breaks_a_law
from tests.unit.cluster.autoscaling.refresh_bench import RefreshBench
from tests.unit.cluster.proves import proves

DRAIN: Final = Hook("drain", TERMINATING, 60.0, "CONTINUE")
DEEDS: Final = ("scale", "lose", "cancel", "roll back", "refuse", "accept", "wait", "wait", "wait")


class Broken(AssertionError):
    """A law is broken."""


@dataclass(frozen=True)
class Program:
    """A refresh of a group, and what happens meanwhile: a deed, and some steps after it."""

    seed: int
    desired: int
    least: int
    more: int | None
    drains: bool
    protected: bool
    deeds: tuple[tuple[str, int, int], ...]


programs = st.builds(
    Program,
    seed=st.integers(0, 2**32),
    desired=st.integers(0, 6),
    least=st.sampled_from([0, 50, 75, 90, 100]),
    more=st.sampled_from([None, 100, 125, 150, 200]),
    drains=st.booleans(),
    protected=st.booleans(),
    deeds=st.lists(st.tuples(st.sampled_from(DEEDS), st.integers(0, 9), st.integers(1, 15)), max_size=10).map(tuple),
)


class Play(RefreshBench):
    """A program while it runs, with each step of the refresh held to the laws."""

    def __init__(self, program: Program) -> None:
        hooks = (DRAIN,) if program.drains else ()
        super().__init__(program.desired, program.seed, hooks=hooks, protect_new=program.protected)
        self.settle(4).step(60.0)
        most = None if program.more is None else min(max(program.more, 100), program.least + 100)
        self.bounds = (program.least, most)
        self.start(
            MinHealthyPercentage=program.least,
            MaxHealthyPercentage=most,
            ScaleInProtectedInstances="Refresh",
        )
        self.program = program

    def step(self, seconds: float = 1.0) -> list[GroupAction]:
        if self.refresh is None:
            return super().step(seconds)
        group_actions = super(RefreshBench, self).step(seconds)
        refresh, before = self.running, self.group
        self.refresh, self.group, actions = instance_refresh.step(refresh, before, self.now, self.chance)
        never_too_few(refresh, before, self.group, self.now, self.bounds)
        never_too_many(before, self.group, self.bounds)
        nothing_new_of_old_templates(refresh, before, self.group)
        nothing_ahead_of_nobody(refresh, before, self.group)
        self.carry_out(actions)
        return group_actions + actions

    def run(self) -> None:
        for deed, number, steps in self.program.deeds:
            self.do(deed, number)
            for _ in range(steps):
                self.step(7.0)

    def do(self, deed: str, number: int) -> None:
        here = [each.id for each in self.serving]
        match deed:
            case "scale":
                self.ask(group_requests.desired_set, number, self.now)
            case "lose" if here:
                self.end(here[number % len(here)])
            case "cancel" if self.running.active and self.status != "Cancelling":
                self.refresh = instance_refresh.cancelled(self.refresh)
            case "roll back" if self.status in {"InProgress", "Pending"}:
                self.refresh, self.group = instance_refresh.rolled_back(self.refresh, self.group, self.now)
            case "refuse" | "accept":
                self.refuses_launches = deed == "refuse"

    def calm(self) -> bool:
        """No more disturbances: whether the refresh ends as it should, with the whole group as it should be."""
        self.refuses_launches = False
        self.finish(600, 20.0)
        self.ask(group_requests.protected, list(self.group.instances), protect=False)
        # A launch that was refused is tried again after a quarter of an hour at most.
        self.settle(3).step(1000.0)
        self.settle(3).step(1000.0)
        self.settle(3)
        whole = len(self.serving) == len(self.group.instances) == self.group.desired
        if self.status == "Cancelled":
            return whole
        version = {"Successful": 2, "RollbackSuccessful": 1}.get(self.status, 0)
        return whole and all(each == version for each in self.versions)


def never_too_few(refresh: Refresh, before: Group, after: Group, now: float, bounds: tuple[int, int | None]) -> None:
    """A step of the refresh ends nothing below the minimum; without a maximum it may always end one of all."""
    serve = {key for key, each in before.instances.items() if ready(refresh, before, each, now)}
    left = {key for key in serve if not after.instances[key].leaving}
    least = -(-before.desired * bounds[0] // 100)
    floor = min(least, before.desired - 1) if bounds[1] is None else least
    if len(left) < len(serve) and len(left) < floor:
        raise Broken(f"{len(left)} are left, {floor} may be")


def never_too_many(before: Group, after: Group, bounds: tuple[int, int | None]) -> None:
    """A step of the refresh launches nothing above the maximum; one more where the percentages leave no move."""
    most = before.desired * (bounds[1] or 100) // 100
    ceiling = max(most, before.desired + 1) if bounds[1] is not None else most
    there = sum(not each.leaving for each in after.instances.values()) + len(after.launches)
    if after.launches.keys() - before.launches.keys() and there > ceiling:
        raise Broken(f"{there} are there, {ceiling} may be")


def nothing_new_of_old_templates(refresh: Refresh, before: Group, after: Group) -> None:
    wanted = refresh.previous if refresh.rollback else refresh.template
    for key in after.launches.keys() - before.launches.keys():
        if after.launches[key].template != wanted:
            raise Broken(f"{after.launches[key].template} was launched")


def nothing_ahead_of_nobody(refresh: Refresh, before: Group, after: Group) -> None:
    """A step of the refresh launches ahead only for old instances that have none in their place yet."""
    ahead = [each.purpose for each in after.instances.values() if each.beyond]
    ahead += [each.purpose for each in after.launches.values() if each.beyond]
    old = [each for each in after.instances.values() if each.id in refresh.old and not each.leaving]
    if after.launches.keys() - before.launches.keys() and ahead.count("refresh") > len(old):
        raise Broken(f"{len(ahead)} were launched ahead for {len(old)} old ones")


@settings(max_examples=80, deadline=None)
@given(programs)
def test_no_program_breaks_a_law(program: Program) -> None:
    Play(program).run()


@settings(max_examples=30, deadline=None)
@given(programs)
@example(Program(0, 0, 0, None, drains=False, protected=False, deeds=(("refuse", 0, 1), ("scale", 2, 1))))
def test_a_refresh_ends_once_disturbances_do(program: Program) -> None:
    play = Play(program)
    play.run()
    assert play.calm(), (play.status, play.group.desired, play.states, play.versions)


def broken_by(program: Program) -> bool:
    """Whether the program breaks a law, or the refresh does not end well."""
    try:
        play = Play(program)
        play.run()
        return not play.calm()
    except Broken:
        return True


SEARCH = settings(max_examples=2000, deadline=None, database=None, phases=[Phase.generate])


def all_in_service(_: Refresh, group: Group, __: float) -> int:
    """A count that forgets the warm-up."""
    return sum(each.in_service for each in group.instances.values())


MUTANTS: list[tuple[str, Callable[..., Any]]] = [
    ("fewest", lambda chosen, desired: desired * chosen.min_healthy // 100 - 1),
    ("most", lambda chosen, desired: desired * (chosen.max_healthy or 100) // 100 + 2),
    ("healthy", all_in_service),
    ("quiet", lambda *_: True),
    ("complete", lambda *_: True),
    ("in_transition", lambda _: True),
    ("adopted", lambda group, _: group),
    ("beyond", lambda _: 0),
]


@proves(instance_refresh.healthy, instance_refresh.quiet, instance_refresh.complete)
@pytest.mark.parametrize(("name", "bug"), MUTANTS, ids=[name for name, _ in MUTANTS])
def test_a_bug_in_a_rule_breaks_a_law(monkeypatch: pytest.MonkeyPatch, name: str, bug: Callable[..., Any]) -> None:
    monkeypatch.setattr(instance_refresh, name, bug)
    breaks_a_law(name, programs, broken_by, SEARCH)
