"""One service's part of a step: what it may look at, and the few acts that change anything.

A turn is mutable and lives for one step. Each act changes the tasks, and adds the actions and the events that go with
it, so that no decision can forget one of the three.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from sim.cluster import events
from sim.cluster.actions import Action, Deregister, PlaceTask, Register, Said, StartTask, StopTask, Target, target_of
from sim.cluster.container_instances import ContainerInstance, Remaining
from sim.cluster.deployments import Deployment, LoadBalancer
from sim.cluster.health import TargetsHealth, Unhealthy, healthy, unhealthy
from sim.cluster.observed import Observed
from sim.cluster.placement import Room, room_of
from sim.cluster.services import Service
from sim.cluster.target_health import TargetHealth
from sim.cluster.tasks import StopCode, Task, deactivating, placed, stopping

if TYPE_CHECKING:
    from random import Random


@dataclass
class Turn:
    """The state of a step as one service sees it. `tasks` are those of the whole cluster."""

    service: Service
    tasks: dict[str, Task]
    instances: Mapping[str, ContainerInstance]
    left: dict[str, Remaining]
    observed: Observed
    now: float
    chance: Random
    checked: bool = True
    """Whether somebody checks the tasks. If nobody does, each task that runs is healthy."""
    actions: list[Action] = field(default_factory=list)
    happened: list[str] = field(default_factory=list)
    conditions: list[str] = field(default_factory=list)
    reported: dict[str, tuple[Task, TargetsHealth]] = field(default_factory=dict)

    def own(self) -> list[Task]:
        """The service's tasks that are not STOPPED, or whose end has not been dealt with."""
        group = self.service.group
        return [each for each in self.tasks.values() if each.group == group]

    def deployment_of(self, task: Task) -> Deployment:
        """The task's deployment; the PRIMARY one where it is over."""
        found = (each for each in self.service.deployments if each.id == task.deployment)
        return next(found, self.service.primary)

    def balancers(self, task: Task) -> tuple[LoadBalancer, ...]:
        """The load balancers of the task's service revision."""
        return self.deployment_of(task).revision.load_balancers

    def target(self, task: Task, balancer: LoadBalancer) -> Target:
        """What the balancer has registered, or is to register, for the task."""
        return target_of(task, balancer, self.instances)

    def targets(self, task: Task) -> TargetsHealth:
        """What the balancers report of the task. A turn asks for it several times, and it does not change meanwhile."""
        known = self.reported.get(task.id)
        if known is None or known[0] is not task:
            known = self.reported[task.id] = (task, self._targets(task))
        return known[1]

    def _targets(self, task: Task) -> TargetsHealth:
        found: dict[LoadBalancer, TargetHealth] = {}
        for each in self.balancers(task) if task.registered else ():
            reported = self.observed.targets.get(each.name, {}).get(self.target(task, each).id)
            if reported is not None:
                found[each] = reported
        return found

    def healthy(self, task: Task) -> bool:
        """Whether the task counts towards the minimum healthy percent."""
        # Most tasks that are asked about run; for the others there is no need to look further.
        if task.last_status != "RUNNING" or not self.checked:
            return task.last_status == "RUNNING"
        return healthy(task, self.balancers(task), self.targets(task), self.now)

    def unhealthy(self, task: Task) -> Unhealthy | None:
        """Why the task has to be replaced, if it has to be."""
        if task.last_status != "RUNNING" or not self.checked:
            return None
        grace = self.service.settings.grace_seconds
        return unhealthy(task, self.balancers(task), self.targets(task), grace, self.now)

    def has_roles(self) -> bool:
        """Whether ECS can assume the roles of the PRIMARY deployment's tasks; if not, that is an event."""
        roles = self.service.primary.revision.definition.roles
        closed = [each for each in roles if each in self.observed.closed_roles]
        self.conditions += map(events.not_assumed, closed[:1])
        return not closed

    def room(self) -> Room:
        """What placement looks at: for a capacity provider its own instances alone."""
        providers = self.service.primary.revision.capacity_providers
        return room_of(self.instances.values(), self.left, self.tasks.values(), self.service.group, providers)

    def start(self, identity: str, instance: str | None) -> Task:
        """Starts a task of the PRIMARY deployment; without an instance it waits in PROVISIONING."""
        primary = self.service.primary
        task = Task(identity, primary.revision.definition, self.now, self.service.group, primary.id)
        self.tasks[identity] = task
        if instance is not None:
            self._take(task, instance)
            self.actions.append(StartTask(identity, instance))
        return self.tasks[identity]

    def place(self, task: Task, instance: str) -> Task:
        """Gives a task that waits an instance."""
        self._take(task, instance)
        self.actions.append(PlaceTask(task.id, instance))
        return self.tasks[task.id]

    def _take(self, task: Task, instance: str) -> None:
        self.tasks[task.id] = placed(task, instance)
        self.left[instance] = self.left[instance].without(task.definition)

    def register(self, tasks: Iterable[Task]) -> None:
        """Registers tasks that run with their load balancers."""
        counts: Counter[LoadBalancer] = Counter()
        for task in tasks:
            for balancer in self.balancers(task):
                self.actions.append(Register(balancer, self.target(task, balancer)))
                counts[balancer] += 1
            self.tasks[task.id] = replace(task, registered=True)
            # What is reported now is of an earlier task with the same target.
            self.reported[task.id] = (self.tasks[task.id], {})
        self.happened += [events.registered(each.kind, each.name, count) for each, count in counts.items()]

    def deregister(self, tasks: Iterable[Task]) -> None:
        """Asks the load balancers to let tasks go, which takes until their connections have drained."""
        counts: Counter[tuple[LoadBalancer, str]] = Counter()
        for task in tasks:
            for balancer in self.balancers(task):
                self.actions.append(Deregister(balancer, self.target(task, balancer)))
                counts[balancer, task.deployment] += 1
            self.tasks[task.id] = replace(task, deregistered_at=self.now)
        for (balancer, deployment), count in counts.items():
            self.happened.append(events.deregistered(balancer.kind, balancer.name, count))
            if balancer.kind == "target-group":
                self.happened.append(events.draining_connections(deployment, count))

    def drained(self, task: Task) -> bool:
        """Whether all load balancers have let the task go."""
        return all((each.name, self.target(task, each).id) in self.observed.drained for each in self.balancers(task))

    def deactivate(self, tasks: Iterable[Task], reasons: Mapping[str, str], code: StopCode) -> None:
        """Has tasks behind a target group stop once their deregistration is over."""
        gone = list(tasks)
        for task in gone:
            self.tasks[task.id] = deactivating(task, code, reasons[task.id], self.now)
        self.happened += [events.stopped([each.id for each in gone])] if gone else []

    def stop(self, tasks: Iterable[Task], reasons: Mapping[str, str], code: StopCode) -> None:
        """Has the agents stop tasks now."""
        gone = list(tasks)
        for task in gone:
            self.signal(task, code, reasons[task.id])
        ran = [each.id for each in gone if not each.pending]
        self.happened += [events.stopped(ran)] if ran else []
        self.happened += [events.stopped_pending(len(gone) - len(ran))] if len(ran) < len(gone) else []

    def signal(self, task: Task, code: StopCode, reason: str) -> None:
        """Has the agent send SIGTERM, without an event; a task that waits for capacity is over at once."""
        self.tasks[task.id] = stopping(task, code, reason, self.now)
        if task.instance is not None:
            self.actions.append(StopTask(task.id, task.instance))

    def close(self) -> None:
        """Nothing more follows from the service's tasks that are STOPPED."""
        for task in self.own():
            if task.stopped:
                self.tasks[task.id] = replace(task, closed=True)

    def end(self) -> Service:
        """The service with this turn's events."""
        texts = [*self.happened, *events.due(self.conditions, self.service.conditions, self.now)]
        messages = [events.Event(self.now, events.message(self.service.name, each)) for each in texts]
        self.actions += [Said(self.service.name, each.message) for each in messages]
        conditions = {
            each: self.now if each in texts else self.service.conditions[each]
            for each in dict.fromkeys(self.conditions)
        }
        return replace(self.service, events=events.kept(self.service.events, messages), conditions=conditions)
