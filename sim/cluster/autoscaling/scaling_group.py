"""An EC2 Auto Scaling group: `step(group, reports, now, chance) -> (group, actions)`.

# Theory of operation

The group owns its settings, its desired capacity and its instances, all frozen values. EC2 is outside: the group asks
it for instances (`LaunchInstance`) and for their end, and hears of them by `reports`, what EC2 and a load balancer see
of each. What users ask is in `group_requests`. A step always does the same:

1. *Hooks*. A life-cycle action whose time is up ends with its default result. An instance that no hook holds any more
   goes on: into service, or to its end. So an instance waits in `Pending:Wait` or `Terminating:Wait`, never for ever.
2. *EC2*. What EC2 runs goes on from Pending. What EC2 has ended leaves the group.
3. *Health*. An instance in service that EC2 no longer runs is unhealthy at once; one that fails other checks is after
   its grace period.
4. *Replacement*. An unhealthy instance is ended while another one is launched in its place.
5. *Capacity*. What is missing is launched where the fewest are. What is too many is ended, first in the fullest zone,
   in the order of the termination policies, and never if it is protected from scale-in.
6. *Zones*. A group that has what it wants, unevenly, launches one instance before another one ends.

Instances that balancing or a refresh launched are `beyond` the desired capacity. Balancing gives the mark up as soon as
the instance is in service, so that step 5 of the next step ends another one; a refresh chooses itself what ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

from sim.cluster.autoscaling import lifecycle_hooks, scaling_activities
from sim.cluster.autoscaling.group_state import Group, GroupInstance
from sim.cluster.autoscaling.group_turn import GroupAction, GroupTurn
from sim.cluster.autoscaling.scaling_activities import Activity
from sim.cluster.autoscaling.termination_policies import choose
from sim.cluster.autoscaling.zones import can_balance, imbalance, largest
from sim.cluster.citations import ASG_GUIDE, cites, inferred
from sim.cluster.target_health import TargetHealth

if TYPE_CHECKING:
    from random import Random

_ENDED_BY_EC2: Final = "an EC2 health check indicating it has been terminated or stopped"
_STATUS_CHECKS: Final = "an EC2 instance status checks failure"
_ELB: Final = "an ELB system health check failure"
_IMPAIRED_AFTER_SECONDS: Final = 120.0
_FAILED_CHECKS: Final = ("Instance", "Target.FailedHealthChecks", "Target.ResponseCodeMismatch", "Target.Timeout")
"""The reasons of a Classic ELB and of a target group for a target that has failed its checks."""


Ec2State = Literal["pending", "running", "stopping", "stopped", "shutting-down", "terminated"]


@dataclass(frozen=True, slots=True)
class Report:
    """What is seen of an instance: its state in EC2, its status checks, and its health at the load balancer."""

    state: Ec2State = "running"
    impaired: bool = False
    balancer_healthy: bool = True


Reports = Mapping[str, Report]
"""By the instance's id. EC2 does not know an instance that has no report."""
_GONE: Final = Report("terminated")


def step(group: Group, reports: Reports, now: float, chance: Random) -> tuple[Group, list[GroupAction]]:
    """What the group makes of itself now, and what EC2 and the hooks' listeners are to do. The time is in seconds."""
    turn = GroupTurn(group, now, chance)
    _end_hooks(turn)
    _follow_ec2(turn, reports)
    _judge(turn, reports)
    if not turn.group.deleting:
        _end_balancing(turn)
        _replace_unhealthy(turn, reports)
        _meet_capacity(turn)
        _balance(turn)
    return turn.group, turn.actions


def _end_hooks(turn: GroupTurn) -> None:
    for instance in turn.instances():
        if not instance.state.endswith(":Wait"):
            continue
        actions = tuple(lifecycle_hooks.expired(each, turn.now) for each in instance.actions)
        waited = replace(instance, actions=actions)
        turn.put(waited)
        if abandons_launch(waited):
            token = next(each.token for each in actions if each.result == "ABANDON")
            turn.never_served(waited, scaling_activities.abandoned(token))
        elif lifecycle_hooks.outcome(actions) and waited.leaving:
            turn.proceed(waited)
        elif lifecycle_hooks.outcome(actions):
            turn.put(replace(waited, state="Pending:Proceed"))


