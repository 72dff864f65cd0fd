"""The result of a container's own health check, as Docker counts it.

https://docs.docker.com/reference/dockerfile/#healthcheck
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sim.cluster.container_check import ContainerCheck
from sim.cluster.tasks import HealthStatus


@dataclass(frozen=True, slots=True)
class Probed:
    """The result so far: failures since the last success."""

    status: HealthStatus = "UNKNOWN"
    failures: int = 0


def after(check: ContainerCheck, probed: Probed, *, passed: bool, age: float) -> Probed:
    """The result after one more probe of a container that has run for `age` seconds.

    A failure within the start period does not count, unless a probe has passed already.
    """
    if passed:
        return Probed("HEALTHY")
    if probed.status == "UNKNOWN" and age < check.start_period:
        return probed
    failures = probed.failures + 1
    return replace(probed, status="UNHEALTHY" if failures >= check.retries else probed.status, failures=failures)
