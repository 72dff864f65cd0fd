"""The places where the pipeline runs, each behind the same few members, so that one test-suite serves them all."""

from __future__ import annotations

from sim.errors import SimError
from sim.targets.process import ProcessTarget
from sim.targets.target import Target, Tell, Tuning

TARGETS = ("process",)


def create(name: str, tuning: Tuning, tell: Tell) -> Target:
    """The target of this name, not yet up. Raises SimError for a name that is none."""
    if name != ProcessTarget.name:
        raise SimError(f"there is no target {name!r}; there are: {', '.join(TARGETS)}")
    return ProcessTarget(tuning, tell)
