"""What is registered with a load balancer or a target group, and what a health checker reports of it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from sim.cluster.target_health import TargetHealth


@dataclass
class Registrations:
    """Targets by their ids. `draining` has those that drain, and until when at most, by this machine's clock.

    `registrations` has a number for each target, another at each registration.
    """

    reported: dict[str, TargetHealth] = field(default_factory=dict)
    draining: dict[str, float] = field(default_factory=dict)
    registrations: dict[str, int] = field(default_factory=dict)
    _registered: int = 0

    def register(self, targets: Collection[str]) -> None:
        """Adds targets, which have no health then."""
        for target in targets:
            self._registered += 1
            self.registrations[target] = self._registered
            self.reported.pop(target, None)
            self.draining.pop(target, None)

    def leave(self, target: str) -> TargetHealth | None:
        """Takes a target out. Returns its reported health, None if there was none."""
        self.registrations.pop(target, None)
        return self.reported.pop(target, None)

    def report(self, target: str, health: TargetHealth) -> None:
        """Keeps what a health checker reports of a target. A report on one that drains comes too late."""
        if target not in self.draining:
            self.reported[target] = health

    def drained(self, target: str) -> None:
        """A target that drains has no request left."""
        self.draining.pop(target, None)

    def leaving(self, now: float) -> set[str]:
        """The targets that still drain."""
        self.draining = {name: until for name, until in self.draining.items() if until > now}
        return set(self.draining)
