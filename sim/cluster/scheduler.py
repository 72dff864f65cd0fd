"""The ECS service scheduler: `step(cluster, observed, now, chance) -> (cluster, actions)`.

# Theory of operation

The scheduler owns a cluster: its container instances, services and tasks, all frozen values. Agents and load balancers
are outside. What they report changes the tasks (`tasks.running`, `tasks.ended`, ...) or is handed in as `Observed`;
what they are to do comes back as actions.

A step looks at one service after the other, daemons first, and each time does the same, whatever it was that changed:

1. *Ends*. Whatever ended without the scheduler, a crash, a user's StopTask, a lost host, is taken out of its load
   balancers now: they learn of it late. A task that has drained is stopped.
2. *Registers* each task that came to RUNNING.
3. *Counts* failures and healthy tasks for the circuit breaker and the back-off.
4. *Judges* the PRIMARY deployment: an alarm or the circuit breaker fails it, and may roll it back.
5. *Starts and stops*: places what waits for capacity, starts what is missing within the maximum percent, stops what is
   too many within the minimum (`rolling_update`, `daemons`).
6. *Concludes*: a deployment is completed, a service has reached its steady state, or an event says why not (`rollout`).

Nothing is remembered between steps but the cluster, so a step after a restart is a step like any other. The caller
decides how often there is one (`cadence`): AWS takes some ten seconds, and each wait for another step is part of what a
deployment costs.

How a task ends depends on its load balancer. Behind a Classic ELB it is deregistered first, drains, and is stopped
then. Behind a target group it is DEACTIVATING first, deregistered by the next step, and sent SIGTERM when it has
drained. With neither it is stopped at once, and so is every task that a user stops, whatever is in front of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from sim.cluster import daemons, events
from sim.cluster.actions import Action
from sim.cluster.circuit_breaker import counts_as_launch_failure
from sim.cluster.citations import ECS_API, ECS_GUIDE, cites, inferred
from sim.cluster.container_instances import ContainerInstance, remaining
from sim.cluster.deployments import least_healthy, most_running
from sim.cluster.observed import Observed
from sim.cluster.placement import choose, closest
from sim.cluster.rolling_update import Situation, no_move, starts, stops
from sim.cluster.rollout import conclude, count, judge
from sim.cluster.services import Service
from sim.cluster.tasks import Task, scaling_reason
from sim.cluster.turn import Turn

if TYPE_CHECKING:
    from random import Random

PROVISIONING_LIMIT: Final = 500
"""How many tasks of a cluster may wait for capacity."""
_STOPPED_KEPT_SECONDS: Final = 3600.0
_SCHEDULER: Final = "ServiceSchedulerInitiated"


@dataclass(frozen=True, slots=True)
class Cluster:
    """All that the scheduler knows, by id or name."""

    instances: Mapping[str, ContainerInstance] = field(default_factory=dict)
    services: Mapping[str, Service] = field(default_factory=dict)
    tasks: Mapping[str, Task] = field(default_factory=dict)

    def with_task(self, task: Task) -> Cluster:
        """The cluster with another state of a task, such as an agent reports."""
        return replace(self, tasks={**self.tasks, task.id: task})

    def with_service(self, service: Service) -> Cluster:
        """The cluster with another state of a service, or a new one."""
        return replace(self, services={**self.services, service.name: service})

    def with_instance(self, instance: ContainerInstance) -> Cluster:
        """The cluster with another state of a container instance, or a new one."""
        return replace(self, instances={**self.instances, instance.id: instance})

    def without_instance(self, identity: str) -> Cluster:
        """The cluster without an instance; its tasks stay what they are until something ends them."""
        return replace(self, instances={key: each for key, each in self.instances.items() if key != identity})


def step(cluster: Cluster, observed: Observed, now: float, chance: Random) -> tuple[Cluster, list[Action]]:
    """What the scheduler makes of the cluster now, and what others are to do for it. The time is in seconds."""
    return _turns(cluster, observed, now, chance, (_end, register, count, judge, _start_and_stop, conclude))


def follow(cluster: Cluster, now: float, chance: Random) -> tuple[Cluster, list[Action]]:
    """What follows from tasks that somebody else starts and stops, in the scheduler's place.

    Nobody checks such tasks, so each that runs is healthy.
    """
    return _turns(cluster, Observed(), now, chance, (_stop_deleted, count, judge, conclude), checked=False)


def _turns(
    cluster: Cluster,
    observed: Observed,
    now: float,
    chance: Random,
    parts: Sequence[Callable[[Turn], None]],
    *,
    checked: bool = True,
) -> tuple[Cluster, list[Action]]:
    kept = {key: each for key, each in cluster.tasks.items() if not forgotten(each, now)}
    tasks = {key: each for key, each in kept.items() if not each.closed}
    left = remaining(cluster.instances.values(), tasks.values())
    services, actions = dict(cluster.services), list[Action]()
    for service in _daemons_first(cluster):
        turn = Turn(service, tasks, cluster.instances, left, observed, now, chance, checked)
        for part in parts:
            part(turn)
        turn.close()
        services[service.name] = turn.end()
        actions += turn.actions
    return Cluster(cluster.instances, services, kept | tasks), actions


def _daemons_first(cluster: Cluster) -> list[Service]:
    active = [each for each in cluster.services.values() if each.status != "INACTIVE"]
    return sorted(active, key=lambda each: each.settings.scheduling != "DAEMON")


@cites(ECS_GUIDE + "stopped-task-errors.html")
def forgotten(task: Task, now: float) -> bool:
    """A stopped task can be described for an hour at least."""
    return task.stopped_at is not None and now - task.stopped_at > _STOPPED_KEPT_SECONDS


def new_id(chance: Random) -> str:
    """The id of a task: 32 hexadecimal digits."""
    return f"{chance.getrandbits(128):032x}"


def _end(turn: Turn) -> None:
    learns_late(turn)
    behind_group = [each for each in turn.own() if each.last_status == "DEACTIVATING"]
    turn.deregister(each for each in behind_group if not each.leaving)
    for task in behind_group:
        if task.leaving and turn.drained(task):
            sigterm_after_drain(turn, task)
    leaving = [each for each in turn.own() if each.leaving and each.to_run and turn.drained(each)]
    turn.stop(leaving, {each.id: each.stopped_reason for each in leaving}, _SCHEDULER)


@cites(ECS_API + "StopTask.html")
def learns_late(turn: Turn) -> None:
    """A load balancer learns only afterwards of a task that crashed, lost its host, or that a user stopped."""
    over = [each for each in turn.own() if each.last_status in {"STOPPING", "DEPROVISIONING", "STOPPED"}]
    turn.deregister(each for each in over if each.registered and not each.leaving)


@inferred("the events of a target group show the stop before the deregistration; requests end before SIGTERM")
def sigterm_after_drain(turn: Turn, task: Task) -> None:
    """Behind a target group SIGTERM comes when the deregistration is over; the event of the stop came before."""
    turn.signal(task, _SCHEDULER, task.stopped_reason)


@cites(ECS_GUIDE + "service-load-balancing.html")
def register(turn: Turn) -> None:
    """A task is registered with its load balancers once it is RUNNING."""
    turn.register(
        each
        for each in turn.own()
        if each.last_status == "RUNNING" and each.to_run and not each.registered and not each.leaving
        if turn.balancers(each)
    )


def _stop_deleted(turn: Turn) -> None:
    if turn.service.status == "DRAINING":
        gone = [each for each in turn.own() if each.to_run]
        turn.stop(gone, dict.fromkeys((each.id for each in gone), scaling_reason(turn.service.primary.id)), _SCHEDULER)


def _start_and_stop(turn: Turn) -> None:
    _place_waiting(turn)
    if turn.service.settings.scheduling == "DAEMON":
        _daemon(turn)
    else:
        _replica(turn)


def _replica(turn: Turn) -> None:
    at = situation(turn)
    without_room = 0
    if wanted := starts(at):
        without_room = _launch(turn, wanted, sum(each.id in at.unhealthy for each in at.new))
        at = situation(turn)
    gone = stops(at)
    _let_go(turn, gone)
    if without_room:
        _no_room(turn, without_room)
    moving = bool(gone) or any(each.desired_status == "STOPPED" and not each.stopped for each in turn.own())
    if turn.service.status == "ACTIVE" and no_move(at, moving=moving):
        turn.conditions.append(events.no_move())


def situation(turn: Turn) -> Situation:
    """The service as `rolling_update` looks at it."""
    service, configuration = turn.service, turn.service.settings.configuration
    tasks = tuple(each for each in turn.own() if each.to_run)
    return Situation(
        desired=service.desired_count,
        least=least_healthy(service.desired_count, configuration),
        most=most_running(service.desired_count, configuration),
        primary=service.primary.id,
        launches=service.primary.rollout_state != "FAILED",
        tasks=tasks,
        healthy=frozenset(each.id for each in tasks if turn.healthy(each)),
        unhealthy=frozenset(each.id for each in tasks if turn.unhealthy(each)),
        draining=frozenset(key for key, each in turn.instances.items() if each.status == "DRAINING"),
        zones={key: each.zone for key, each in turn.instances.items()},
    )


def _place_waiting(turn: Turn) -> None:
    waiting = [each for each in turn.own() if each.to_run and each.instance is None]
    if not waiting:
        return
    settings, room = turn.service.settings, turn.room()
    for task in waiting:
        spot = choose(task.definition, settings.constraints, settings.strategies, room, turn.chance)
        if spot is None:
            return
        room.takes(turn.place(task, spot.id))


def _launch(turn: Turn, count: int, replaced: int) -> int:
    """Starts tasks of the PRIMARY deployment, as many as find room or may wait for it; returns how many do neither."""
    primary, settings = turn.service.primary, turn.service.settings
    if turn.now < primary.next_start_at:
        if count:
            turn.conditions.append(events.throttled())
        return 0
    if not turn.has_roles():
        return 0
    begun, room = [], turn.room()
    for _ in range(count):
        spot = choose(primary.revision.definition, settings.constraints, settings.strategies, room, turn.chance)
        if spot is None and not may_wait(turn):
            break
        task = turn.start(new_id(turn.chance), spot.id if spot else None)
        room.takes(task)
        begun.append(task.id)
    if begun:
        turn.happened.append(events.started(begun, min(replaced, len(begun))))
    return count - len(begun)


@cites(ECS_GUIDE + "cluster-auto-scaling.html")
def may_wait(turn: Turn) -> bool:
    """A task with a capacity provider waits in PROVISIONING for an instance; a cluster has 500 such tasks at most."""
    if not turn.service.primary.revision.capacity_providers:
        return False
    if sum(each.instance is None and each.to_run for each in turn.tasks.values()) < PROVISIONING_LIMIT:
        return True
    turn.conditions.append(events.provisioning_limit())
    return False


def _no_room(turn: Turn, missing: int) -> None:
    primary, settings = turn.service.primary, turn.service.settings
    if primary.revision.capacity_providers:
        return
    text = events.no_room(*closest(primary.revision.definition, settings.constraints, turn.room()))
    breaker = settings.configuration.circuit_breaker
    turn.conditions.append(text)
    moving = any(
        each.leaving or not each.to_run or not (turn.healthy(each) or turn.unhealthy(each))
        for each in turn.own()
        if not each.stopped
    )
    if not counts_as_launch_failure(moving=moving):
        return
    turn.service = turn.service.with_primary(replace(primary, failed_tasks=primary.failed_tasks + missing))
    if breaker.enable:
        turn.conditions.append(events.could_not_launch(missing, primary.id, text[0].upper() + text[1:]))


def _daemon(turn: Turn) -> None:
    service, primary = turn.service, turn.service.primary
    room = turn.room()
    definition, constraints = primary.revision.definition, service.settings.constraints
    # A deleted daemon belongs on no instance.
    instances = daemons.eligible(definition, constraints, room) if service.status == "ACTIVE" else []
    turn.service = replace(service, desired_count=len(instances))
    tasks = [each for each in turn.own() if not each.stopped]
    begun = []
    starts = daemons.starts(instances, tasks) if primary.rollout_state != "FAILED" else []
    for instance in starts if starts and turn.has_roles() else ():
        if choose(definition, constraints, (), replace(room, instances=(instance,), left=turn.left), turn.chance):
            begun.append(turn.start(new_id(turn.chance), instance.id).id)
        else:
            turn.conditions.append(
                events.no_room(*closest(definition, constraints, replace(room, instances=(instance,), left=turn.left)))
            )
    if begun:
        turn.happened.append(events.started(begun))
    at = situation(turn)
    gone = daemons.stops(instances, at.tasks, primary.id, at.healthy, at.least)
    draining = [each for each in gone if each.instance in at.draining]
    _let_go(turn, [each for each in gone if each not in draining or daemons.last_on_instance(each, room)])


def _let_go(turn: Turn, tasks: list[Task]) -> None:
    """Begins the end of tasks, in the way that fits what is in front of each."""
    primary = turn.service.primary
    found = {each.id: turn.unhealthy(each) for each in tasks}
    reasons = {key: each.reason if each else scaling_reason(primary.id) for key, each in found.items()}
    behind = [each for each in tasks if each.registered]
    groups = [each for each in behind if any(of.kind == "target-group" for of in turn.balancers(each))]
    classic = [each for each in behind if each not in groups]
    turn.stop([each for each in tasks if not each.registered], reasons, _SCHEDULER)
    turn.deactivate(groups, reasons, _SCHEDULER)
    for task in classic:
        turn.tasks[task.id] = replace(task, stop_code=_SCHEDULER, stopped_reason=reasons[task.id])
    turn.deregister([turn.tasks[each.id] for each in classic])
