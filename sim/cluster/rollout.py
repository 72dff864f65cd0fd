"""How a deployment comes to its end: failures are counted, a failed one is rolled back, a finished one is completed.

`count` and `judge` come before a turn starts and stops tasks, `conclude` after it.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-circuit-breaker.html
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-alarm-failure.html
"""

from __future__ import annotations

from dataclasses import replace

from sim.cluster import events
from sim.cluster.circuit_breaker import counted, failures_allowed, is_failure, reason
from sim.cluster.citations import ECS_GUIDE, cites
from sim.cluster.deployments import Deployment, alarmed, completed, failed, rollback_target, rolled_back
from sim.cluster.services import Service
from sim.cluster.throttle import delay_seconds, failed_to_start
from sim.cluster.turn import Turn


def count(turn: Turn) -> None:
    """Counts the PRIMARY deployment's failures since the last step, for the circuit breaker and for the back-off."""
    primary = turn.service.primary
    failures = unstarted = 0
    healed = False
    for task in [each for each in turn.own() if each.deployment == primary.id]:
        if not task.was_healthy and turn.healthy(task):
            turn.tasks[task.id] = replace(task, was_healthy=True)
            healed = True
        elif not task.counted and (is_failure(task) or failed_to_start(task)):
            turn.tasks[task.id] = replace(task, counted=True)
            failures += 1
            unstarted += failed_to_start(task)
    if not failures and not healed:
        return
    breaker = turn.service.settings.configuration.circuit_breaker
    starting = (0 if healed else primary.start_failures) + unstarted
    turn.service = turn.service.with_primary(
        replace(
            primary,
            failed_tasks=counted(breaker, primary.failed_tasks, failures, healthy=healed),
            start_failures=starting,
            next_start_at=turn.now + delay_seconds(starting) if unstarted else primary.next_start_at,
        )
    )


def judge(turn: Turn) -> None:
    """Fails the PRIMARY deployment for an alarm or for too many failures, and begins the rollback if that is on."""
    service, primary = turn.service, turn.service.primary
    configuration = service.settings.configuration
    if primary.rollout_state != "IN_PROGRESS":
        return
    if configuration.alarms and primary.ignored_alarms is None:
        ignored = turn.observed.alarms & frozenset(configuration.alarms.names)
        primary = replace(primary, ignored_alarms=ignored)
        turn.service = service.with_primary(primary)
    if configuration.alarms and alarmed(primary, turn.observed.alarms, configuration.alarms):
        _fail(turn, "alarm detected", "ECS deployment failed: alarm detected.", rollback=configuration.alarms.rollback)
        return
    breaker = configuration.circuit_breaker
    if breaker.enable and primary.failed_tasks >= failures_allowed(breaker, service.desired_count):
        _fail(turn, "tasks failed to start", reason(), rollback=breaker.rollback)


def _fail(turn: Turn, why: str, cause: str, *, rollback: bool) -> None:
    service = turn.service
    broken = failed(service.primary, cause, turn.now)
    turn.happened.append(events.deployment_failed(broken.id, why))
    earlier = (*service.deployments[1:], *service.ended)
    good = rollback_target(earlier) if rollback else None
    if good is None:
        turn.service = service.with_primary(broken)
        return
    turn.happened.append(events.rolling_back(good.id))
    what = "circuit breaker" if why == "tasks failed to start" else f"failed: {why}"
    others = tuple(each for each in service.deployments[1:] if each.id != good.id)
    turn.service = replace(
        service,
        deployments=(rolled_back(good, what, turn.now), broken, *others),
        ended=tuple(each for each in service.ended if each.id != good.id),
    )


def conclude(turn: Turn) -> None:
    """Completes a deployment that has come to its end; reports a steady state, or what keeps the service from one."""
    _report_unhealthy(turn)
    turn.service = _without_replaced(turn)
    service, primary = turn.service, turn.service.primary
    if service.status == "DRAINING":
        over = all(each.stopped for each in turn.own())
        turn.service = replace(service, status="INACTIVE") if over else service
        return
    if not _settled(turn):
        if primary.revision.capacity_providers and not turn.room().instances:
            turn.conditions.append(events.no_capacity())
        if primary.baking_since is not None:
            turn.service = service.with_primary(replace(primary, baking_since=None))
        return
    if primary.rollout_state == "IN_PROGRESS":
        if not baked(turn, primary):
            return
        turn.service = turn.service.with_primary(completed(primary, turn.now))
        turn.happened.append(events.deployment_completed(primary.id))
    if turn.service.primary.rollout_state == "COMPLETED":
        turn.conditions.append(events.steady())


def _report_unhealthy(turn: Turn) -> None:
    for task in turn.own():
        if found := turn.unhealthy(task):
            instance = turn.instances.get(task.instance or "")
            turn.conditions.append(
                events.unhealthy_target(
                    task.id, instance.ec2_instance_id if instance else "", found.balancer, found.description
                )
                if found.balancer
                else events.unhealthy_containers(task.id)
            )


def _without_replaced(turn: Turn) -> Service:
    """The service without the earlier deployments that have no task left."""
    service = turn.service
    if len(service.deployments) == 1:
        return service
    alive = {each.deployment for each in turn.own() if not each.stopped}
    over = tuple(each for each in service.deployments[1:] if each.id not in alive)
    rest = tuple(each for each in service.deployments[1:] if each.id in alive)
    return replace(service, deployments=(service.primary, *rest), ended=(*over, *service.ended)[: events.KEPT])


def _settled(turn: Turn) -> bool:
    """Whether the service has its desired number of tasks, all of the PRIMARY deployment and healthy, and no other."""
    tasks = [each for each in turn.own() if not each.stopped]
    return (
        len(turn.service.deployments) == 1
        and len(tasks) == turn.service.desired_count
        and all(turn.healthy(each) for each in tasks)
    )


@cites(ECS_GUIDE + "deployment-alarm-failure.html")
def baked(turn: Turn, primary: Deployment) -> bool:
    """With deployment alarms, a deployment is completed when the bake time has passed after the last old task."""
    alarms = turn.service.settings.configuration.alarms
    if alarms is None or not turn.checked:
        return True
    since = turn.now if primary.baking_since is None else primary.baking_since
    turn.service = turn.service.with_primary(replace(primary, baking_since=since))
    return turn.now - since >= alarms.bake_seconds
