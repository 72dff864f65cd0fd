"""One node's verdict on one target: health checks and their thresholds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

from sim.cluster.citations import ELB_GUIDE, cites, inferred

if TYPE_CHECKING:
    from random import Random


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """How a target is checked. Times in seconds, thresholds in consecutive checks; the defaults are a Classic ELB's.

    https://docs.aws.amazon.com/elasticloadbalancing/2012-06-01/APIReference/API_HealthCheck.html
    """

    interval: float = 30.0
    timeout: float = 5.0
    healthy: int = 10
    unhealthy: int = 2


@dataclass(frozen=True, slots=True)
class CheckResult:
    """How one check ended. `status` is that of the answer, None where none came or the check is of TCP."""

    passed: bool
    status: int | None = None
    timed_out: bool = False


class Phase(Enum):
    """Of a target, as one node sees it."""

    REGISTERING = "registering"
    """The node does not know the target yet."""
    INITIAL = "initial"
    """The node checks it, and has no verdict yet."""
    IN_SERVICE = "in service"
    OUT_OF_SERVICE = "out of service"
    DRAINING = "draining"
    """Nothing new; what is in flight goes on."""
    GONE = "gone"


CHECKED = frozenset({Phase.INITIAL, Phase.IN_SERVICE, Phase.OUT_OF_SERVICE})


@dataclass(frozen=True, slots=True)
class Watch:
    """What one node knows of one target. Times are those of the clock that `step` is given.

    `turns_at` is when the node learns of the registration, or ends a drain. `leaves_at` is when it learns of a
    deregistration. `since` is when the target came into service.
    """

    phase: Phase
    turns_at: float
    check_at: float
    leaves_at: float | None = None
    passes: int = 0
    failures: int = 0
    last: CheckResult | None = None
    since: float = 0.0


@cites(ELB_GUIDE + "elb-healthchecks.html")
def judged(watch: Watch, result: CheckResult, check: HealthCheck, now: float) -> Watch:
    """A target in service is out after `unhealthy` failures in a row, and back after `healthy` passes in a row.

    Returns the watch after one more check.
    """
    if watch.phase not in CHECKED:
        return watch
    passes, failures = (watch.passes + 1, 0) if result.passed else (0, watch.failures + 1)
    watch = replace(watch, passes=passes, failures=failures, last=result)
    needed = passes_of_a_new_target() if watch.phase is Phase.INITIAL else check.healthy
    if watch.phase is not Phase.IN_SERVICE and passes >= needed:
        return replace(watch, phase=Phase.IN_SERVICE, since=now)
    if watch.phase is not Phase.OUT_OF_SERVICE and failures >= failures_that_end_service(check):
        return replace(watch, phase=Phase.OUT_OF_SERVICE)
    return watch


@cites(ELB_GUIDE + "ts-elb-register-instance.html")
def passes_of_a_new_target() -> int:
    """A target that was registered is in service after its first passed check."""
    return 1


@inferred("the healthy threshold is for targets that were marked unhealthy, whatever they were before")
def failures_that_end_service(check: HealthCheck) -> int:
    """A new target is out after as many failures as one in service, and then comes back as slowly."""
    return check.unhealthy


@inferred("nodes check by clocks of their own, and no page says when a clock starts")
def first_check_at(known_at: float, check: HealthCheck, chance: Random) -> float:
    """A node checks a target for the first time within one interval after it learned of it."""
    return known_at + chance.uniform(0, check.interval)


@inferred("the guide calls the interval approximate, and the time-out of a check does not move the next one")
def next_check_at(checked_at: float, check: HealthCheck, chance: Random) -> float:
    """The next check begins an interval after the last one began, give or take a tenth."""
    return checked_at + check.interval * chance.uniform(0.9, 1.1)
