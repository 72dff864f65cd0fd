"""DAEMON services: one task on each container instance that meets the constraints.

The desired count is the number of those instances. The maximum percent is 100, so on each instance the old task ends
before the new one starts.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_services.html
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from sim.cluster.citations import ECS_API, ECS_GUIDE, cites
from sim.cluster.container_instances import ContainerInstance
from sim.cluster.placement import Room, lacking, takes_new_tasks
from sim.cluster.rolling_update import may_stop
from sim.cluster.task_definitions import PlacementConstraint, TaskDefinition
from sim.cluster.tasks import Task


@cites(ECS_API + "CreateService.html")
def eligible(
    definition: TaskDefinition, constraints: Sequence[PlacementConstraint], room: Room
) -> list[ContainerInstance]:
    """A daemon runs on each ACTIVE instance that meets the constraints and has the attributes."""
    return [
        each
        for each in room.instances
        if takes_new_tasks(each) and lacking(definition, constraints, each, room) not in {"ATTRIBUTE", "CONSTRAINT"}
    ]


@cites(ECS_API + "DeploymentConfiguration.html")
def starts(instances: Iterable[ContainerInstance], tasks: Collection[Task]) -> list[ContainerInstance]:
    """A daemon's maximum is 100 percent: an instance gets its task when it has none."""
    held = {each.instance for each in tasks}
    return [each for each in instances if each.id not in held]


@cites(ECS_API + "CreateService.html")
def stops(
    instances: Collection[ContainerInstance], tasks: Sequence[Task], primary: str, healthy: frozenset[str], least: int
) -> list[Task]:
    """A daemon's task goes if a newer deployment replaces it, or its instance no longer meets the constraints."""
    allowed, left, going = {each.id for each in instances}, set(healthy), []
    for task in tasks:
        due = task.deployment != primary or task.instance not in allowed
        if due and not task.leaving and may_stop(task, left, least):
            going.append(task)
            left.discard(task.id)
    return going


@cites(ECS_GUIDE + "ecs_services.html")
def last_on_instance(task: Task, room: Room) -> bool:
    """A daemon's task is the first to start on an instance and the last to stop on one that is DRAINING."""
    return all(each.id == task.id for each in room.tasks.get(task.instance or "", ()))
