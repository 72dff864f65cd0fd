"""How an instance refresh goes about it, as a user prefers it.

https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_RefreshPreferences.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from sim.cluster.autoscaling.group_state import GroupSettings
from sim.cluster.citations import ASG_API, ASG_GUIDE, LeftOut, cites, inferred
from sim.cluster.refused import Refused

Protected = Literal["Refresh", "Ignore", "Wait"]
_PAGE: Final = ASG_API + "RefreshPreferences.html"
_NOT_MODELLED: Final = ("CheckpointPercentages", "CheckpointDelay", "AlarmSpecification")
_MINIMUM: Final = range(101)
_MAXIMUM: Final = range(100, 201)
_WIDEST: Final = 100
_DEFAULT_MINIMUM: Final = 90

LEFT_OUT: Final = (
    LeftOut(
        "Checkpoints of an instance refresh, and alarms that fail one.",
        ASG_GUIDE + "asg-adding-checkpoints-instance-refresh.html",
        "they are refused by name",
    ),
    LeftOut(
        "The strategy ReplaceRootVolume.",
        ASG_API + "StartInstanceRefresh.html",
        "the strategy is Rolling; another one is refused",
    ),
)


@dataclass(frozen=True, slots=True)
class Preferences:
    """Percentages are of the desired capacity, times in seconds; None is what the user left out."""

    min_healthy: int = _DEFAULT_MINIMUM
    max_healthy: int | None = None
    warmup_seconds: float | None = None
    skip_matching: bool = False
    auto_rollback: bool = False
    protected: Protected = "Wait"
    bake_seconds: float = 0.0


def preferences(given: Mapping[str, Any]) -> Preferences:
    """The preferences in AWS's names. Raises Refused for what is wrong or not modelled."""
    for name in _NOT_MODELLED:
        if given.get(name):
            raise Refused("ValidationError", f"{name} of an instance refresh is not supported. Leave it out.")
    most = given.get("MaxHealthyPercentage")
    least = given.get("MinHealthyPercentage")
    if message := wrong_percentages(least, most):
        raise Refused("ValidationError", message)
    warmup = given.get("InstanceWarmup")
    return Preferences(
        _DEFAULT_MINIMUM if least is None else int(least),
        None if most is None else int(most),
        None if warmup is None else float(warmup),
        bool(given.get("SkipMatching")),
        bool(given.get("AutoRollback")),
        given.get("ScaleInProtectedInstances") or "Wait",
        float(given.get("BakeTime") or 0),
    )


@cites(_PAGE)
def wrong_percentages(least: int | None, most: int | None) -> str:
    """The minimum is 0 to 100 percent, the maximum 100 to 200; the two lie at most 100 apart, and come together."""
    if least is not None and least not in _MINIMUM:
        return f"MinHealthyPercentage must be from 0 to 100, not {least}."
    if most is None:
        return ""
    if most not in _MAXIMUM:
        return f"MaxHealthyPercentage must be from 100 to 200, not {most}."
    if least is None or most - least > _WIDEST:
        return (
            "If you specify MaxHealthyPercentage, you must also specify MinHealthyPercentage, "
            "and the difference between them cannot be greater than 100."
        )
    return ""


@cites(_PAGE)
def warmup(chosen: Preferences, settings: GroupSettings) -> float:
    """Without a warm-up of its own a refresh has the group's default warm-up, and without that its grace period."""
    if chosen.warmup_seconds is not None:
        return chosen.warmup_seconds
    return settings.grace_seconds if settings.warmup_seconds is None else settings.warmup_seconds


@inferred("the page gives percentages; so many instances are there at least that none of them is undercut")
def fewest(chosen: Preferences, desired: int) -> int:
    """The minimum healthy percentage rounds up."""
    return -(-desired * chosen.min_healthy // 100)


@inferred("of 3 instances 150 percent are 4: an instance more would exceed the percentage")
def most(chosen: Preferences, desired: int) -> int:
    """The maximum healthy percentage, 100 where it is left out, rounds down."""
    return desired * (chosen.max_healthy or 100) // 100
