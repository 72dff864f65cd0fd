"""The trail: one JSON object a line for each AWS call that ended. Pure."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Passage:
    """One call through the gateway."""

    caller: str
    service: str
    operation: str
    outcome: str
    """The status that the caller was answered; `reset` where it was none, `lost` where the call was done though,
    `gone` where the caller did not wait for it."""
    faults: tuple[str, ...]
    """What befell it."""
    started: float
    """In Unix seconds."""
    milliseconds: float

    def line(self) -> str:
        """As a line, without its end."""
        return json.dumps(asdict(self))


@dataclass(frozen=True)
class Summary:
    """Of many passages."""

    calls: Mapping[str, int]
    """By caller and operation, such as `api SendMessageBatch`."""
    faults: Mapping[str, int]
    """By fault and operation, such as `throttle SendMessageBatch`."""
    requests: int
    """All that AWS would bill: those that reached it."""


def read(lines: Iterable[str]) -> Iterator[Passage]:
    """The passages in lines; what else a log has is passed over."""
    for line in lines:
        if line.startswith("{"):
            document = json.loads(line)
            yield Passage(**{**document, "faults": tuple(document["faults"])})


def summarize(passages: Iterable[Passage]) -> Summary:
    """How many there were of what."""
    calls: Counter[str] = Counter()
    faults: Counter[str] = Counter()
    requests = 0
    for passage in passages:
        calls[f"{passage.caller} {passage.operation}"] += 1
        requests += passage.outcome != "reset"
        faults.update(f"{fault} {passage.operation}" for fault in passage.faults)
    return Summary(dict(sorted(calls.items())), dict(sorted(faults.items())), requests)
