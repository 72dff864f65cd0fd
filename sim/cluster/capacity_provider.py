"""An ECS capacity provider: `step(provider, cluster, group, now) -> (provider, cluster, group)`.

# Theory of operation

A capacity provider stands between the ECS scheduler and an Auto Scaling group, and owns little itself: its settings and
its latest readings of one metric. A step does three things, each only where it is switched on:

1. *Managed termination protection*. An instance with a task that is no daemon's is protected from scale-in, an empty
   one is not. So the group ends empty instances alone.
2. *Managed draining*. An instance that waits in `Terminating:Wait` for the hook of ECS is set to DRAINING; the hook is
   completed when the last task has left it.
3. *Managed scaling*, once a minute. M is how many instances the tasks need, N how many there are;
   `CapacityProviderReservation` is M / N x 100. A reading above the target has the group grow, fifteen below it have it
   shrink, each to ceil(N x reading / target). While a new instance warms up the group does not grow.

The group's core launches and ends, the scheduler's core places and moves the tasks. Run it after both.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Any, Final

from sim.cluster.autoscaling.group_requests import action_completed, protected, scaled
from sim.cluster.autoscaling.group_state import Group, GroupSettings
from sim.cluster.autoscaling.lifecycle_hooks import TERMINATING, Hook
from sim.cluster.citations import ECS_API, ECS_GUIDE, LeftOut, cites, inferred
from sim.cluster.container_instances import ContainerInstance, Remaining, drained, draining
from sim.cluster.placement import ports_taken
from sim.cluster.refused import Refused
from sim.cluster.scheduler import Cluster
from sim.cluster.task_definitions import TaskDefinition
from sim.cluster.tasks import Task

DRAINING_HOOK: Final = Hook("ecs-managed-draining-termination-hook", TERMINATING, 3600.0, "CONTINUE")
_AUTO_SCALING: Final = ECS_GUIDE + "cluster-auto-scaling.html"
_DRAINING: Final = ECS_GUIDE + "managed-instance-draining.html"
_PERIOD_SECONDS: Final = 60.0
_LOW_READINGS: Final = 15
_FROM_NOTHING: Final = 200.0
_FULL: Final = 100.0

LEFT_OUT: Final = (
    LeftOut(
        "Weight and base of a capacity provider strategy.",
        ECS_API + "CapacityProviderStrategyItem.html",
        "a task waits for the first provider of its strategy",
    ),
    LeftOut(
        "Managed scaling of a group with several instance types.",
        _AUTO_SCALING,
        "the group has one launch template, and so one size of instance",
    ),
)


@dataclass(frozen=True, slots=True)
class ManagedScaling:
    """Its settings with AWS's defaults; the target in percent, steps in instances, the warm-up in seconds."""

    target: int = 100
    minimum_step: int = 1
    maximum_step: int = 10_000
    warmup_seconds: float = 300.0


@dataclass(frozen=True, slots=True)
class CapacityProvider:
    """A provider. `size` is what a fresh instance has for tasks, `policy` the name of the scaling policy."""

    name: str
    size: Remaining
    scaling: ManagedScaling | None = ManagedScaling()
    termination_protection: bool = False
    draining: bool = True
    policy: str = "ECSManagedAutoScalingPolicy"
    readings: tuple[float, ...] = ()
    """Of CapacityProviderReservation, the latest last."""
    read_at: float | None = None


def checked(provider: CapacityProvider, group: GroupSettings) -> CapacityProvider:
    """The provider of a group with these settings. Raises Refused for what AWS refuses."""
    if provider.termination_protection and (message := cannot_protect(group, managed=provider.scaling is not None)):
        raise Refused("ClientException", message)
    return provider


def of_settings(name: str, size: Remaining, settings: Mapping[str, Any]) -> CapacityProvider:
    """A provider of AutoScalingGroupProvider's parameters, in AWS's names."""
    scaling = settings.get("managedScaling") or {}
    managed = scaling.get("status") == "ENABLED"
    protects = settings.get("managedTerminationProtection") == "ENABLED"
    defaults = ManagedScaling()
    return CapacityProvider(
        name,
        size,
        ManagedScaling(
            int(scaling.get("targetCapacity") or defaults.target),
            int(scaling.get("minimumScalingStepSize") or defaults.minimum_step),
            int(scaling.get("maximumScalingStepSize") or defaults.maximum_step),
            float(scaling.get("instanceWarmupPeriod", defaults.warmup_seconds)),
        )
        if managed
        else None,
        protects,
        settings.get("managedDraining", "ENABLED") == "ENABLED",
    )


