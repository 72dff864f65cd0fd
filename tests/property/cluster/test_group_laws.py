"""What holds for an Auto Scaling group in any program of requests, lost instances and failed launches.

The laws are checked at each step. The mutants at the end are bugs of its rules, of which each breaks a law.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from sim.cluster.autoscaling import (
    group_requests,
    group_turn,
    lifecycle_hooks,
    scaling_group,
    termination_policies,
)
from sim.cluster.autoscaling.group_state import Group
from sim.cluster.autoscaling.lifecycle_hooks import LAUNCHING, TERMINATING, Hook
from sim.cluster.autoscaling.scaling_group import Report
from sim.cluster.autoscaling.termination_policies import zone_counts
from tests.property.cluster.planted import breaks_a_law
from tests.unit.cluster.autoscaling.group_bench import GroupBench
from tests.unit.cluster.proves import proves

HOOKS: Final = (Hook("drain", TERMINATING, 40.0, "CONTINUE"), Hook("warm", LAUNCHING, 25.0, "CONTINUE"))
ORDER: Final = (
    "Pending",
    "Pending:Wait",
    "Pending:Proceed",
    "InService",
    "Terminating",
    "Terminating:Wait",
    "Terminating:Proceed",
)
DEEDS: Final = (
    "scale",
    "scale",
    "policy",
    "lose",
    "stop",
    "impair",
    "lose zone",
    "protect",
    "unprotect",
    "terminate",
    "complete",
    "refuse",
    "accept",
    "wait",
)


class Broken(AssertionError):
    """A law is broken."""


@dataclass(frozen=True)
class Program:
    """A group, and what happens to it: a deed, and some steps after it."""

    seed: int
    least: int
    desired: int
    more: int
    zones: int
    hooks: tuple[Hook, ...]
    protect: bool
    deeds: tuple[tuple[str, int, int], ...]


programs = st.builds(
    Program,
    seed=st.integers(0, 2**32),
    least=st.integers(0, 2),
    desired=st.integers(0, 4),
    more=st.integers(0, 3),
    zones=st.integers(1, 3),
    hooks=st.sampled_from([(), HOOKS[:1], HOOKS]),
    protect=st.booleans(),
    deeds=st.lists(
        st.tuples(st.sampled_from(DEEDS), st.integers(0, 9), st.sampled_from([0, 1, 3, 20])), max_size=15
    ).map(tuple),
)


class Play(GroupBench):
    """A program while it runs, with each step held to the laws."""

    def __init__(self, program: Program) -> None:
        desired = program.least + program.desired
        super().__init__(
            desired=desired,
            seed=program.seed,
            min_size=program.least,
            max_size=desired + program.more,
            zones=("a", "b", "c")[: program.zones],
            hooks=program.hooks,
            protect_new=program.protect,
        )
        self.program = program

    def step(self, seconds: float = 1.0) -> list[group_turn.GroupAction]:
        before, reports = self.group, dict(self.reports)
        actions = super().step(seconds)
        hold(before, self.group, reports, self.now)
        return actions

    def run(self) -> None:
        for deed, number, steps in self.program.deeds:
            self.do(deed, number)
            for _ in range(steps):
                self.step(2.0)

    def do(self, deed: str, number: int) -> None:
        here = [each.id for each in self.serving]
        one = here[number % len(here)] if here else ""
        limits = self.group.settings
        match deed:
            case "scale":
                span = limits.max_size - limits.min_size + 1
                self.ask(group_requests.desired_set, limits.min_size + number % span, self.now)
            case "policy":
                self.ask(group_requests.scaled, number * 2 - 4, "alarm", "policy", self.now)
            case "lose" | "stop" if one:
                self.end(one, "terminated" if deed == "lose" else "stopped")
            case "impair" if one:
                self.reports[one] = Report(impaired=True)
            case "lose zone" if one:
                self.lose_zone(self.group.instances[one].zone)
            case "protect" | "unprotect" if one:
                self.ask(group_requests.protected, [one], protect=deed == "protect")
            case "terminate" if one and self.group.desired > limits.min_size:
                self.ask(group_requests.terminated, one, self.now, self.chance, decrement=number % 2 == 0)
            case "complete":
                self.complete()
            case "refuse" | "accept":
                self.refuses_launches = deed == "refuse"

    def lose_zone(self, zone: str) -> None:
        for each in self.group.instances.values():
            if each.zone == zone:
                self.end(each.id)

    def complete(self) -> None:
        """Each instance that waits has its first open hook completed."""
        for each in self.group.instances.values():
            waiting = [action for action in each.actions if action.result is None and each.state.endswith(":Wait")]
            for action in waiting[:1]:
                self.ask(group_requests.action_completed, each.id, action.hook.name, "CONTINUE")

    def calm(self) -> bool:
        """No more disturbances: whether the group comes to what it wants, evenly."""
        self.refuses_launches = False
        self.ask(group_requests.protected, list(self.group.instances), protect=False)
        self.ask(group_requests.updated, replace(self.group.settings, protect_new=False), self.now)
        for _ in range(400):
            self.step(5.0)
        counts = zone_counts(self.group).values()
        return (
            len(self.serving) == len(self.group.instances) == self.group.desired
            and all(self.reports[each].state == "running" for each in self.group.instances)
            and not self.group.launches
            and max(counts) - min(counts) <= 1
        )


def hold(before: Group, after: Group, reports: dict[str, Report], now: float) -> None:
    """Raises Broken if the step broke a law."""
    limits = after.settings
    launched = after.launches.keys() - before.launches.keys()
    if not limits.min_size <= after.desired <= limits.max_size:
        raise Broken(f"the desired capacity is {after.desired}")
    whole = sum(not each.leaving for each in after.instances.values()) + len(after.launches)
    if launched and whole > limits.max_size + max(1, limits.max_size // 10):
        raise Broken(f"{whole} instances, {limits.max_size} are the maximum")
    # Where all are protected, the one that has balanced the zones stays beside them.
    stays = sum(each.beyond for each in before.instances.values()) if after.blocked else 0
    if after.capacity > max(before.capacity, after.desired) + stays:
        raise Broken(f"the capacity grew to {after.capacity}, {after.desired} are desired")
    balances = any(after.launches[each].beyond for each in launched)
    if balances and (len(after.launches) > 1 or not all(each.in_service for each in after.instances.values())):
        raise Broken("the zones are balanced while something else goes on")
    for key, instance in after.instances.items():
        was = before.instances.get(key)
        if was and ORDER.index(instance.state) < ORDER.index(was.state):
            raise Broken(f"{key} went from {was.state} to {instance.state}")
        for action in instance.actions:
            if instance.state.endswith(":Wait") and now >= action.began_at + action.hook.heartbeat_seconds:
                raise Broken(f"{key} waits for {action.hook.name} longer than its time-out")
        if was and was.in_service and instance.leaving:
            ended_rightly(key, before, after, reports, launched=bool(launched) and not balances)


def ended_rightly(key: str, before: Group, after: Group, reports: dict[str, Report], *, launched: bool) -> None:
    """Raises Broken if the step ended an instance that serves though nothing asked for it."""
    report = reports[key]
    if report.state != "running" or report.impaired:
        return
    if before.instances[key].protected:
        raise Broken(f"{key} was protected")
    if launched:
        raise Broken(f"{key} ended, and another one was launched")
    if after.capacity < after.desired:
        raise Broken(f"{key} ended, and {after.capacity} of {after.desired} are left")


@settings(max_examples=150, deadline=None)
@given(programs)
def test_no_program_breaks_a_law(program: Program) -> None:
    Play(program).run()


@settings(max_examples=40, deadline=None)
@given(programs)
def test_a_group_comes_to_what_it_wants_once_disturbances_end(program: Program) -> None:
    play = Play(program)
    play.run()
    assert play.calm(), (play.group.desired, play.states, play.zones)


def broken_by(program: Program) -> bool:
    """Whether the program breaks a law, or the group does not come to rest."""
    play = Play(program)
    try:
        play.run()
        return not play.calm()
    except Broken:
        return True


SEARCH = settings(max_examples=100, deadline=None, database=None, phases=[Phase.generate])

MUTANTS: list[tuple[object, str, Callable[..., Any]]] = [
    (termination_policies, "may_end", lambda instance: instance.in_service),
    (lifecycle_hooks, "expired", lambda action, _: action),
    (group_requests, "bounded", lambda _, count: count),
    (scaling_group, "ended_by_ec2", lambda report: report.state == "stopped"),
    (group_turn, "emptiest", lambda group, _: group.settings.zones[0]),
    (scaling_group, "imbalance", lambda _: None),
]


@proves(termination_policies.may_end, lifecycle_hooks.expired, group_requests.bounded)
@pytest.mark.parametrize(
    ("module", "name", "bug"),
    MUTANTS,
    ids=[name for _, name, _ in MUTANTS],
)
def test_a_bug_in_a_rule_breaks_a_law(
    monkeypatch: pytest.MonkeyPatch, module: object, name: str, bug: Callable[..., Any]
) -> None:
    monkeypatch.setattr(module, name, bug)
    breaks_a_law(name, programs, broken_by, SEARCH)
