"""A Classic ELB: its settings, what it reports of its targets, and which of them a node routes to.

The health of a target in `DescribeInstanceHealth` is one answer about what several nodes may see differently. The texts
are those of https://docs.aws.amazon.com/elasticloadbalancing/2012-06-01/APIReference/API_InstanceState.html.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from sim.cluster.balancer.checks import CheckResult, Phase, Watch
from sim.cluster.balancer.desync import Mode
from sim.cluster.balancer.nodes import Balancer, Policy, in_service
from sim.cluster.balancer.stickiness import Stickiness
from sim.cluster.citations import ELB_API, ELB_GUIDE, LeftOut, cites, inferred
from sim.cluster.target_health import TargetHealth

InstanceState = Literal["pending", "running", "stopped", "terminated"]

_UNKNOWN: Final = TargetHealth("Unknown", "N/A", "A transient error occurred. Please try again later.")
IN_SERVICE: Final = TargetHealth("InService", "N/A", "N/A")
DEREGISTERING: Final = TargetHealth("InService", "N/A", "Instance deregistration currently in progress.")
NOT_REGISTERED: Final = TargetHealth(
    "OutOfService", "N/A", "Instance is not currently registered with the LoadBalancer."
)
REGISTERING: Final = TargetHealth("OutOfService", "ELB", "Instance registration is still in progress.")
FAILED: Final = TargetHealth(
    "OutOfService",
    "Instance",
    "Instance has failed at least the UnhealthyThreshold number of health checks consecutively.",
)
RECOVERING: Final = TargetHealth(
    "OutOfService",
    "Instance",
    "Instance has not passed the configured HealthyThreshold number of health checks consecutively.",
)
ZONE_NOT_ENABLED: Final = TargetHealth(
    "OutOfService",
    "ELB",
    "Instance is in the EC2 Availability Zone for which LoadBalancer is not configured to route traffic to.",
)
_NOT_RUNNING: Final[Mapping[InstanceState, TargetHealth]] = {
    state: TargetHealth("OutOfService", "Instance", f"Instance is in {state} state.")
    for state in ("pending", "stopped", "terminated")
}
LEFT_OUT: Final = (
    LeftOut(
        "the text `Disable Availability Zone is currently in progress.`",
        ELB_API + "InstanceState.html",
        "a balancer's zones are settings: another set of them is another balancer",
    ),
    LeftOut(
        "more nodes under load, and fewer after it",
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/userguide/how-elastic-load-balancing-works.html",
        "when AWS adds one is not public; `add_node` and `lose_node` do it by hand",
    ),
)


@dataclass(frozen=True, slots=True)
class Settings:
    """A Classic ELB as its API knows it. `idle_timeout` is in seconds."""

    policy: Policy
    idle_timeout: float = 60.0
    desync: Mode = "defensive"
    stickiness: Stickiness | None = None


@cites(ELB_GUIDE + "elb-healthchecks.html")
def passes(status: int | None) -> bool:
    """A check over HTTP passes on status 200 and on nothing else; one over TCP (status None) when it connects."""
    return status in {None, 200}


def result(status: int | None, *, connected: bool, timed_out: bool = False) -> CheckResult:
    """What a check comes to. `status` is None without an answer, and for a check over TCP."""
    return CheckResult(connected and not timed_out and passes(status), status, timed_out)


@cites(ELB_GUIDE + "how-elb-works.html")
def routable(state: Balancer, node: str) -> tuple[str, ...]:
    """A node routes to the targets that it has in service, and to no other, also when there is none."""
    return in_service(state, node)


@cites(ELB_API + "InstanceState.html")
def health(state: Balancer, target: str, instance: InstanceState = "running") -> TargetHealth:
    """What `DescribeInstanceHealth` says of a target: its state, whose fault it is, and a description.

    A terminated instance is not in AWS's answer; whoever answers leaves it out.
    """
    member = state.members.get(target)
    if member is None:
        return NOT_REGISTERED
    if member.leaving:
        return DEREGISTERING
    if instance != "running":
        return _NOT_RUNNING[instance]
    if member.target.zone not in state.policy.zones:
        return ZONE_NOT_ENABLED
    return _one_answer(tuple(member.watches.values()))


@inferred("a scheduler that counts on the answer must not count a target that some node does not route to yet")
def _one_answer(watches: tuple[Watch, ...]) -> TargetHealth:
    """Where nodes disagree, the worst of what they see is reported; where no node is left, nothing is known."""
    if not watches:
        return _UNKNOWN
    out = [watch for watch in watches if watch.phase is Phase.OUT_OF_SERVICE]
    if out:
        return FAILED if any(watch.passes == 0 for watch in out) else RECOVERING
    return IN_SERVICE if all(watch.phase is Phase.IN_SERVICE for watch in watches) else REGISTERING
