"""An instance refresh of a group, in virtual time, with the extremes that it came to."""

from __future__ import annotations

from random import Random
from typing import Any

from sim.cluster.autoscaling import instance_refresh
from sim.cluster.autoscaling.group_state import LaunchTemplate
from sim.cluster.autoscaling.group_turn import GroupAction
from sim.cluster.autoscaling.instance_refresh import Refresh
from sim.cluster.autoscaling.refresh_preferences import preferences
from tests.unit.cluster.autoscaling.group_bench import GroupBench

NEXT = LaunchTemplate("lt", 2)
NOBODY = Random(0)


class RefreshBench(GroupBench):
    """A group in service, and the refresh that goes on."""

    def __init__(self, desired: int = 4, seed: int = 0, **settings: Any) -> None:
        super().__init__(desired, seed, **settings)
        self.refresh: Refresh | None = None
        self.fewest = self.most = 0

    def start(self, template: LaunchTemplate | None = NEXT, **given: Any) -> RefreshBench:
        """StartInstanceRefresh with AWS's names; the warm-up is 30 s, unless given."""
        given = {"InstanceWarmup": 30, **given}
        self.refresh, self.group = instance_refresh.started(
            self.group, preferences(given), template, self.refresh, self.now, "refresh"
        )
        self.fewest = self.most = len(self.serving)
        return self

    def step(self, seconds: float = 1.0) -> list[GroupAction]:
        actions = super().step(seconds)
        if self.refresh:
            self.refresh, self.group, more = instance_refresh.step(self.refresh, self.group, self.now, self.chance)
            self.carry_out(more)
            actions += more
            self.fewest = min(self.fewest, len(self.serving))
            self.most = max(self.most, instance_refresh.present(self.group))
        return actions

    def finish(self, steps: int = 400, seconds: float = 10.0) -> RefreshBench:
        """Until the refresh is over, or so many steps."""
        for _ in range(steps):
            if self.running.active:
                self.step(seconds)
        return self

    @property
    def running(self) -> Refresh:
        assert self.refresh is not None
        return self.refresh

    @property
    def status(self) -> str:
        return self.running.status

    @property
    def versions(self) -> list[int]:
        return sorted(each.template.version for each in self.serving)
