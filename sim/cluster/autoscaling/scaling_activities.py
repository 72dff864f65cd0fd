"""Scaling activities of an Auto Scaling group, and the sentences of their causes.

A cause is one sentence or several, with two spaces between them; each begins with the second that it is of.

https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_Activity.html
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final, Literal

from sim.cluster.citations import ASG_API, ASG_GUIDE, cites, inferred

Status = Literal["PreInService", "InProgress", "MidLifecycleAction", "Successful", "Failed", "Cancelled"]
KEPT_SECONDS: Final = 6 * 7 * 86400.0
_PROGRESS: Final[dict[Status, int]] = {
    "PreInService": 30,
    "InProgress": 50,
    "MidLifecycleAction": 60,
    "Successful": 100,
    "Failed": 100,
    "Cancelled": 100,
}


@dataclass(frozen=True, slots=True)
class Activity:
    """One launch or termination. Times are seconds since 1970; `ended_at` is None while it goes on."""

    id: str
    description: str
    cause: str
    started_at: float
    status: Status
    message: str = ""
    ended_at: float | None = None

    @property
    def progress(self) -> int:
        """In percent."""
        return _PROGRESS[self.status]


@cites(ASG_API + "DescribeScalingActivities.html")
def forgotten(activity: Activity, now: float) -> bool:
    """An activity can be described for six weeks."""
    return activity.ended_at is not None and now - activity.ended_at > KEPT_SECONDS


def changed(
    activities: tuple[Activity, ...], identity: str, status: Status, message: str = "", ended_at: float | None = None
) -> tuple[Activity, ...]:
    """The activities with another state of one of them, which changes no more once it has ended."""
    return tuple(
        replace(each, status=status, message=message, ended_at=ended_at)
        if each.id == identity and each.ended_at is None
        else each
        for each in activities
    )


def described(activities: tuple[Activity, ...], identity: str, description: str) -> tuple[Activity, ...]:
    """The activities with another description of one of them."""
    return tuple(replace(each, description=description) if each.id == identity else each for each in activities)


def at(now: float, sentence: str) -> str:
    """The sentence with its second before it."""
    return f"At {datetime.fromtimestamp(now, UTC):%Y-%m-%dT%H:%M:%SZ} {sentence}."


def cause(sentences: Iterable[str]) -> str:
    """The sentences as one cause."""
    return "  ".join(sentences)


@cites(ASG_API + "DescribeScalingActivities.html")
def created(before: int, after: int) -> str:
    """A new group's first activities name the request that created it."""
    return f"a user request created an AutoScalingGroup changing the desired capacity from {before} to {after}"


@cites(ASG_GUIDE + "ec2-auto-scaling-scaling-manually.html")
def user_set(before: int, after: int) -> str:
    """SetDesiredCapacity is a user request that explicitly sets the capacity."""
    return (
        f"a user request explicitly set group desired capacity changing the desired capacity from {before} to {after}"
    )


@inferred("notifications of real accounts read so")
def constrained(least: int, most: int, before: int, after: int) -> str:
    """UpdateAutoScalingGroup names the group's new limits."""
    return (
        f"a user request update of AutoScalingGroup constraints to min: {least}, max: {most}, desired: {after} "
        f"changing the desired capacity from {before} to {after}"
    )


@inferred("activities of real accounts read so")
def alarmed(alarm: str, policy: str, before: int, after: int) -> str:
    """A scaling policy names its alarm."""
    return (
        f"a monitor alarm {alarm} in state ALARM triggered policy {policy} "
        f"changing the desired capacity from {before} to {after}"
    )


@inferred("activities of real accounts read so")
def executed(policy: str, before: int, after: int) -> str:
    """A policy that a user executes is named without an alarm."""
    return f"a user request executed policy {policy} changing the desired capacity from {before} to {after}"


