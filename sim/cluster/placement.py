"""Where a new task goes: constraints decide which instances may have it, strategies which of those gets it.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-placement.html
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from sim.cluster.citations import ECS_API, ECS_GUIDE, cites, inferred
from sim.cluster.container_instances import ContainerInstance, Remaining
from sim.cluster.query import parse
from sim.cluster.task_definitions import PlacementConstraint, TaskDefinition, static_host_ports
from sim.cluster.tasks import Task

if TYPE_CHECKING:
    from random import Random

_ENDINGS: Final = {
    "AGENT": 'encountered error "AGENT"',
    "ATTRIBUTE": "is missing an attribute required by your task",
    "CONSTRAINT": "does not meet the placement constraints",
    "RESOURCE:CPU": "has insufficient CPU units available",
    "RESOURCE:MEMORY": "has insufficient memory available",
    "RESOURCE:PORTS": "is already using a port required by your task",
}


@dataclass(frozen=True, slots=True)
class Strategy:
    """One placement strategy; several apply in their order."""

    type: Literal["spread", "binpack", "random"]
    field: str = ""


@dataclass(frozen=True, slots=True)
class Room:
    """What placement looks at: the instances, what is left of each, the tasks on each, and those of the service."""

    instances: Sequence[ContainerInstance]
    left: Mapping[str, Remaining]
    tasks: dict[str, list[Task]]
    """The tasks of the cluster that are not STOPPED, by instance."""
    group: str
    """Of the service: `service:NAME`."""

    def takes(self, task: Task) -> None:
        """One more task is on its instance."""
        if task.instance is not None:
            self.tasks.setdefault(task.instance, []).append(task)

    def own(self, instance: str) -> int:
        """How many tasks of the service that are to run the instance has."""
        return sum(each.group == self.group and each.to_run for each in self.tasks.get(instance, ()))


def room_of(
    instances: Iterable[ContainerInstance],
    left: Mapping[str, Remaining],
    tasks: Iterable[Task],
    group: str,
    providers: Collection[str] = (),
) -> Room:
    """What placement looks at: for capacity providers their own instances alone."""
    on: dict[str, list[Task]] = {}
    for task in tasks:
        if task.instance is not None and not task.stopped:
            on.setdefault(task.instance, []).append(task)
    return Room([each for each in instances if not providers or each.capacity_provider in providers], left, on, group)


def lacking(
    definition: TaskDefinition, constraints: Iterable[PlacementConstraint], instance: ContainerInstance, room: Room
) -> str:
    """What keeps the task from the instance, in the codes that RunTask's failures use; "" where nothing does."""
    left = room.left[instance.id]
    if not instance.agent_connected:
        return "AGENT"
    if not has_attributes(definition, instance):
        return "ATTRIBUTE"
    if not all(allows(each, instance, room) for each in (*definition.placement_constraints, *constraints)):
        return "CONSTRAINT"
    if definition.cpu > left.cpu:
        return "RESOURCE:CPU"
    if definition.memory > left.memory:
        return "RESOURCE:MEMORY"
    return "RESOURCE:PORTS" if ports_taken(definition, left) else ""


@cites(ECS_API + "PortMapping.html")
def ports_taken(definition: TaskDefinition, left: Remaining) -> bool:
    """Two tasks of one instance never have the same host port of one protocol; reserved ports belong to the agent."""
    return bool(static_host_ports(definition) & left.ports)


@cites(ECS_API + "TaskDefinition.html")
def has_attributes(definition: TaskDefinition, instance: ContainerInstance) -> bool:
    """An instance needs every attribute that the task definition requires, with its value where it names one."""
    return all(
        instance.has(name) and (value is None or instance.attribute(name) == value)
        for name, value in definition.requires_attributes
    )


@cites(ECS_GUIDE + "task-placement-constraints.html")
def allows(constraint: PlacementConstraint, instance: ContainerInstance, room: Room) -> bool:
    """With distinctInstance each task has an instance of its own; with memberOf the expression must match."""
    here = room.tasks.get(instance.id, ())
    if constraint.type == "distinctInstance":
        return not any(each.group == room.group for each in here)
    return parse(constraint.expression)(instance, here)


@cites(ECS_API + "UpdateContainerInstancesState.html")
def takes_new_tasks(instance: ContainerInstance) -> bool:
    """A DRAINING instance is given no new task."""
    return instance.status == "ACTIVE"


def choose(
    definition: TaskDefinition,
    constraints: Sequence[PlacementConstraint],
    strategies: Sequence[Strategy],
    room: Room,
    chance: Random,
) -> ContainerInstance | None:
    """The instance that gets the task, or None where none can have it."""
    fit = [
        each for each in room.instances if takes_new_tasks(each) and not lacking(definition, constraints, each, room)
    ]
    for strategy in strategies or BALANCED:
        fit = _best(strategy, fit, room, chance)
    return fit[0] if fit else None


BALANCED: Final = (Strategy("spread", "attribute:ecs.availability-zone"), Strategy("spread", "instanceId"))
"""Without a strategy: the zone with the fewest tasks of the service, there the instance with the fewest."""


def _best(strategy: Strategy, fit: Sequence[ContainerInstance], room: Room, chance: Random) -> list[ContainerInstance]:
    match strategy.type:
        case "spread":
            return spread(strategy.field, fit, room)
        case "binpack":
            return binpack(strategy.field, fit, room)
    return [chance.choice(fit)] if fit else []


@cites(ECS_API + "PlacementStrategy.html")
def spread(field: str, fit: Sequence[ContainerInstance], room: Room) -> list[ContainerInstance]:
    """Spread takes the instances whose value of the field has the fewest tasks of the service."""
    counts: Counter[str] = Counter()
    for each in room.instances:
        counts[_value(field, each)] += room.own(each.id)
    fewest = min((counts[_value(field, each)] for each in fit), default=0)
    return [each for each in fit if counts[_value(field, each)] == fewest]


@cites(ECS_API + "PlacementStrategy.html")
def binpack(field: str, fit: Sequence[ContainerInstance], room: Room) -> list[ContainerInstance]:
    """Binpack takes the instances with the least left of CPU or memory."""
    left = {each.id: getattr(room.left[each.id], field) for each in fit}
    least = min(left.values(), default=0)
    return [each for each in fit if left[each.id] == least]


def _value(field: str, instance: ContainerInstance) -> str:
    return (
        instance.id if field in {"instanceId", "host"} else instance.attribute(field.removeprefix("attribute:")) or ""
    )


@inferred("the event names the closest match and no page says how it is found; the last check that fails is nearest")
def closest(definition: TaskDefinition, constraints: Sequence[PlacementConstraint], room: Room) -> tuple[str, str]:
    """The closest match is the instance that passes the most checks: agent, attributes, CPU, memory, then ports."""
    order = list(_ENDINGS)
    found = [
        (lacking(definition, constraints, each, room), each.id) for each in room.instances if takes_new_tasks(each)
    ]
    if not found:
        return "", ""
    code, instance = max(found, key=lambda each: order.index(each[0]) if each[0] else len(order))
    return instance, _ENDINGS.get(code, "")
