"""AWS's clock on this machine: it may run faster, so that whatever AWS waits for comes sooner by one factor.

The control plane takes all its times from it, and its cores need not know. What runs outside of the control plane
divides the intervals of its health checks and publishes metrics by it. Limits on the application's own work are this
machine's, since the application does not work faster.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import floor
from typing import Final

LARGEST: Final = 60
"""A minute of AWS must not be shorter than the second in which the control plane looks at it."""
MINUTE: Final = 60.0
"""The period of AWS's own metrics, in seconds."""
SCALED: Final = (
    "health check intervals",
    "start period of container checks",
    "health check grace period",
    "bake time of deployments",
    "back-off of the scheduler",
    "minutes of metrics",
    "alarm periods",
    "cool-downs",
    "instance warm-up",
    "scheduled actions",
    "life-cycle hooks",
    "status checks of instances",
    "capacity providers",
)
"""What AWS waits for: it comes sooner by the factor."""
NEVER_SCALED: Final = (
    "health check time-outs",
    "stop time-out of containers",
    "start time-out of containers",
    "connection draining",
    "idle time-out",
    "visibility time-out",
    "long polling",
)
"""Limits on the application's own work."""
_VARIABLE: Final = "SIM_TIME_SCALE"


@dataclass(frozen=True, slots=True)
class AwsClock:
    """Runs `factor` times as fast as this machine's clock since `began`. Times are in seconds since 1970."""

    began: float = 0.0
    factor: float = 1.0

    def at(self, here: float) -> float:
        """AWS's time at a time of this machine."""
        return here if self.factor == 1 else self.began + (here - self.began) * self.factor

    def lasts(self, seconds: float) -> float:
        """How many seconds of this machine AWS's seconds last."""
        return seconds / self.factor

    def until_next_minute(self, here: float) -> float:
        """Seconds of this machine until the middle of AWS's next minute.

        What is published then stays in that minute, also if it comes late. So each minute has one sample.
        """
        now = self.at(here)
        return self.lasts((now // MINUTE + 1.5) * MINUTE - now)

    def too_fast(self, interval: float, timeout: float) -> str:
        """Why this clock is too fast for a health check; "" if it is not. Its time-out is not scaled."""
        if self.factor == 1:
            return ""
        largest = max(floor(100 * interval / timeout) / 100, 1.0)
        if self.factor <= max(largest, interval / timeout):
            return ""
        return (
            f"At the time scale {self.factor:g} a health check every {interval:g} s comes every "
            f"{self.lasts(interval):.3g} s, before its time-out of {timeout:g} s is over. The largest time scale "
            f"for it is {largest:g}: start the cluster with that, or give the check a longer interval."
        )


THIS_MACHINES: Final = AwsClock()
"""AWS's clock where nothing is scaled."""


def environment(factor: float) -> dict[str, str]:
    """The variable by which the control plane gets the factor."""
    return {} if factor == 1 else {_VARIABLE: str(factor)}


def clock_of(variables: Mapping[str, str], now: float) -> AwsClock:
    """The clock of a control plane that starts now, with these environment variables."""
    return AwsClock(now, float(variables.get(_VARIABLE, "1")))
