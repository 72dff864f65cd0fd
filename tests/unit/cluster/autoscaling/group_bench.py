"""An Auto Scaling group with an EC2 that does what it is asked, in virtual time."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random
from typing import Any

from sim.cluster.autoscaling import group_requests, scaling_group
from sim.cluster.autoscaling.group_state import Group, GroupInstance, GroupSettings, LaunchTemplate
from sim.cluster.autoscaling.group_turn import GroupAction, LaunchInstance, LifecycleActionBegan, TerminateInstance
from sim.cluster.autoscaling.scaling_group import Report

ZONES = ("a", "b")
SETTINGS = GroupSettings("web", 0, 10, ZONES, LaunchTemplate("lt", 1))
START = 1_700_000_000.0


class GroupBench:
    """The group, what EC2 knows, and what the hooks' listeners were notified of."""

    def __init__(self, desired: int = 2, seed: int = 0, **settings: Any) -> None:
        self.now = START
        self.chance = Random(seed)
        self.group = group_requests.created(replace(SETTINGS, **settings), self.now, desired)
        self.reports: dict[str, Report] = {}
        self.began: list[LifecycleActionBegan] = []
        self.refuses_launches = False
        self.number = 0

    def step(self, seconds: float = 1.0) -> list[GroupAction]:
        """One step of the group, and EC2's answers to it."""
        self.now += seconds
        self.group, actions = scaling_group.step(self.group, self.reports, self.now, self.chance)
        self.carry_out(actions)
        return actions

    def carry_out(self, actions: list[GroupAction]) -> None:
        for each in actions:
            match each:
                case LaunchInstance(launch):
                    self.launch(launch)
                case TerminateInstance(instance):
                    self.reports[instance] = Report("terminated")
                case LifecycleActionBegan():
                    self.began.append(each)

    def launch(self, launch: str) -> None:
        if self.refuses_launches:
            self.group = group_requests.launch_failed(self.group, launch, "no capacity", self.now)
            return
        self.number += 1
        instance = f"i-{self.number}"
        self.reports[instance] = Report()
        self.group = group_requests.launched(self.group, launch, instance, self.now)

    def settle(self, steps: int = 12) -> GroupBench:
        """Some steps, enough for whatever goes on."""
        for _ in range(steps):
            self.step()
        return self

    def end(self, instance: str, state: Any = "terminated") -> None:
        """EC2 ends an instance without the group."""
        self.reports[instance] = Report(state)

    def ask(self, function: Any, *arguments: Any, **more: Any) -> None:
        """A request to the group that answers with the group, or with the group and actions."""
        answer = function(self.group, *arguments, **more)
        if isinstance(answer, Group):
            self.group = answer
            return
        self.group, actions = answer
        self.carry_out(actions)

    @property
    def serving(self) -> list[GroupInstance]:
        return [each for each in self.group.instances.values() if each.in_service]

    @property
    def states(self) -> Counter[str]:
        return Counter(each.state for each in self.group.instances.values())

    @property
    def zones(self) -> Counter[str]:
        return Counter(each.zone for each in self.serving)

    @property
    def causes(self) -> list[str]:
        """Of the activities, the oldest first, each without its seconds."""
        return [
            "  ".join(sentence[len("At 2023-11-14T22:13:20Z ") :] for sentence in each.cause.split("  "))
            for each in reversed(self.group.activities)
        ]
