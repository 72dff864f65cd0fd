"""Where the next request goes: one choice, of what a node may route to, in a few microseconds.

The shell keeps three things for each node: `targets`, which the health machine gives it whenever they change;
`outstanding`, how many requests each target has in hand; and `turn`, how many choices it has made. `route` decides
about a request over HTTP, `route_connection` about a connection over TCP. Both take the targets that refused to connect
(`tried`), and how many wait. They return `Send`, or `Queue` (ask again when something changes, and give up at the idle
timeout), or what the client gets at once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sim.cluster.balancer.answers import AT_CAPACITY, OwnAnswer
from sim.cluster.citations import ELB_GUIDE, cites, inferred

SURGE_QUEUE: Final = 1024
SURGE_SECONDS: Final = 1.0
"""How long a request waits in the surge queue before it is tried again; no page says it."""
CONNECT_SECONDS: Final = 3.0
"""Until a connection to a machine that is gone is given up; no page says it."""
_WORKS: Final = (
    "https://docs.aws.amazon.com/elasticloadbalancing/latest/userguide/how-elastic-load-balancing-works.html"
)


@dataclass(frozen=True, slots=True)
class Send:
    """To this target."""

    target: str


@dataclass(frozen=True, slots=True)
class Queue:
    """In the surge queue, until a target can be connected to."""


@dataclass(frozen=True, slots=True)
class Close:
    """The connection is closed without a word."""


_QUEUE: Final = Queue()
_CLOSE: Final = Close()


def route(
    targets: Sequence[str],
    outstanding: Mapping[str, int],
    turn: int,
    *,
    tried: Collection[str] = (),
    waiting: int = 0,
    sticky: str | None = None,
) -> Send | Queue | OwnAnswer:
    """Where a request goes over HTTP. `sticky` is the target that its cookie names."""
    if not targets:
        return nowhere()
    if tried:
        targets = left_to_try(targets, tried)
        if not targets:
            return AT_CAPACITY if spills(waiting) else _QUEUE
    if sticky is not None and sticky in targets:
        return Send(sticky)
    return Send(least_outstanding(targets, outstanding, turn))


def route_connection(
    targets: Sequence[str], turn: int, *, tried: Collection[str] = (), waiting: int = 0
) -> Send | Queue | Close:
    """Where a connection goes over TCP."""
    if not targets:
        return _CLOSE
    if tried:
        targets = left_to_try(targets, tried)
        if not targets:
            return _CLOSE if spills(waiting) else _QUEUE
    return Send(in_turn(targets, turn))


@cites(_WORKS)
def least_outstanding(targets: Sequence[str], outstanding: Mapping[str, int], turn: int) -> str:
    """A request over HTTP goes to the target with the fewest requests outstanding from this node."""
    fewest, number = "", -1
    for target in _turned(targets, turn):
        has = outstanding.get(target, 0)
        if has == 0:
            return target
        if number < 0 or has < number:
            fewest, number = target, has
    return fewest


@cites(_WORKS)
def in_turn(targets: Sequence[str], turn: int) -> str:
    """A connection over TCP goes to the targets in turn."""
    return targets[turn % len(targets)]


@inferred("with little load most targets have nothing outstanding, and accounts see them get equal shares")
def _turned(targets: Sequence[str], turn: int) -> Sequence[str]:
    """Among targets with equally many outstanding it is their turn that counts."""
    first = turn % len(targets)
    return (*targets[first:], *targets[:first]) if first else targets


@cites(ELB_GUIDE + "elb-cloudwatch-metrics.html")
def left_to_try(targets: Sequence[str], tried: Collection[str]) -> Sequence[str]:
    """A connection that fails is tried again, with the other targets first; a request that was sent is not."""
    return [target for target in targets if target not in tried]


@cites(ELB_GUIDE + "elb-cloudwatch-metrics.html")
def spills(waiting: int) -> bool:
    """1,024 requests wait for a target that can be connected to; one more is refused, and counts as spillover."""
    return waiting >= SURGE_QUEUE


@cites(ELB_GUIDE + "ts-elb-error-message.html")
def nowhere() -> OwnAnswer:
    """Without a target in service a request is answered with 503 at once, and a connection over TCP is closed."""
    return AT_CAPACITY
