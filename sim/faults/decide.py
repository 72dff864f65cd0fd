"""Which faults hit: functions of the plan and of which call, or which moment, it is."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from sim.faults.plan import FaultPlan, Rule

_Choice = TypeVar("_Choice")
_RANGE = 2**64


@dataclass(frozen=True)
class Hit:
    """A rule that hits. `key` is what decided so."""

    rule: Rule
    key: str

    def draw(self, purpose: str = "") -> float:
        """A number from 0 to below 1 for something that the fault leaves open; the same for the same purpose."""
        return draw(self.key, purpose)

    def choice(self, purpose: str, among: Sequence[_Choice]) -> _Choice:
        """One of these, which must not be none, for something that the fault leaves open."""
        return among[int(self.draw(purpose) * len(among))]


@dataclass(frozen=True)
class Moment:
    """A scheduled fault, `at` seconds from the start of the plan."""

    at: float
    hit: Hit


def draw(*key: str) -> float:
    """A number from 0 to below 1 that follows from the key alone; over many keys, evenly spread."""
    return int.from_bytes(hashlib.blake2b("\0".join(key).encode(), digest_size=8).digest()) / _RANGE


def hits(plan: FaultPlan, caller: str, service: str, operation: str, ordinal: int, at: float) -> tuple[Hit, ...]:
    """The faults that hit a call, in the order of the plan.

    `ordinal` counts the calls of this operation by this caller from 0, `at` is in seconds from the plan's start.
    """
    if plan.seconds is not None and at >= plan.seconds:
        return ()
    return tuple(
        hit
        for number, rule in enumerate(plan.rules)
        if not rule.scheduled and rule.active(at) and rule.concerns(caller, service, operation)
        for hit in [Hit(rule, f"{plan.seed}/{number}/{caller}/{service}/{operation}/{ordinal}")]
        if hit.draw("hits") < rule.probability
    )


class Decisions:
    """`hits` for calls one after the other: keeps count of them."""

    def __init__(self, plan: FaultPlan) -> None:
        self.plan = plan
        self._calls: Counter[tuple[str, str, str]] = Counter()

    def hits(self, caller: str, service: str, operation: str, at: float) -> tuple[Hit, ...]:
        """The faults that hit the next call of this operation by this caller."""
        kind = (caller, service, operation)
        ordinal = self._calls[kind]
        self._calls[kind] += 1
        return hits(self.plan, caller, service, operation, ordinal, at)


def moments(plan: FaultPlan, seconds: float = math.inf) -> list[Moment]:
    """The scheduled faults of a plan, in the order of their times.

    `seconds` bounds a plan that has no end of its own; a rule with `every` and no end at all raises ValueError.
    """
    end = min(seconds, math.inf if plan.seconds is None else plan.seconds)
    found = [
        Moment(at, hit)
        for number, rule in enumerate(plan.rules)
        if rule.scheduled
        for turn, at in enumerate(_times(rule, end))
        for hit in [Hit(rule, f"{plan.seed}/{number}/{turn}")]
        if hit.draw("hits") < rule.probability
    ]
    return sorted(found, key=lambda moment: moment.at)


def failing(hit: Hit, entries: Iterable[str]) -> frozenset[str]:
    """Which entries of a batch fail, by id: each with even odds, and one for certain."""
    drawn = {entry: hit.draw(f"entry {entry}") for entry in entries}
    half = 0.5
    return frozenset(entry for entry, number in drawn.items() if number < half or number == min(drawn.values()))


def _times(rule: Rule, end: float) -> Iterator[float]:
    last = end if rule.until is None else min(end, rule.until)
    if rule.every is None:
        yield from [rule.since] if rule.since < last else []
        return
    if last == math.inf:
        raise ValueError(f"{rule.fault} comes every {rule.every:g} s without an end: bound it")
    for turn in range(max(0, math.ceil((last - rule.since) / rule.every))):
        yield rule.since + turn * rule.every
