"""The target group of an ALB, with instances as targets: an adapter to the same health machine and the same choices.

What is different from a Classic ELB: a target is an instance *and* a port, so that several tasks of a service share an
instance; states and reasons have other names; a group without a healthy target sends requests to all of them; a target
may start slowly. The texts are those of
https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetHealth.html and of accounts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from sim.cluster.balancer.checks import CheckResult, HealthCheck, Phase, Watch
from sim.cluster.balancer.nodes import AWS_DELAYS, Balancer, Delays, Policy, in_service
from sim.cluster.balancer.routing import in_turn, least_outstanding
from sim.cluster.balancer.stickiness import Stickiness
from sim.cluster.citations import ALB_GUIDE, ELBV2_API, LeftOut, cites, inferred
from sim.cluster.target_health import TargetHealth

if TYPE_CHECKING:
    from random import Random

TargetState = Literal["initial", "healthy", "unhealthy", "unused", "draining"]
Algorithm = Literal["round_robin", "least_outstanding_requests", "weighted_random"]
DEFAULT_CHECK: Final = HealthCheck(interval=30.0, timeout=5.0, healthy=5, unhealthy=2)
"""https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html"""
DEREGISTRATION_DELAY: Final = 300.0
_FULL: Final = 1.0
_OF_UNUSED: Final = frozenset({"Target.NotRegistered", "Target.NotInUse", "Target.InvalidState"})
LEFT_OUT: Final = (
    LeftOut(
        "the state `unavailable`",
        ELBV2_API + "TargetHealth.html",
        "it is for groups whose checks are switched off, which targets on instances cannot have, and for errors of AWS",
    ),
    LeftOut(
        "anomaly mitigation of `weighted_random`",
        ALB_GUIDE + "edit-target-group-attributes.html",
        "how AWS tells an anomaly is not public: every target keeps its full weight",
    ),
)


@dataclass(frozen=True, slots=True)
class GroupSettings:
    """A target group as its API knows it. Times in seconds; `slow_start` 0 is off.

    `zones` are those of the load balancer that uses the group, none for a group that no listener uses. `at_least` is
    `target_group_health.unhealthy_state_routing.minimum_healthy_targets.count`.
    """

    zones: tuple[str, ...]
    check: HealthCheck = DEFAULT_CHECK
    matcher: str = "200"
    deregistration_delay: float = DEREGISTRATION_DELAY
    cross_zone: bool = True
    algorithm: Algorithm = "round_robin"
    slow_start: float = 0.0
    at_least: int = 1
    stickiness: Stickiness | None = None
    delays: Delays = AWS_DELAYS

    @property
    def policy(self) -> Policy:
        """What the health machine needs of it. An ALB never cuts what a failing target has in hand."""
        return Policy(self.zones, self.check, self.deregistration_delay, self.cross_zone, self.delays)


@dataclass(frozen=True, slots=True)
class DescribedTarget:
    """What `DescribeTargetHealth` says of a target; a healthy one has no reason and no description."""

    state: TargetState
    reason: str = ""
    description: str = ""


_HEALTHY: Final = DescribedTarget("healthy")
REGISTERING: Final = DescribedTarget("initial", "Elb.RegistrationInProgress", "Target registration is in progress")
_INITIAL: Final = DescribedTarget("initial", "Elb.InitialHealthChecking", "Initial health checks in progress")
DRAINING: Final = DescribedTarget("draining", "Target.DeregistrationInProgress", "Target deregistration is in progress")
NOT_REGISTERED: Final = DescribedTarget(
    "unused", "Target.NotRegistered", "Target is not registered to the target group"
)
NOT_USED: Final = DescribedTarget(
    "unused", "Target.NotInUse", "Target group is not configured to receive traffic from the load balancer"
)
_ZONE_NOT_ENABLED: Final = DescribedTarget(
    "unused",
    "Target.NotInUse",
    "Target is in an Availability Zone that is not enabled for the load balancer",
)
_TIMED_OUT: Final = DescribedTarget("unhealthy", "Target.Timeout", "Request timed out")
_FAILED: Final = DescribedTarget("unhealthy", "Target.FailedHealthChecks", "Health checks failed")


@cites(ELBV2_API + "Matcher.html")
def passes(matcher: str, status: int) -> bool:
    """A check passes on the codes of the matcher: `200`, a list `200,202`, a range `200-299`, or both."""
    for part in matcher.split(","):
        low, _, high = part.partition("-")
        if int(low) <= status <= int(high or low):
            return True
    return False


def result(matcher: str, status: int | None, *, timed_out: bool = False) -> CheckResult:
    """What a check comes to; without a status the connection failed, or the answer could not be read."""
    return CheckResult(status is not None and passes(matcher, status), status, timed_out)


@cites(ALB_GUIDE + "target-group-health-checks.html")
def described(
    state: Balancer, target: str, instance: Literal["running", "stopped", "terminated"] = "running"
) -> DescribedTarget:
    """A target is initial, healthy, unhealthy, unused or draining, with a reason and a description."""
    member = state.members.get(target)
    if member is None:
        return NOT_REGISTERED
    if member.leaving:
        return DRAINING
    if instance != "running":
        return DescribedTarget("unused", "Target.InvalidState", f"Target is in the {instance} state")
    if not state.policy.zones:
        return NOT_USED
    if member.target.zone not in state.policy.zones:
        return _ZONE_NOT_ENABLED
    return _one_answer(tuple(member.watches.values()))


def health(state: Balancer, target: str) -> TargetHealth:
    """The same as the scheduler needs it: a target that drains is out of service."""
    return scheduled(described(state, target))


def scheduled(it: DescribedTarget) -> TargetHealth:
    """What the scheduler needs of what a target is described as."""
    return TargetHealth("InService" if it.state == "healthy" else "OutOfService", it.reason, it.description)


@cites(ELBV2_API + "TargetHealth.html")
def described_as(it: TargetHealth) -> DescribedTarget:
    """The state follows from the reason. A reason of the load balancer is that of an initial target, one of its failed
    checks that of an unhealthy target. This function undoes what `health` does."""
    state: TargetState = "unhealthy"
    if it.state == "InService":
        state = "healthy"
    elif it.reason_code.startswith("Elb."):
        state = "initial"
    elif it.reason_code in _OF_UNUSED:
        state = "unused"
    elif it.reason_code == DRAINING.reason:
        state = "draining"
    return DescribedTarget(state, it.reason_code, it.description)


@cites(ALB_GUIDE + "target-group-health-checks.html")
def routable(settings: GroupSettings, state: Balancer, node: str) -> tuple[str, ...]:
    """A node routes to the healthy targets; if fewer are healthy than must be, to all that do not drain (fail-open)."""
    healthy = in_service(state, node)
    if len(healthy) >= settings.at_least:
        return healthy
    return tuple(id_ for id_, member in state.members.items() if _known(member.watches.get(node)))


def choose(
    settings: GroupSettings,
    targets: Sequence[str],
    outstanding: Mapping[str, int],
    turn: int,
    shares: Mapping[str, float],
    chance: Random,
) -> str:
    """The target of the next request. `shares` are those of targets that start slowly (`slow_shares`)."""
    match settings.algorithm:
        case "least_outstanding_requests":
            return least_outstanding(targets, outstanding, turn)
        case "weighted_random":
            return chance.choice(targets)
        case "round_robin":
            return _in_turn_by_share(targets, turn, shares, chance) if shares else in_turn(targets, turn)


@cites(ALB_GUIDE + "edit-target-group-attributes.html")
def slow_shares(settings: GroupSettings, state: Balancer, node: str, now: float) -> dict[str, float]:
    """A target that became healthy beside others gets a share that grows evenly until its slow start is over.

    Returns the shares of those that are not at their full one yet, of 1.
    """
    if not settings.slow_start:
        return {}
    since = {id_: state.members[id_].watches[node].since for id_ in in_service(state, node)}
    first = min(since.values(), default=now)
    return {
        id_: (now - at) / settings.slow_start
        for id_, at in since.items()
        if at > first and now - at < settings.slow_start
    }


@inferred("the guide gives the share of a target in slow start, and not how it is kept")
def _in_turn_by_share(targets: Sequence[str], turn: int, shares: Mapping[str, float], chance: Random) -> str:
    """A target in slow start lets its turn pass as often as its share is less than full."""
    for offset in range(len(targets)):
        target = in_turn(targets, turn + offset)
        if chance.random() < shares.get(target, _FULL):
            return target
    return in_turn(targets, turn)


@inferred("the health of a target is one answer, and a scheduler must not count what some node does not route to yet")
def _one_answer(watches: tuple[Watch, ...]) -> DescribedTarget:
    """Where the nodes of an ALB disagree, the worst of what they see is reported."""
    out = [watch for watch in watches if watch.phase is Phase.OUT_OF_SERVICE]
    if out:
        return _unhealthy(next((watch.last for watch in out if watch.last and not watch.last.passed), None))
    if all(watch.phase is Phase.IN_SERVICE for watch in watches):
        return _HEALTHY
    return REGISTERING if any(watch.phase is Phase.REGISTERING for watch in watches) else _INITIAL


@cites(ELBV2_API + "TargetHealth.html")
def _unhealthy(last: CheckResult | None) -> DescribedTarget:
    """The reason of an unhealthy target is a wrong status, a time-out, or a connection or an answer that failed."""
    if last is not None and last.timed_out:
        return _TIMED_OUT
    if last is not None and last.status is not None:
        return DescribedTarget(
            "unhealthy", "Target.ResponseCodeMismatch", f"Health checks failed with these codes: [{last.status}]"
        )
    return _FAILED


@inferred("the guide says registered targets; a node cannot send to one that it has not learned of")
def _known(watch: Watch | None) -> bool:
    """Fail-open reaches the targets that the node has learned of and that do not drain."""
    return watch is not None and watch.phase in {Phase.INITIAL, Phase.IN_SERVICE, Phase.OUT_OF_SERVICE}
