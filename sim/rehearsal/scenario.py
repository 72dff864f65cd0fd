"""What is rehearsed: one service on its instances, its load balancers, and how its application behaves."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from sim.cluster.balancer.target_group import GroupSettings
from sim.cluster.cadence import AWS, Cadence
from sim.cluster.container_instances import ContainerInstance
from sim.cluster.deployments import LoadBalancer, Revision
from sim.cluster.services import Settings
from sim.cluster.task_definitions import TaskDefinition

if TYPE_CHECKING:
    from random import Random

    from sim.cluster.balancer.nodes import Policy


@dataclass(frozen=True, slots=True)
class Seconds:
    """A time of the application: anything from `least` to `most` seconds."""

    least: float
    most: float

    def draw(self, chance: Random) -> float:
        """One such time."""
        return chance.uniform(self.least, self.most)

    def __str__(self) -> str:
        return f"{self.least:g} s" if self.least == self.most else f"{self.least:g}..{self.most:g} s"


@dataclass(frozen=True, slots=True)
class Application:
    """How long things take that AWS does not decide.

    `launch` is what the agent takes from the order to RUNNING, `start` what the application takes from there until it
    answers, `drain` the longest request in hand at a deregistration, `stop` the time from SIGTERM to the end.
    """

    launch: Seconds = Seconds(1.0, 3.0)
    start: Seconds = Seconds(1.0, 5.0)
    drain: Seconds = Seconds(1.0, 3.0)
    stop: Seconds = Seconds(5.0, 15.0)
    answers: bool = True
    """Whether the new version ever answers."""

    def __str__(self) -> str:
        return f"launch {self.launch}, start {self.start}, drain {self.drain}, stop {self.stop}"


USUAL: Final = Application()
"""For an application of which nothing is known."""
INSTANCE_START: Final = Seconds(120.0, 240.0)
"""From the order of an instance to its registration with the cluster."""


@dataclass(frozen=True, slots=True)
class ContainerCheck:
    """The health check of an essential container, in seconds and failures."""

    interval: float = 30.0
    retries: int = 3
    start_period: float = 0.0


@dataclass(frozen=True, slots=True)
class Capacity:
    """Where more instances come from: at most so many in all, each of them so long after a task waits for it."""

    most: int
    seconds: Seconds = INSTANCE_START


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another service of the cluster, whose tasks take their part of the instances and stay where they are."""

    name: str
    desired: int
    definition: TaskDefinition
    settings: Settings


@dataclass(frozen=True, slots=True)
class Scenario:
    """One service before its deployment."""

    name: str
    desired: int
    revision: Revision
    settings: Settings
    instances: tuple[ContainerInstance, ...]
    classic: tuple[tuple[LoadBalancer, Policy], ...] = ()
    groups: tuple[tuple[LoadBalancer, GroupSettings], ...] = ()
    container_check: ContainerCheck | None = None
    capacity: Capacity | None = None
    neighbours: tuple[Neighbour, ...] = ()
    overlooked: tuple[str, ...] = ()
    """The names of other services whose tasks are not known, so that they take no room."""
    application: Application = USUAL
    cadence: Cadence = AWS

    def with_percents(self, least: int, most: int) -> Scenario:
        """The same with other percents."""
        configuration = replace(self.settings.configuration, minimum_healthy_percent=least, maximum_percent=most)
        return replace(self, settings=replace(self.settings, configuration=configuration))
