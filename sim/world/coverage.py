"""What a world has met: how often each fault hit each operation, and where crashes fell."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
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
    """What the cluster may come to."""

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
    """Counts, which can be added up."""

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
        self.faults += other.faults
        self.crashes += other.crashes
        self.deployments += other.deployments
        self.encounters += other.encounters
        self.publishes += other.publishes
        self.stored += other.stored
        self.restarts += other.restarts
        self.seconds += other.seconds
        return self

    def never_hit(self) -> list[str]:
        """What was not met of all that the world can do: faults of operations and of tasks, places of crashes, versions
        that were deployed, and what the cluster came to."""
        met = {fault for fault, _ in self.faults}
        calls = [f"{fault} of {name}" for fault, (_, name) in CALL_FAULTS if not self.faults[fault, name]]
        return [
            *calls,
            *sorted(SCHEDULED - met),
            *(place for place in Place if not self.crashes[place]),
            *(f"a version: {version}" for version in Version if not self.deployments[version]),
            *(each for each in Encounter if not self.encounters[each]),
        ]