@cites("https://repost.aws/knowledge-center/auto-scaling-scale-down")
def scheduled(least: int, most: int, before: int, after: int) -> str:
    """A scheduled action names the group's limits, as they are then."""
    return (
        f"a scheduled action update of AutoScalingGroup constraints to min: {least}, max: {most}, desired: {after} "
        f"changing the desired capacity from {before} to {after}"
    )


@cites("https://repost.aws/knowledge-center/auto-scaling-scale-down")
def performed(action: str, before: int, after: int) -> str:
    """A second sentence says which scheduled action it was."""
    return f"the scheduled action {action} executed. Setting desired capacity from {before} to {after}"


@cites(ASG_API + "DescribeScalingActivities.html")
def grown(before: int, after: int) -> str:
    """A launch to meet the desired capacity says from what to what the capacity grows."""
    return (
        "an instance was started in response to a difference between desired and actual capacity, "
        f"increasing the capacity from {before} to {after}"
    )


@inferred("activities of real accounts read so")
def shrunk(before: int, after: int) -> str:
    """A termination to meet the desired capacity says from what to what the capacity shrinks."""
    return (
        "an instance was taken out of service in response to a difference between desired and actual capacity, "
        f"shrinking the capacity from {before} to {after}"
    )


@inferred("activities of real accounts read so, with a sentence for each instance")
def selected(instance: str) -> str:
    """Whatever scale-in ends was selected for termination."""
    return f"instance {instance} was selected for termination"


@cites(ASG_GUIDE + "ts-as-healthchecks.html")
def unhealthy(reason: str) -> str:
    """The termination of an unhealthy instance names the check that failed."""
    return f"an instance was taken out of service in response to {reason}"


@inferred("activities of real accounts read so since 2022")
def replacing() -> str:
    """The launch in place of an unhealthy instance says so."""
    return "an instance was launched in response to an unhealthy instance needing to be replaced"


@inferred("activities of real accounts read so")
def refresh_launch() -> str:
    """The launch of a new instance by an instance refresh says so."""
    return "an instance was launched in response to an instance refresh"


@inferred("notifications of real accounts read so")
def refresh_end() -> str:
    """The termination of an old instance by an instance refresh says so."""
    return "an instance was taken out of service in response to an instance refresh"


@inferred("activities of real accounts read so")
def unhealthy_before_service(reason: str) -> str:
    """A launch whose instance ends before it is in service is cancelled with that message."""
    return (
        "Instance became unhealthy while waiting for instance to be in InService state. "
        f"Termination Reason: EC2 reports it {reason}"
    )


@inferred("activities of real accounts read so")
def abandoned(token: str) -> str:
    """A launch whose hook ends with ABANDON is cancelled with a message that names the token."""
    return f"Instance failed to complete user's Lifecycle Action: Lifecycle Action with token {token} was abandoned"


@cites(ASG_API + "TerminateInstanceInAutoScalingGroup.html")
def user_terminated(instance: str, before: int, after: int) -> str:
    """TerminateInstanceInAutoScalingGroup names the instance, and the capacity where that shrinks."""
    shrinking = f", shrinking the capacity from {before} to {after}" if after < before else ""
    return f"instance {instance} was taken out of service in response to a user request{shrinking}"


@inferred("an account of 2023 printed the two sentences")
def balancing_launch(zones: str, counts: str) -> str:
    """A launch that balances the zones says how many instances each crowded zone had."""
    return (
        f"availability zones {zones} had {counts} instances respectively. "
        "An instance was launched to aid in balancing the group's zones"
    )


@inferred("an account of 2023 printed the sentence")
def balancing_end(zones: str) -> str:
    """The termination that follows says that balancing led to more instances than desired."""
    return (
        f"instances were launched to balance instances in zones {zones} with other zones "
        "resulting in more than desired number of instances in the group"
    )


@cites(ASG_GUIDE + "ec2-auto-scaling-instance-protection.html")
def all_protected() -> str:
    """Where scale-in finds protected instances alone, an activity says that nothing could end."""
    return "Could not scale to desired capacity because all remaining instances are protected from scale-in."
