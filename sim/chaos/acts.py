"""What the scheduled faults of a plan do to a target, and when. What a target can do follows from its capabilities."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from release.deploy import Verdict
from sim.cloud.gateway.forwarding import FAULTS
from sim.faults.decide import Hit, Moment, moments
from sim.faults.plan import AwsService, BadPlan, Fault, FaultPlan
from sim.targets.target import CALLS, SERVICES, Capability, Service, Target

_NEEDS: Mapping[Fault, Capability] = {
    **dict.fromkeys(FAULTS, Capability.INJECT_FAULTS),
    Fault.PARTITION: Capability.CUT_AWS,
    Fault.STOP_TASK: Capability.STOP_SERVICE,
    Fault.KILL_TASK: Capability.STOP_SERVICE,
    Fault.KILL_INSTANCE: Capability.DEPLOY,
    Fault.DRAIN_INSTANCE: Capability.DEPLOY,
    Fault.LOSE_ZONE: Capability.DEPLOY,
    Fault.DEPLOY: Capability.DEPLOY,
    Fault.SCALE: Capability.DEPLOY,
}


Do = Callable[[Target], object]
"""Does something to a target; returns what there is to report of it."""


@dataclass(frozen=True)
class Act:
    """Something to do to a target, `at` seconds from the start; `fault` if it is one, and not the end of one."""

    at: float
    name: str
    caller: Service
    do: Do
    fault: Fault | None = None

    @property
    def is_long(self) -> bool:
        """True if other acts do not wait for its end: faults in the middle of a deployment are what a plan is for."""
        return self.fault is Fault.DEPLOY


def able(capabilities: Collection[Capability]) -> frozenset[Fault]:
    """The faults that a target with these capabilities can do."""
    return frozenset(fault for fault, needed in _NEEDS.items() if needed in capabilities)


def doable(plan: FaultPlan, target: Target) -> FaultPlan:
    """Returns the plan. Raises BadPlan if it has a fault that the target cannot do."""
    return plan.only(able(target.capabilities), f"the target {target.name}")


def acts(plan: FaultPlan, seconds: float) -> list[Act]:
    """The acts of a plan, in the order of their times. `seconds` bounds a plan that has no end of its own.

    Raises BadPlan if a rule is about a service that there is not.
    """
    found = [act for moment in moments(plan, seconds) for act in _acts(moment)]
    return sorted(found, key=lambda act: act.at)


def _acts(moment: Moment) -> Iterator[Act]:
    hit, rule, at = moment.hit, moment.hit.rule, moment.at
    concerned: list[Service] = [service for service in SERVICES if rule.caller in {None, service}]
    if not concerned:
        raise BadPlan(f"{rule.fault} of {rule.caller!r}: there are {', '.join(SERVICES)}")
    caller = hit.choice("caller", concerned)
    seconds = rule.seconds or 0.0

    def act(name: str, do: Do) -> Act:
        return Act(at, name, caller, do, rule.fault)

    match rule.fault:
        case Fault.STOP_TASK:
            yield act(f"stopping a task of the {caller}", partial(_stop, caller))
        case Fault.KILL_TASK:
            yield act(f"killing a task of the {caller}", partial(_kill, caller))
        case Fault.KILL_INSTANCE:
            yield act(f"terminating an instance of the {caller}", partial(_terminate_instance, hit, caller))
        case Fault.DRAIN_INSTANCE:
            yield act(f"draining an instance of the {caller}", partial(_drain_instance, hit, caller))
        case Fault.LOSE_ZONE:
            yield act("cutting a zone off", partial(_lose_zone, hit))
            yield Act(at + seconds, "bringing the zone back", caller, _bring_zones_back)
        case Fault.DEPLOY:
            yield act(f"deploying the {caller}", partial(_deploy, caller))
        case Fault.SCALE:
            count = rule.count or 0
            yield act(f"scaling the {caller} to {count}", partial(_scale, caller, count))
        case _:
            aws = [each for each in CALLS[caller] if rule.service in {None, each}]
            yield act(f"cutting the {caller} off", partial(_cut, caller, aws))
            yield Act(at + seconds, f"mending the {caller}", caller, partial(_mend, caller, aws))


def _stop(service: Service, target: Target) -> None:
    if _has_cluster(target):
        target.acts.stop_task(service)
    else:
        target.terminate(service)
        target.start(service)


def _kill(service: Service, target: Target) -> None:
    if _has_cluster(target):
        target.acts.lose_task(service)
    else:
        target.kill(service)
        target.start(service)


def _terminate_instance(hit: Hit, service: Service, target: Target) -> None:
    target.acts.terminate_instance(hit.choice("instance", target.acts.instances(service)))


def _drain_instance(hit: Hit, service: Service, target: Target) -> None:
    target.acts.drain(hit.choice("instance", target.acts.instances(service)))


def _lose_zone(hit: Hit, target: Target) -> None:
    target.acts.lose_zone(hit.choice("zone", target.acts.zones()))


def _bring_zones_back(target: Target) -> None:
    target.acts.bring_all_back()


def _deploy(service: Service, target: Target) -> Verdict:
    return target.deploy(service)


def _scale(service: Service, count: int, target: Target) -> None:
    target.acts.service(service).scale(count)


def _cut(service: Service, aws: Sequence[AwsService], target: Target) -> None:
    for each in aws:
        target.cut(service, each)


def _mend(service: Service, aws: Sequence[AwsService], target: Target) -> None:
    for each in aws:
        target.mend(service, each)


def _has_cluster(target: Target) -> bool:
    """True if ECS starts a task in the place of one that ends."""
    return Capability.DEPLOY in target.capabilities
