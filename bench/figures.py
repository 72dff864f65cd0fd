"""The figures as values, and how the figures of several rounds are combined. Pure."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import TypeVar

_MOST = {"over_rounds": max}


def percentile(ordered: Sequence[float], percent: float) -> float:
    """The nearest-rank percentile of values in ascending order; NaN if there are none."""
    if not ordered:
        return math.nan
    return ordered[max(math.ceil(len(ordered) * percent / 100), 1) - 1]


@dataclass(frozen=True)
class Publishing:
    """One side's API under load. Cores are CPU seconds per second. Errors are those of the worst round."""

    per_second: float
    p50_ms: float
    p99_ms: float
    sends_per_email: float
    service_cores: float
    stub_cores: float
    load_cores: float
    errors: int = field(metadata=_MOST)


@dataclass(frozen=True)
class Draining:
    """One side's worker on a full queue. Calls are per e-mail."""

    per_second: float
    receives: float
    puts: float
    deletes: float
    service_cores: float
    stub_cores: float
    exactly_once: bool = field(metadata={"over_rounds": all})
    """True if every e-mail was received, stored and deleted exactly once."""


@dataclass(frozen=True)
class Together:
    """One side's API and worker at once, under load. Calls are per e-mail that was published or drained."""

    published_per_second: float
    drained_per_second: float
    sends: float
    receives: float
    puts: float
    deletes: float


@dataclass(frozen=True)
class Memory:
    """Resident MiB of each service's processes: the largest value after any round."""

    api_mib: float = field(metadata=_MOST)
    worker_mib: float = field(metadata=_MOST)


@dataclass(frozen=True)
class Side:
    """All figures of one side. `publishing` is by the number of clients."""

    publishing: Mapping[int, Publishing]
    draining: Draining
    together: Together
    memory: Memory


@dataclass(frozen=True)
class Figures:
    """The figures of one run.

    `call_ms` is the duration of one SendMessage, measured by the load generator. `others_cores` is the CPU seconds per
    second that other programs used meanwhile.
    """

    call_ms: float
    others_cores: float
    plain: Side
    product: Side


Measured = TypeVar("Measured", Publishing, Draining, Together, Memory)


def over_rounds(rounds: Sequence[Measured]) -> Measured:
    """The median of each figure. A field with `over_rounds` metadata is combined by that function instead."""
    first = rounds[0]
    return type(first)(
        **{
            one.name: one.metadata.get("over_rounds", statistics.median)(getattr(each, one.name) for each in rounds)
            for one in fields(first)
        }
    )
