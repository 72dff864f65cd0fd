"""How fast AWS's control plane moves: a setting, because a test wants the same decisions sooner."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sim.cluster.balancer.nodes import AWS_DELAYS, Delays
from sim.cluster.citations import inferred


@dataclass(frozen=True, slots=True)
class Cadence:
    """Seconds between two steps of the scheduler, and how long a load balancer takes to learn of targets."""

    step_seconds: float
    delays: Delays

    def __str__(self) -> str:
        return f"a step every {self.step_seconds:g} s, registrations within {self.delays.registration:g} s"


@inferred("the events of one service in real accounts come in steps of some 10 s")
def scheduler_step_seconds() -> float:
    """The service scheduler looks at a service every 10 seconds."""
    return 10.0


AWS: Final = Cadence(scheduler_step_seconds(), AWS_DELAYS)
LOCAL: Final = Cadence(1.0, Delays())
