"""What happened in a world: how often each fault hit each operation, and where crashes fell."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Self

from sim.faults.plan import SCHEDULED
from sim.world.setup import CALL_FAULTS
from sim.world.versions import Version


class Place(StrEnum):
    """Where a crash may fall."""

    BETWEEN_PUT_AND_DELETE = "between put and delete"
    BETWEEN_PUT_AND_DELETE_IN_A_DRAIN = "between put and delete in a drain"
    BETWEEN_BATCH_ENTRIES = "between the puts of a batch"
    IN_A_DRAIN = "in a drain"
    BETWEEN_SEND_AND_ANSWER = "between send and answer"
    ELSEWHERE = "elsewhere"


class Encounter(StrEnum):
    """What may happen to the cluster."""

    ROLLBACK_BY_BREAKER = "a rollback by the circuit breaker"
    ROLLBACK_BY_ALARM = "a rollback by the alarm"
    INSTANCE_LOST_IN_DEPLOYMENT = "an instance lost in a deployment"
    ZONE_LOST_IN_DEPLOYMENT = "a zone lost in a deployment"
    DRAIN_IN_DEPLOYMENT = "an instance drained in a deployment"
    ROUTED_WHILE_LEAVING = "a request by a node that had not learned of a deregistration"
    CONNECT_TRIED_AGAIN = "a connection tried again"
    SURGE_QUEUE = "a request in the surge queue"


@dataclass
class Coverage:
    """Counts of what happened. The counts of several worlds can be added."""

    faults: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By fault and operation, or service for a fault of tasks."""
    crashes: Counter[str] = field(default_factory=Counter)
    deployments: Counter[str] = field(default_factory=Counter)
    """By version."""
    encounters: Counter[str] = field(default_factory=Counter)
    publishes: int = 0
    stored: int = 0
    restarts: int = 0
    seconds: float = 0.0
    """Of virtual time."""

    def __iadd__(self, other: Coverage) -> Self:
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))
        return self

    def never_hit(self) -> list[str]:
        """Everything that could have happened and did not: faults, places of crashes, versions, encounters."""
        met = {fault for fault, _ in self.faults}
        calls = [f"{fault} of {name}" for fault, (_, name) in CALL_FAULTS if not self.faults[fault, name]]
        return [
            *calls,
            *sorted(SCHEDULED - met),
            *(place for place in Place if not self.crashes[place]),
            *(f"a version: {version}" for version in Version if not self.deployments[version]),
            *(each for each in Encounter if not self.encounters[each]),
        ]
