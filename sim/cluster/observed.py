"""What the scheduler is handed of the world outside it, at each step."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, field

from sim.cluster.target_health import TargetHealth


@dataclass(frozen=True, slots=True)
class Observed:
    """The health of each balancer's targets, the targets that have drained, and the alarms that are in ALARM.

    A balancer is named as in `LoadBalancer.name`. A target that was registered again is no longer among the drained.
    """

    targets: Mapping[str, Mapping[str, TargetHealth]] = field(default_factory=dict)
    drained: Set[tuple[str, str]] = frozenset()
    """Pairs of a balancer's name and a target's id."""
    alarms: frozenset[str] = frozenset()
    closed_roles: frozenset[str] = frozenset()
    """The ARNs of roles that ECS cannot assume: they do not exist, or do not trust it."""