@cites(ECS_API + "AutoScalingGroupProvider.html")
def cannot_protect(group: GroupSettings, *, managed: bool) -> str:
    """Managed termination protection needs managed scaling, and a group that protects its new instances."""
    begin = "The managed termination protection setting for the capacity provider is invalid. "
    if not managed:
        return f"{begin}To enable managed termination protection for a capacity provider, enable managed scaling."
    if not group.protect_new:
        return (
            f"{begin}To enable managed termination protection for a capacity provider, the Auto Scaling group "
            "must have instance protection from scale in enabled."
        )
    return ""


@cites(_DRAINING)
def with_draining_hook(settings: GroupSettings) -> GroupSettings:
    """Managed draining puts a hook on the group, `ecs-managed-draining-termination-hook`, of an hour, then CONTINUE."""
    others = tuple(each for each in settings.hooks if each.name != DRAINING_HOOK.name)
    return replace(settings, hooks=(*others, DRAINING_HOOK))


def step(
    provider: CapacityProvider, cluster: Cluster, group: Group, now: float
) -> tuple[CapacityProvider, Cluster, Group]:
    """The provider, the cluster and the group after what ECS does by itself. The time is in seconds."""
    if provider.termination_protection and provider.scaling:
        group = _protect(cluster, group)
    if provider.draining:
        cluster, group = _drain(cluster, group)
    if provider.scaling and due(provider, now):
        reading = reservation(provider, cluster, group)
        readings = (*provider.readings, reading)[-_LOW_READINGS:]
        group = _scale(provider.policy, provider.scaling, readings, group, now)
        provider = replace(provider, readings=readings, read_at=now)
    return provider, cluster, group


@cites(_AUTO_SCALING)
def due(provider: CapacityProvider, now: float) -> bool:
    """ECS measures the reservation every minute."""
    return provider.read_at is None or now - provider.read_at >= _PERIOD_SECONDS


def _protect(cluster: Cluster, group: Group) -> Group:
    busy = occupied(cluster)
    for instance in cluster.instances.values():
        member = group.instances.get(instance.ec2_instance_id)
        if member and member.protected != (instance.id in busy):
            group = protected(group, [member.id], protect=instance.id in busy)
    return group


@cites(_AUTO_SCALING)
def occupied(cluster: Cluster) -> frozenset[str]:
    """An instance is in use, and protected, as long as one task on it has not stopped that is not a daemon's."""
    daemons = {each.group for each in cluster.services.values() if each.settings.scheduling == "DAEMON"}
    return frozenset(
        each.instance
        for each in cluster.tasks.values()
        if each.instance is not None and not each.stopped and each.group not in daemons
    )


def _drain(cluster: Cluster, group: Group) -> tuple[Cluster, Group]:
    registered = {each.ec2_instance_id: each for each in cluster.instances.values()}
    for member in group.instances.values():
        if not held(group, member.id):
            continue
        instance = registered.get(member.id)
        if instance and instance.status != "DRAINING":
            instance = draining(instance)
            cluster = cluster.with_instance(instance)
        if may_go(instance, cluster.tasks.values()):
            group = action_completed(group, member.id, DRAINING_HOOK.name, "CONTINUE")
    return cluster, group


@cites(_DRAINING)
def held(group: Group, instance: str) -> bool:
    """An instance that the group is to terminate for whatever reason waits for the hook of ECS."""
    member = group.instances[instance]
    return member.state == "Terminating:Wait" and any(
        each.hook.name == DRAINING_HOOK.name and each.result is None for each in member.actions
    )


@inferred("one that has no container instance has no tasks; AWS would wait for the hook's hour")
def may_go(instance: ContainerInstance | None, tasks: Iterable[Task]) -> bool:
    """The hook is completed when the instance has drained, and at once where no container instance is registered."""
    return instance is None or drained(instance, tasks)


@cites(_AUTO_SCALING)
def reservation(provider: CapacityProvider, cluster: Cluster, group: Group) -> float:
    """CapacityProviderReservation is M / N x 100; without an instance 200 if tasks wait, and 100 if none does."""
    there = counted(cluster, group)
    asked = bounded(provider, needed(provider, cluster))
    if not there:
        return _FROM_NOTHING if asked else _FULL
    busy = {each.ec2_instance_id for key, each in cluster.instances.items() if key in occupied(cluster)}
    return 100 * (len(busy & there) + asked) / len(there)


