"""What clients may notice at most of what the cluster goes through, and how long it may take. Times in seconds.

With our Terraform's settings, and the circuit breaker that they leave open to choose, nothing is noticed of a
deployment, of a version that never becomes healthy, of a machine that drains, of a task that is stopped.
"""

from __future__ import annotations

from typing import Final

STEADY_SECONDS: Final = 1800.0
"""Until the cluster is steady again, whatever it has been through: three tasks fail before a breaker opens, each after
its grace period, and a rollback and its bake time follow."""
ROLLED_BACK_SECONDS: Final = 900.0
"""Until a version that is never healthy is rolled back, and the service is steady again."""
LYING_SECONDS: Final = 360.0
"""From the first to the last request that a version whose check lies has failed: the alarm's two periods, and the time
in which the tasks of the version are replaced one by one."""
ZONE_SECONDS: Final = 61.0
"""For how long requests fail after a zone is lost: as long as DNS names its node."""
IN_FLIGHT: Final = 2
"""Requests of the probes, four a second, that an instance has in hand at most when it crashes or is lost. Nothing else
fails: a connection that is refused is tried with another instance."""
