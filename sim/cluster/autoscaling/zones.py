"""How an Auto Scaling group spreads over its Availability Zones.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/auto-scaling-benefits.html
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sim.cluster.autoscaling.group_state import Group, GroupSettings
from sim.cluster.autoscaling.termination_policies import in_fullest_zone, zone_counts
from sim.cluster.citations import ASG_GUIDE, cites, inferred

if TYPE_CHECKING:
    from random import Random

_PAGE: Final = ASG_GUIDE + "auto-scaling-benefits.html"


@dataclass(frozen=True, slots=True)
class Imbalance:
    """The zones that have too many instances, and how many each has, as the causes of activities write them."""

    zones: str
    counts: str


@cites(_PAGE)
def emptiest(group: Group, chance: Random) -> str:
    """A new instance is launched in the zone with the fewest; of several such zones in one of them at random."""
    counts = _configured(group)
    fewest = min(counts.values())
    return chance.choice(sorted(zone for zone, count in counts.items() if count == fewest))


@cites(_PAGE)
def largest(settings: GroupSettings) -> int:
    """While it balances its zones a group may exceed its maximum size by 10 percent, one instance at least."""
    return settings.max_size + max(1, settings.max_size // 10)


@inferred("AWS says that zones are balanced again, not when: a difference of one cannot be bettered")
def imbalance(group: Group) -> Imbalance | None:
    """Zones are out of balance if one has two instances more than another, or one is no longer the group's."""
    counts, configured = zone_counts(group), _configured(group)
    fewest = min(configured.values())
    crowded = sorted(zone for zone, count in counts.items() if count and (zone not in configured or count - fewest > 1))
    if not crowded:
        return None
    return Imbalance(" ".join(crowded), " ".join(str(counts[zone]) for zone in crowded))


@inferred("an instance that was launched beside protected ones would never have a counterpart that ends")
def can_balance(group: Group, found: Imbalance) -> bool:
    """Balancing begins only where scale-in may end an instance of a crowded zone afterwards."""
    crowded = set(found.zones.split())
    return bool(crowded & {each.zone for each in in_fullest_zone(group)})


def _configured(group: Group) -> Counter[str]:
    counts = zone_counts(group)
    return Counter({zone: counts[zone] for zone in group.settings.zones})
