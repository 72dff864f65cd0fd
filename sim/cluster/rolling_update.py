"""What a service has to start and to stop, from what it has: the rolling update and the care for unhealthy tasks.

There is no plan of a deployment. Each step compares the tasks that there are with those that there should be, starts
what is missing as far as the maximum percent allows, and stops what is too many as far as the minimum does. So a
deployment, a smaller count, a DRAINING instance and an unhealthy task are one rule.

- *old*: tasks of an earlier deployment, or on a DRAINING instance. They are to go.
- *new*: all others. *fresh* are the new ones that are not unhealthy. There should be as many as the desired count.

https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentConfiguration.html
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sim.cluster.citations import ECS_API, ECS_GUIDE, cites, inferred
from sim.cluster.tasks import Task


@dataclass(frozen=True, slots=True)
class Situation:
    """One service at one moment. `tasks` are those that are to run, those that leave their load balancer included."""

    desired: int
    least: int
    most: int
    primary: str
    launches: bool
    """Whether the PRIMARY deployment may start tasks: not when it has FAILED."""
    tasks: tuple[Task, ...]
    healthy: frozenset[str]
    unhealthy: frozenset[str]
    draining: frozenset[str]
    """The DRAINING instances."""
    zones: Mapping[str, str]
    """The zone of each instance."""

    @property
    def staying(self) -> list[Task]:
        """The tasks that nothing has been decided about."""
        return [each for each in self.tasks if not each.leaving]

    def old(self, task: Task) -> bool:
        """Whether the task is to go."""
        return task.deployment != self.primary or task.instance in self.draining

    @property
    def new(self) -> list[Task]:
        """The tasks as they should be, healthy or not."""
        return [each for each in self.staying if not self.old(each)]

    @property
    def fresh(self) -> list[Task]:
        """The new ones that are not unhealthy."""
        return [each for each in self.new if each.id not in self.unhealthy]

    @property
    def missing(self) -> int:
        """How many tasks should be started, whatever the percents say."""
        return max(self.desired - len(self.fresh), 0) if self.launches else 0


@cites(ECS_API + "DeploymentConfiguration.html")
def starts(at: Situation) -> int:
    """As many tasks are started as are missing, and as the maximum lets run beside those that are there."""
    return max(min(at.missing, at.most - len(at.tasks)), 0)


@cites(ECS_API + "DeploymentConfiguration.html")
def may_stop(task: Task, healthy: set[str], least: int) -> bool:
    """A healthy task is stopped only where the minimum stays healthy without it; others are no loss."""
    return task.id not in healthy or len(healthy) - 1 >= least


def stops(at: Situation) -> list[Task]:
    """The tasks to stop now, in their order."""
    candidates = {each.id: each for each in (*replaced(at), *given_up(at), *surplus(at))}
    healthy, going = set(at.healthy), list[Task]()
    for task in stop_order(list(candidates.values()), at) if candidates else ():
        if may_stop(task, healthy, at.least):
            going.append(task)
            healthy.discard(task.id)
    return going


@inferred(
    "AWS says that it may stop tasks down to the minimum before it starts others; a rehearsal takes it at its word"
)
def replaced(at: Situation) -> list[Task]:
    """Old tasks go as soon as the minimum allows, also while new ones are on their way."""
    return [each for each in at.staying if at.old(each)] if at.launches else moved(at)


@cites(ECS_API + "UpdateContainerInstancesState.html")
def moved(at: Situation) -> list[Task]:
    """Tasks on a DRAINING instance go within the percents; those that do not run yet go at once."""
    return [each for each in at.staying if each.instance in at.draining]


@cites(ECS_API + "DeploymentConfiguration.html")
def given_up(at: Situation) -> list[Task]:
    """An unhealthy task goes when its replacement is healthy; where none may start, they go one by one."""
    unhealthy = [each for each in at.new if each.id in at.unhealthy]
    if at.missing > at.most - len(at.tasks):
        return unhealthy[:1]
    good = sum(each.id in at.healthy for each in at.new)
    return unhealthy[: max(good + len(unhealthy) - at.desired, 0)]


@cites(ECS_API + "UpdateService.html")
def surplus(at: Situation) -> list[Task]:
    """Tasks above the desired count go, those in the grace period too."""
    fresh = at.fresh
    extra = len(fresh) - at.desired
    return list(stop_order(fresh, at))[:extra] if extra > 0 else []


@inferred("old deployments before new and unhealthy before healthy follow from what a deployment is for")
def rank(task: Task, at: Situation) -> tuple[bool, bool, bool]:
    """Tasks that do not run yet are stopped first, then unhealthy ones, then old ones."""
    return not task.pending, task.id in at.healthy, not at.old(task)


@cites(ECS_API + "UpdateService.html")
def stop_order(tasks: list[Task], at: Situation) -> Iterator[Task]:
    """Of equals, one in the zone with the most tasks of the service is stopped, there on the instance with the most."""
    instances = Counter(each.instance for each in at.staying)
    zones = Counter(at.zones.get(each.instance or "") for each in at.staying)
    left = list(tasks)
    while left:
        task = min(
            left,
            key=lambda each: (
                rank(each, at),
                -zones[at.zones.get(each.instance or "")],
                -instances[each.instance],
                each.created_at,
                each.id,
            ),
        )
        left.remove(task)
        instances[task.instance] -= 1
        zones[at.zones.get(task.instance or "")] -= 1
        yield task


@cites(ECS_GUIDE + "service-event-messages-list.html")
def no_move(at: Situation, *, moving: bool) -> bool:
    """Percents leave no move when tasks are missing or old, none may start or stop, and nothing is on its way.

    `moving` says whether any task has begun to stop, now or before.
    """
    settled = at.healthy | at.unhealthy
    return (
        not moving
        and bool(at.tasks)
        and starts(at) == 0
        and bool(at.missing or any(at.old(each) for each in at.staying))
        and all(each.id in settled for each in at.tasks)
    )
