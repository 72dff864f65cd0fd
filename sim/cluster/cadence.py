"""How fast AWS's control plane moves: a setting, because a test wants the same decisions sooner."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sim.cluster.rules import ELB_GUIDE, cites, inferred


@dataclass(frozen=True, slots=True)
class Cadence:
    """Seconds between two steps of the scheduler, and at most until a load balancer has registered a target."""

    step_seconds: float
    registration_seconds: float

    def __str__(self) -> str:
        return f"a step every {self.step_seconds:g} s, registrations within {self.registration_seconds:g} s"


@inferred("the events of one service in real accounts come in steps of some 10 s")
def scheduler_step_seconds() -> float:
    """The service scheduler looks at a service every 10 seconds."""
    return 10.0


@cites(ELB_GUIDE + "ts-elb-register-instance.html")
def registration_seconds() -> float:
    """The first steps of a registration with a load balancer take up to 30 seconds."""
    return 30.0


AWS: Final = Cadence(scheduler_step_seconds(), registration_seconds())
LOCAL: Final = Cadence(1.0, 0.0)