@cites(ASG_GUIDE + "lifecycle-hooks.html")
def abandons_launch(instance: GroupInstance) -> bool:
    """An instance whose launch hook ends with ABANDON is terminated, and another one is launched."""
    return instance.arriving and lifecycle_hooks.outcome(instance.actions) == "ABANDON"


def _follow_ec2(turn: GroupTurn, reports: Reports) -> None:
    for instance in turn.instances():
        state = reports.get(instance.id, _GONE).state
        if instance.state == "Terminating:Proceed" and state == "terminated":
            turn.gone(instance)
        elif instance.arriving and state not in {"pending", "running"}:
            turn.never_served(instance, scaling_activities.unhealthy_before_service(state))
        elif instance.state == "Pending" and state == "running":
            turn.arrived(instance)
        elif instance.state == "Pending:Proceed":
            turn.serve(instance)


def _judge(turn: GroupTurn, reports: Reports) -> None:
    if "HealthCheck" in turn.group.settings.suspended:
        return
    for instance in turn.instances():
        if instance.in_service and not instance.unhealthy:
            failed = failed_check(turn.group, instance, reports.get(instance.id, _GONE), turn.now)
            turn.put(replace(instance, unhealthy=failed))


def failed_check(group: Group, instance: GroupInstance, report: Report, now: float) -> str:
    """The check that the instance fails, as a cause names it; "" where it fails none."""
    if ended_by_ec2(report):
        return _ENDED_BY_EC2
    if in_grace(group, instance, now):
        return ""
    if report.impaired:
        return _STATUS_CHECKS
    return _ELB if "ELB" in group.settings.health_check_types and not report.balancer_healthy else ""


@cites(ASG_GUIDE + "ec2-auto-scaling-health-checks.html")
def ended_by_ec2(report: Report) -> bool:
    """An instance that is not running any more is unhealthy at once, in its grace period too."""
    return report.state not in {"pending", "running"}


@cites(ASG_GUIDE + "as-add-elb-healthcheck.html")
def healthy_at(reported: Iterable[TargetHealth]) -> bool:
    """An instance is healthy only if every load balancer of its group has it so; one not yet checked counts as such."""
    return not any(each.state == "OutOfService" and each.reason_code in _FAILED_CHECKS for each in reported)


@inferred("EC2 checks every minute; how many failed checks Auto Scaling waits for is not public")
def impaired(silent_since: float | None, now: float) -> bool:
    """An instance that nobody reaches is impaired after two status checks, which come every minute."""
    return silent_since is not None and now - silent_since >= _IMPAIRED_AFTER_SECONDS


@cites(ASG_GUIDE + "health-check-grace-period.html")
def in_grace(group: Group, instance: GroupInstance, now: float) -> bool:
    """Other failed checks are ignored for the grace period after the instance came into service."""
    return instance.in_service_at is not None and now - instance.in_service_at < group.settings.grace_seconds


def _replace_unhealthy(turn: GroupTurn, reports: Reports) -> None:
    if {"ReplaceUnhealthy", "Terminate"} & turn.group.settings.suspended:
        return
    for instance in turn.instances():
        if instance.in_service and instance.unhealthy:
            alive = not ended_by_ec2(reports.get(instance.id, _GONE))
            if not alive or may_replace(turn.group):
                _replace(turn, instance)


