"""A container's own health check, as Docker counts it.

https://docs.docker.com/reference/dockerfile/#healthcheck
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_HealthCheck.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sim.cluster.tasks import HealthStatus


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """A command and its times in seconds. `command` is what to run: a `CMD-SHELL` has become a call of the shell."""

    command: tuple[str, ...]
    interval: float = 30.0
    timeout: float = 5.0
    retries: int = 3
    start_period: float = 0.0


@dataclass(frozen=True, slots=True)
class Probed:
    """The result so far: failures since the last success."""

    status: HealthStatus = "UNKNOWN"
    failures: int = 0


def health_check(definition: Mapping[str, Any]) -> HealthCheck | None:
    """The health check of a container definition; None without one, and for `NONE`."""
    given = definition.get("healthCheck") or {}
    kind, *words = given.get("command") or ("NONE",)
    if kind == "NONE":
        return None
    standard = HealthCheck(())
    return HealthCheck(
        tuple(words) if kind == "CMD" else ("/bin/sh", "-c", *(words if kind == "CMD-SHELL" else (kind,))),
        float(given.get("interval") or standard.interval),
        float(given.get("timeout") or standard.timeout),
        int(given.get("retries") or standard.retries),
        float(given.get("startPeriod") or standard.start_period),
    )


def after(check: HealthCheck, probed: Probed, *, passed: bool, age: float) -> Probed:
    """The result after one more probe of a container that has run for `age` seconds.

    A failure within the start period does not count, unless a probe has passed already.
    """
    if passed:
        return Probed("HEALTHY")
    if probed.status == "UNKNOWN" and age < check.start_period:
        return probed
    failures = probed.failures + 1
    return replace(probed, status="UNHEALTHY" if failures >= check.retries else probed.status, failures=failures)