@inferred("the page counts the instances of the group; one that leaves takes no task, one that is to come will")
def counted(cluster: Cluster, group: Group) -> frozenset[str]:
    """N counts the instances of the group that can take tasks or are on their way, none that leaves or is DRAINING."""
    unfit = {each.ec2_instance_id for each in cluster.instances.values() if each.status == "DRAINING"}
    here = {each.id for each in group.instances.values() if not each.leaving and not each.unhealthy}
    return frozenset((here - unfit) | set(group.launches))


@cites(_AUTO_SCALING)
def bounded(provider: CapacityProvider, instances: int) -> int:
    """Where instances are needed, so many are asked for as the minimum and the maximum step size allow."""
    if not instances or provider.scaling is None:
        return 0
    return min(max(instances, provider.scaling.minimum_step), provider.scaling.maximum_step)


@inferred("the page counts each group of equal tasks by itself; they may share instances, so the largest count is sure")
def needed(provider: CapacityProvider, cluster: Cluster) -> int:
    """So many new instances are needed as the group of equal waiting tasks with the largest count fills."""
    waiting: dict[tuple[TaskDefinition, bool], int] = {}
    for task, alone in _waiting(provider, cluster):
        waiting[task.definition, alone] = waiting.get((task.definition, alone), 0) + 1
    return max(
        (binpacked(definition, count, provider.size, alone=alone) for (definition, alone), count in waiting.items()),
        default=0,
    )


@cites(_AUTO_SCALING)
def binpacked(definition: TaskDefinition, count: int, size: Remaining, *, alone: bool) -> int:
    """Tasks are packed by CPU, memory and ports; such that fit on no instance of the group have none launched."""
    left, fits = size, 0
    while fits < count and _fits(definition, left):
        left, fits = left.without(definition), fits + 1
        if alone:
            break
    return ceil(count / fits) if fits else 0


def _fits(definition: TaskDefinition, left: Remaining) -> bool:
    return definition.cpu <= left.cpu and definition.memory <= left.memory and not ports_taken(definition, left)


def _waiting(provider: CapacityProvider, cluster: Cluster) -> list[tuple[Task, bool]]:
    """The tasks that wait for the provider's instances, each with whether it wants an instance of its own."""
    found = list[tuple[Task, bool]]()
    for service in cluster.services.values():
        alone = any(each.type == "distinctInstance" for each in service.settings.constraints)
        providers = {each.id: each.revision.capacity_providers for each in service.deployments}
        found += [
            (task, alone)
            for task in cluster.tasks.values()
            if task.group == service.group and task.instance is None and task.to_run
            if waits_for(provider.name, providers.get(task.deployment, ()))
        ]
    return found


@cites(_AUTO_SCALING)
def waits_for(provider: str, strategy: Sequence[str]) -> bool:
    """Only a task with a capacity provider strategy makes a group grow; with a launch type it is ignored."""
    return bool(strategy) and strategy[0] == provider


def _scale(policy: str, scaling: ManagedScaling, readings: Sequence[float], group: Group, now: float) -> Group:
    reading = readings[-1]
    there = group.capacity
    count = wanted(there, reading, scaling.target)
    alarm = f"TargetTracking-{group.settings.name}-Alarm"
    if reading > scaling.target and count > group.desired and not warms_up(group, scaling.warmup_seconds, now):
        return scaled(group, min(count, there + scaling.maximum_step), f"{alarm}High", policy, now)
    if low(readings, scaling.target) and count < group.desired:
        return scaled(group, count, f"{alarm}Low", policy, now)
    return group


@cites(_AUTO_SCALING)
def wanted(instances: int, reading: float, target: int) -> int:
    """The group goes to ceil(N x reading / target) instances, and from none to two, as a reading of 200 says."""
    return ceil(round(max(instances, 1 if reading > target else 0) * reading / target, 6))


@inferred("the alarm that ECS makes has 15 periods of a minute, as those of every target tracking policy")
def low(readings: Sequence[float], target: int) -> bool:
    """The group shrinks after fifteen minutes in which every reading was below the target."""
    return len(readings) == _LOW_READINGS and max(readings) < target


@cites(_AUTO_SCALING)
def warms_up(group: Group, warmup_seconds: float, now: float) -> bool:
    """The group does not grow while an instance is younger than the instance warm-up period."""
    return bool(group.launches) or any(
        not each.leaving and now - each.launched_at < warmup_seconds for each in group.instances.values()
    )