@inferred("the page limits how many a group terminates at a time; of one that EC2 has ended nothing is left to spare")
def may_replace(group: Group) -> bool:
    """Of the unhealthy instances that still run, 10 percent of the desired capacity are replaced at a time, or one."""
    replacing = sum(each.purpose == "replacement" for each in group.launches.values()) + sum(
        each.purpose == "replacement" and each.arriving for each in group.instances.values()
    )
    return replacing < max(1, group.desired // 10)


@cites(ASG_GUIDE + "ec2-auto-scaling-health-checks.html")
def replaced_while_it_ends(group: Group) -> bool:
    """An unhealthy instance is terminated while its replacement is launched, where the capacity still asks for it."""
    return "Launch" not in group.settings.suspended and group.capacity < group.desired


def _replace(turn: GroupTurn, instance: GroupInstance) -> None:
    turn.terminate(instance, [turn.says(scaling_activities.unhealthy(instance.unhealthy))])
    if replaced_while_it_ends(turn.group) and turn.now >= turn.group.retry_at:
        turn.launch(1, "replacement", [turn.says(scaling_activities.replacing())])


def _meet_capacity(turn: GroupTurn) -> None:
    group = turn.group
    difference = group.desired - group.capacity
    if difference > 0:
        _scale_out(turn, difference)
    elif difference < 0:
        _scale_in(turn, -difference)
    else:
        turn.group = replace(group, causes=(), blocked=False)


def _scale_out(turn: GroupTurn, count: int) -> None:
    group = turn.group
    if "Launch" in group.settings.suspended or turn.now < group.retry_at:
        return
    sentence = turn.says(scaling_activities.grown(group.capacity, group.capacity + count))
    turn.launch(count, "capacity", [*turn.take_causes(), sentence])


def _scale_in(turn: GroupTurn, count: int) -> None:
    if "Terminate" in turn.group.settings.suspended:
        return
    before, chosen = turn.group, list[GroupInstance]()
    for _ in range(count):
        if (found := choose(turn.group, turn.now, turn.chance)) is None:
            break
        chosen.append(found)
        turn.put(replace(found, state="Terminating"))
    turn.group = before
    if chosen:
        sentence = scaling_activities.shrunk(before.capacity, before.capacity - len(chosen))
        picked = [scaling_activities.selected(each.id) for each in chosen]
        causes = [*turn.take_causes(), *(turn.says(each) for each in (sentence, *picked))]
        for instance in chosen:
            turn.terminate(instance, causes)
    blocked = nothing_may_end(turn.group, len(chosen), count)
    if blocked and not before.blocked:
        text = " ".join([*turn.take_causes(), turn.says(scaling_activities.all_protected().rstrip("."))])
        turn.note(
            Activity(turn.new_id(), scaling_activities.all_protected(), text, turn.now, "Failed", ended_at=turn.now)
        )
    turn.group = replace(turn.group, blocked=blocked)


@cites(ASG_GUIDE + "ec2-auto-scaling-instance-protection.html")
def nothing_may_end(group: Group, ended: int, wanted: int) -> bool:
    """If all that is left is protected, the desired capacity stays smaller and nothing ends."""
    settled = [each for each in group.instances.values() if not each.leaving]
    return ended < wanted and all(each.protected for each in settled)


def _end_balancing(turn: GroupTurn) -> None:
    """The instance that balances the zones counts once it is in service, so that one too many is there."""
    for instance in turn.instances():
        if instance.beyond and instance.purpose == "balance" and instance.in_service:
            turn.put(replace(instance, beyond=False))
            sentence = turn.says(scaling_activities.balancing_end(instance.zone))
            turn.group = replace(turn.group, causes=(*turn.group.causes, sentence))


def _balance(turn: GroupTurn) -> None:
    group = turn.group
    if {"AZRebalance", "Launch", "Terminate"} & group.settings.suspended or not settled(group):
        return
    found = imbalance(group)
    if found is None or not can_balance(group, found) or turn.now < group.retry_at:
        return
    if group.capacity + 1 <= largest(group.settings):
        sentence = scaling_activities.balancing_launch(found.zones, found.counts)
        turn.launch(1, "balance", [turn.says(sentence)], beyond=True)


@cites(ASG_GUIDE + "auto-scaling-benefits.html")
def settled(group: Group) -> bool:
    """A group balances its zones by launching before it terminates, one at a time, when nothing else goes on."""
    return (
        not group.launches
        and group.capacity == group.desired
        and all(each.in_service and not each.unhealthy and not each.beyond for each in group.instances.values())
    )
