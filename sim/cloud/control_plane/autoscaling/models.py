"""The subnet of a new instance, and instance refreshes, which replace the instances of a group a few at a time.

This module ends no instance; the program that runs the instances does. The progress of a refresh follows from how many
of the group's old instances still exist.

https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_StartInstanceRefresh.html
https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_InstanceRefresh.html
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sim.cloud.control_plane.call import AwsError, Values


def next_subnet(subnets: Sequence[str], used: Collection[str]) -> str:
    """The subnet with the fewest instances; the first of several. `used` names the subnet of each instance.

    https://docs.aws.amazon.com/autoscaling/ec2/userguide/auto-scaling-benefits.html
    """
    return min(subnets, key=Counter(used).__getitem__)


@dataclass(frozen=True)
class Refresh:
    """One refresh of a group. `old` are the instances to replace; `left` are those of them that still exist."""

    id: str
    group: str
    started_at: datetime
    old: frozenset[str]
    left: frozenset[str]
    settings: Values
    status: str = "InProgress"
    ended_at: datetime | None = None

    @property
    def percentage(self) -> int:
        """The share of the old instances that are gone, in percent."""
        return 100 if not self.old else 100 * (len(self.old) - len(self.left)) // len(self.old)


def start(
    refresh_id: str, parameters: Values, instances: Collection[str], known: Collection[Refresh], now: datetime
) -> Refresh:
    """A new refresh. `known` are the group's earlier refreshes. Raises AwsError: InstanceRefreshInProgress."""
    group = parameters["AutoScalingGroupName"]
    if any(each.status == "InProgress" for each in known):
        raise AwsError(
            "InstanceRefreshInProgress", f"An Instance Refresh is already in progress for the group {group}."
        )
    settings: Values = {
        name: parameters[name] for name in ("Preferences", "DesiredConfiguration") if name in parameters
    }
    old = frozenset(instances)
    return observe(Refresh(refresh_id, group, now, old, old, settings), instances, now)


def observe(refresh: Refresh, instances: Collection[str], now: datetime) -> Refresh:
    """The refresh, updated for the instances that the group has now."""
    if refresh.status != "InProgress":
        return refresh
    seen = replace(refresh, left=refresh.old & frozenset(instances))
    return seen if seen.left else replace(seen, status="Successful", ended_at=now)


def cancel(known: Collection[Refresh], group: str, now: datetime) -> Refresh:
    """The refresh in progress, as cancelled. Raises AwsError: ActiveInstanceRefreshNotFound."""
    for refresh in known:
        if refresh.status == "InProgress":
            return replace(refresh, status="Cancelled", ended_at=now)
    raise AwsError("ActiveInstanceRefreshNotFound", f"No in progress or pending Instance Refresh found for {group}.")


def describe(refresh: Refresh) -> Values:
    """The refresh as DescribeInstanceRefreshes returns it."""
    ended = {"EndTime": refresh.ended_at} if refresh.ended_at else {}
    return {
        "InstanceRefreshId": refresh.id,
        "AutoScalingGroupName": refresh.group,
        "Status": refresh.status,
        "StartTime": refresh.started_at,
        "PercentageComplete": refresh.percentage,
        "InstancesToUpdate": len(refresh.left),
        **refresh.settings,
        **ended,
    }
