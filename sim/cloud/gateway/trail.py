"""The trail: one JSON object a line for each AWS call that ended. Pure."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class TrailEntry:
    """One call through the gateway."""

    caller: str
    service: str
    operation: str
    outcome: str
    """The status of the answer. Without an answer `reset` if the call was not done, `lost` if it was, and `gone` if the
    caller did not wait."""
    faults: tuple[str, ...]
    """Those that hit it."""
    started: float
    """In Unix seconds."""
    milliseconds: float

    def line(self) -> str:
        """As a line, without its end."""
        return json.dumps(asdict(self))


@dataclass(frozen=True)
class TrailSummary:
    """How many calls there were of what."""

    calls: Mapping[str, int]
    """By caller and operation, such as `api SendMessageBatch`."""
    faults: Mapping[str, int]
    """By fault and operation, such as `throttle SendMessageBatch`."""
    requests: int
    """The calls that reached AWS, which bills them."""


def read(lines: Iterable[str]) -> Iterator[TrailEntry]:
    """The entries in lines; lines of other kinds are left out."""
    for line in lines:
        if line.startswith("{"):
            document = json.loads(line)
            yield TrailEntry(**{**document, "faults": tuple(document["faults"])})


def summarize(entries: Iterable[TrailEntry]) -> TrailSummary:
    """Counts calls, faults and requests."""
    calls: Counter[str] = Counter()
    faults: Counter[str] = Counter()
    requests = 0
    for entry in entries:
        calls[f"{entry.caller} {entry.operation}"] += 1
        requests += entry.outcome != "reset"
        faults.update(f"{fault} {entry.operation}" for fault in entry.faults)
    return TrailSummary(dict(sorted(calls.items())), dict(sorted(faults.items())), requests)
