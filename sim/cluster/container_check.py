"""A container's own health check, as its definition declares it.

https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_HealthCheck.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sim.cluster.aws_clock import AwsClock


@dataclass(frozen=True, slots=True)
class ContainerCheck:
    """A command and its times in seconds. `command` is what to run: a `CMD-SHELL` has become a call of the shell."""

    command: tuple[str, ...]
    interval: float = 30.0
    timeout: float = 5.0
    retries: int = 3
    start_period: float = 0.0

    def by(self, clock: AwsClock) -> ContainerCheck:
        """The check as it runs on this machine: its interval and its start period are AWS's, its time-out is not."""
        return replace(self, interval=clock.lasts(self.interval), start_period=clock.lasts(self.start_period))


def container_check(definition: Mapping[str, Any]) -> ContainerCheck | None:
    """The health check of a container definition; None without one, and for `NONE`."""
    given = definition.get("healthCheck") or {}
    kind, *words = given.get("command") or ("NONE",)
    if kind == "NONE":
        return None
    standard = ContainerCheck(())
    return ContainerCheck(
        tuple(words) if kind == "CMD" else ("/bin/sh", "-c", *(words if kind == "CMD-SHELL" else (kind,))),
        float(given.get("interval") or standard.interval),
        float(given.get("timeout") or standard.timeout),
        int(given.get("retries") or standard.retries),
        float(given.get("startPeriod") or standard.start_period),
    )
