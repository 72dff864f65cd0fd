"""Which instance scale-in ends: first the zone is chosen, and there the termination policies decide in their order.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-termination-policies.html
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from sim.cluster.autoscaling.group_state import Group, GroupInstance
from sim.cluster.citations import ASG_GUIDE, cites, inferred
from sim.cluster.refused import Refused

if TYPE_CHECKING:
    from random import Random

_PAGE: Final = ASG_GUIDE + "ec2-auto-scaling-termination-policies.html"
_HOUR_SECONDS: Final = 3600.0
KNOWN: Final = (
    "Default",
    "OldestInstance",
    "NewestInstance",
    "OldestLaunchTemplate",
    "ClosestToNextInstanceHour",
)


def checked(policies: Iterable[str]) -> tuple[str, ...]:
    """The policies, all of them known. Raises Refused for one that is not."""
    found = tuple(policies) or ("Default",)
    for each in found:
        if each not in KNOWN:
            raise Refused(
                "ValidationError", f"Termination policy {each} is not supported; known are {', '.join(KNOWN)}."
            )
    return found


def choose(group: Group, now: float, chance: Random) -> GroupInstance | None:
    """The instance that scale-in ends next, None where it may end none."""
    best = in_fullest_zone(group)
    for policy in group.settings.termination_policies:
        best = _narrowed(policy, best, now)
    return chance.choice(best) if best else None


@cites(ASG_GUIDE + "ec2-auto-scaling-instance-protection.html")
def may_end(instance: GroupInstance) -> bool:
    """Scale-in never ends an instance that is protected from it."""
    return instance.in_service and not instance.protected


@cites(_PAGE)
def in_fullest_zone(group: Group) -> list[GroupInstance]:
    """Scale-in takes from the zones with the most instances that have at least one that is not protected."""
    candidates = [each for each in group.instances.values() if may_end(each)]
    counts = zone_counts(group)
    fullest = max((counts[each.zone] for each in candidates), default=0)
    return [each for each in candidates if counts[each.zone] == fullest]


def zone_counts(group: Group) -> Counter[str]:
    """How many instances each zone has or will have, without those that are leaving."""
    counts = Counter(dict.fromkeys(group.settings.zones, 0))
    counts.update(each.zone for each in group.instances.values() if not each.leaving)
    counts.update(each.zone for each in group.launches.values())
    return counts


def _narrowed(policy: str, of: Sequence[GroupInstance], now: float) -> list[GroupInstance]:
    match policy:
        case "OldestInstance":
            return _least(of, [each.launched_at for each in of])
        case "NewestInstance":
            return _least(of, [-each.launched_at for each in of])
        case "OldestLaunchTemplate":
            return oldest_template(of)
        case "ClosestToNextInstanceHour":
            return closest_to_hour(of, now)
    return default_policy(of, now)


@cites(_PAGE)
def default_policy(of: Sequence[GroupInstance], now: float) -> list[GroupInstance]:
    """The default policy takes the oldest launch template, then what is closest to its next hour, then any."""
    return closest_to_hour(oldest_template(of), now)


@inferred("versions of one template are in their order; of several templates none is known to be older")
def oldest_template(of: Sequence[GroupInstance]) -> list[GroupInstance]:
    """The oldest launch template is the lowest version."""
    return _least(of, [each.template.version for each in of])


@cites(_PAGE)
def closest_to_hour(of: Sequence[GroupInstance], now: float) -> list[GroupInstance]:
    """ClosestToNextInstanceHour takes the instance whose next billing hour begins first."""
    return _least(of, [_HOUR_SECONDS - (now - each.launched_at) % _HOUR_SECONDS for each in of])


def _least(of: Sequence[GroupInstance], by: Sequence[float]) -> list[GroupInstance]:
    least = min(by, default=0)
    return [each for each, value in zip(of, by, strict=True) if value == least]
