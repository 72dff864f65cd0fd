"""The health machine that Classic ELB and target groups share.

A target is registered with the load balancer as a whole. Each node that may route to it keeps a `Watch` of it:

    REGISTERING --learned--> INITIAL --first pass--> IN_SERVICE <--> OUT_OF_SERVICE
         any of these --learned of the deregistration--> DRAINING --nothing in flight, or the limit--> GONE

`register`, `deregister`, `checked` and `drained` bring in what happened outside. `step` does what is due; call it at
`due` and after each of the others. It returns what is to be done outside: `Check` a target and call `checked`; `Drain`
a target, that is send it nothing new, and call `drained` once nothing is in flight; `Cut` its connections. It also says
when a target is `Deregistered`. All of them take the time in seconds, by any clock that never goes back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from sim.cluster.balancer.checks import (
    CHECKED,
    CheckResult,
    HealthCheck,
    Phase,
    Watch,
    first_check_at,
    judged,
    next_check_at,
)
from sim.cluster.citations import ELB_GUIDE, cites, inferred
from sim.cluster.target_health import RegisteredTarget

if TYPE_CHECKING:
    from random import Random

NEVER = float("inf")


@dataclass(frozen=True, slots=True)
class Delays:
    """How long a node takes at most, in seconds, to learn of a registration and of a deregistration. AWS's are
    `learns_at` and `leaves_at`; a local balancer has none.
    """

    registration: float = 0.0
    deregistration: float = 0.0


AWS_DELAYS = Delays(registration=30.0, deregistration=5.0)


@dataclass(frozen=True, slots=True)
class Policy:
    """The settings that the health machine needs. `drain` is the limit of a drain in seconds, None if it is off."""

    zones: tuple[str, ...]
    check: HealthCheck = field(default_factory=HealthCheck)
    drain: float | None = 300.0
    cross_zone: bool = True
    delays: Delays = AWS_DELAYS


@dataclass(frozen=True, slots=True)
class Node:
    """A machine of the load balancer, which clients find by DNS."""

    id: str
    zone: str


@dataclass(frozen=True, slots=True)
class Member:
    """A target that is registered, or drains. `number` tells this registration from an earlier one of this target."""

    target: RegisteredTarget
    number: int
    watches: Mapping[str, Watch]
    """By node."""
    leaving: bool = False


@dataclass(frozen=True, slots=True)
class Balancer:
    """The state: nodes, and members by the id of their target."""

    policy: Policy
    nodes: tuple[Node, ...] = ()
    members: Mapping[str, Member] = field(default_factory=dict)
    registrations: int = 0


@dataclass(frozen=True, slots=True)
class Check:
    """A node checks a target; `checked` takes the result, together with the number."""

    node: str
    target: RegisteredTarget
    number: int


@dataclass(frozen=True, slots=True)
class Drain:
    """A node sends nothing new to a target, and waits for what is in flight."""

    node: str
    target: str


@dataclass(frozen=True, slots=True)
class Cut:
    """A node closes its connections to a target, with whatever is in flight."""

    node: str
    target: str


@dataclass(frozen=True, slots=True)
class Deregistered:
    """No node has anything to do with a target any more."""

    target: str


Action = Check | Drain | Cut | Deregistered


def start(policy: Policy, nodes_per_zone: int = 1) -> Balancer:
    """A load balancer with a node or more in each enabled zone, and no target."""
    nodes = tuple(Node(f"{zone}/{n + 1}", zone) for zone in policy.zones for n in range(nodes_per_zone))
    return Balancer(policy, nodes)


def register(
    state: Balancer, target: RegisteredTarget, now: float, chance: Random, *, in_service: bool = False
) -> Balancer:
    """A target is registered, also one that drains. Nothing changes for one that is registered already.

    One that a balancer knew as `in_service` before it was started again stays so until its checks say otherwise.
    """
    member = state.members.get(target.id)
    if member is not None and not member.leaving and member.target == target:
        return state
    number = state.registrations + 1
    begin = _serving if in_service else _learning
    watches = {node.id: begin(state.policy, now, chance) for node in state.nodes if routes_to(state, node, target)}
    members = {**state.members, target.id: Member(target, number, watches)}
    return replace(state, members=members, registrations=number)


def deregister(state: Balancer, target: str, now: float, chance: Random) -> Balancer:
    """A target is deregistered: each node learns of it in its own time. Nothing changes for an unknown one."""
    member = state.members.get(target)
    if member is None or member.leaving:
        return state
    watches = {
        node: replace(watch, leaves_at=leaves_at(state.policy.delays, now, chance))
        for node, watch in member.watches.items()
    }
    return _with(state, replace(member, watches=watches, leaving=True))


def add_node(state: Balancer, node: Node, now: float, chance: Random) -> Balancer:
    """A node comes up; it has yet to learn of every target."""
    members = {
        id_: replace(member, watches={**member.watches, node.id: _learning(state.policy, now, chance)})
        if not member.leaving and routes_to(state, node, member.target)
        else member
        for id_, member in state.members.items()
    }
    return replace(state, nodes=(*state.nodes, node), members=members)


def lose_node(state: Balancer, node: str) -> Balancer:
    """A node is gone, with all that it knew."""
    members = {
        id_: replace(member, watches={name: watch for name, watch in member.watches.items() if name != node})
        for id_, member in state.members.items()
    }
    return replace(state, nodes=tuple(each for each in state.nodes if each.id != node), members=members)


def reconfigured(state: Balancer, policy: Policy, now: float, chance: Random) -> Balancer:
    """The load balancer gets other settings. What its nodes know of targets they keep.

    A zone that is enabled gets a node, one that is disabled loses its own. A node that may route to more targets than
    before learns of them; of those that it may no longer route to it forgets everything.
    """
    nodes = tuple(node for node in state.nodes if node.zone in policy.zones)
    new = tuple(Node(f"{zone}/1", zone) for zone in policy.zones if all(node.zone != zone for node in nodes))
    state = replace(state, policy=policy, nodes=(*nodes, *new))
    members = {
        id_: replace(member, watches=_rewatched(state, member, now, chance)) for id_, member in state.members.items()
    }
    return replace(state, members=members)


@cites(ELB_GUIDE + "config-conn-drain.html")
def checked(
    state: Balancer, node: str, target: str, number: int, result: CheckResult, now: float
) -> tuple[Balancer, tuple[Action, ...]]:
    """A target that fails keeps what is in flight, without a limit; with draining off its connections are closed.

    A check of an earlier registration, or of a node that is gone, counts for nothing.
    """
    member = state.members.get(target)
    if member is None or member.number != number or node not in member.watches:
        return state, ()
    before = member.watches[node]
    after = judged(before, result, state.policy.check, now)
    state = _with(state, _watched(member, node, after))
    fell = before.phase is Phase.IN_SERVICE and after.phase is Phase.OUT_OF_SERVICE
    return state, (Cut(node, target),) if fell and state.policy.drain is None else ()


def drained(state: Balancer, node: str, target: str) -> Balancer:
    """Nothing is in flight any more from a node to a target that drains."""
    member = state.members.get(target)
    if member is None or node not in member.watches or member.watches[node].phase is not Phase.DRAINING:
        return state
    return _with(state, _watched(member, node, replace(member.watches[node], phase=Phase.GONE)))


def step(state: Balancer, now: float, chance: Random) -> tuple[Balancer, tuple[Action, ...]]:
    """Does what is due: nodes learn, checks begin, drains begin and end, deregistrations are over."""
    actions: list[Action] = []
    members = dict(state.members)
    for id_, member in state.members.items():
        watches = dict(member.watches)
        for node, watch in member.watches.items():
            if _due(watch) <= now:
                watches[node], done = _turned(state.policy, member, node, watch, now, chance)
                actions += done
                member = replace(member, watches=watches)  # noqa: PLW2901 - the member as it is now
        if member.leaving and all(watch.phase is Phase.GONE for watch in member.watches.values()):
            del members[id_]
            actions.append(Deregistered(id_))
        else:
            members[id_] = member
    return replace(state, members=members), tuple(actions)


def due(state: Balancer) -> float:
    """When `step` has something to do, infinity if never."""
    return min((_due(watch) for member in state.members.values() for watch in member.watches.values()), default=NEVER)


def in_service(state: Balancer, node: str) -> tuple[str, ...]:
    """The targets that a node has in service, in the order of their registration."""
    return tuple(id_ for id_, member in state.members.items() if _phase(member, node) is Phase.IN_SERVICE)


@cites(ELB_GUIDE + "enable-disable-crosszone-lb.html")
def routes_to(state: Balancer, node: Node, target: RegisteredTarget) -> bool:
    """A node routes to the targets of its own zone, with cross-zone balancing to those of every enabled zone."""
    return target.zone in state.policy.zones and (state.policy.cross_zone or target.zone == node.zone)


@cites(ELB_GUIDE + "ts-elb-register-instance.html")
def learns_at(delays: Delays, registered_at: float, chance: Random) -> float:
    """The first steps of a registration take up to some 30 seconds; only then do the checks begin."""
    return registered_at + chance.uniform(0, delays.registration)


@inferred("the nodes are many machines; access logs show requests for some seconds after a deregistration")
def leaves_at(delays: Delays, deregistered_at: float, chance: Random) -> float:
    """Each node learns of a deregistration in its own time, within some seconds, and goes on routing until then."""
    return deregistered_at + chance.uniform(0, delays.deregistration)


@cites(ELB_GUIDE + "config-conn-drain.html")
def leave(policy: Policy, node: str, target: str, watch: Watch, now: float) -> tuple[Watch, tuple[Action, ...]]:
    """A target that is deregistered gets nothing new and drains until nothing is in flight, or the limit is over; with
    draining off its connections are closed at once."""
    if policy.drain is None or watch.phase is Phase.DRAINING:
        return replace(watch, phase=Phase.GONE), (Cut(node, target),)
    return replace(watch, phase=Phase.DRAINING, turns_at=now + policy.drain), (Drain(node, target),)


def _turned(
    policy: Policy, member: Member, node: str, watch: Watch, now: float, chance: Random
) -> tuple[Watch, tuple[Action, ...]]:
    """One watch moved to the present, where something is due."""
    if watch.phase is Phase.DRAINING or (watch.leaves_at is not None and watch.leaves_at <= now):
        return leave(policy, node, member.target.id, watch, now)
    if watch.phase is Phase.REGISTERING:
        return replace(watch, phase=Phase.INITIAL, check_at=first_check_at(now, policy.check, chance)), ()
    watch = replace(watch, check_at=next_check_at(now, policy.check, chance))
    return watch, (Check(node, member.target, member.number),)


def _due(watch: Watch) -> float:
    leaves_at = NEVER if watch.leaves_at is None else watch.leaves_at
    if watch.phase in CHECKED:
        return min(watch.check_at, leaves_at)
    if watch.phase is Phase.REGISTERING:
        return min(watch.turns_at, leaves_at)
    return watch.turns_at if watch.phase is Phase.DRAINING else NEVER


def _learning(policy: Policy, now: float, chance: Random) -> Watch:
    return Watch(Phase.REGISTERING, turns_at=learns_at(policy.delays, now, chance), check_at=NEVER)


def _serving(policy: Policy, now: float, chance: Random) -> Watch:
    return Watch(Phase.IN_SERVICE, turns_at=NEVER, check_at=first_check_at(now, policy.check, chance), since=now)


def _rewatched(state: Balancer, member: Member, now: float, chance: Random) -> dict[str, Watch]:
    """A member's watches by the nodes that there are; one that leaves gets no new ones."""
    return {
        node.id: member.watches[node.id] if node.id in member.watches else _learning(state.policy, now, chance)
        for node in state.nodes
        if routes_to(state, node, member.target) and (node.id in member.watches or not member.leaving)
    }


def _phase(member: Member, node: str) -> Phase:
    watch = member.watches.get(node)
    return Phase.GONE if watch is None else watch.phase


def _watched(member: Member, node: str, watch: Watch) -> Member:
    return replace(member, watches={**member.watches, node: watch})


def _with(state: Balancer, member: Member) -> Balancer:
    return replace(state, members={**state.members, member.target.id: member})
