"""The record of a trial: second by second what clients saw and which tasks there were, and what ECS said."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sim.client.load import Exchange, percentile
from sim.trial.looks import Look, serving
from sim.trial.scenario import Ending

_ENDINGS: Mapping[str, Ending] = {
    "SUCCESSFUL": Ending.DEPLOYED,
    "ROLLBACK_SUCCESSFUL": Ending.ROLLED_BACK,
    "ROLLBACK_FAILED": Ending.STOPPED,
    "STOPPED": Ending.STOPPED,
}


def ending_of(status: str) -> Ending:
    """How a service deployment with this status has ended; NO_END if it has not."""
    return _ENDINGS.get(status, Ending.NO_END)


@dataclass(frozen=True, slots=True)
class Event:
    """What happened, at so many seconds after the deployment began: an event of the service, or an act of the trial."""

    second: int
    text: str


@dataclass(frozen=True, slots=True)
class Second:
    """One second of a trial; `second` is 0 as the deployment begins, and negative before.

    Requests count in the second in which they were sent; `failed` counts them by kind. Times are in milliseconds, None
    without a request. Tasks are as the last look saw them.
    """

    second: int
    ok: int = 0
    failed: Mapping[str, int] | None = None
    p50_ms: int | None = None
    p99_ms: int | None = None
    old_running: int = 0
    old_serving: int = 0
    new_running: int = 0
    new_serving: int = 0


@dataclass(frozen=True, slots=True)
class Record:
    """What came of a trial. `took_seconds` is from the order of the deployment to its end, or to the end of the trial.

    `percents_broken` has a sentence for each look that broke minimum healthy or maximum percent.
    """

    ending: Ending
    reason: str
    took_seconds: float
    seconds: tuple[Second, ...]
    events: tuple[Event, ...]
    percents_broken: tuple[str, ...] = ()

    @property
    def requests(self) -> int:
        """All requests that have an end."""
        return sum(each.ok for each in self.seconds) + self.failed

    @property
    def failed(self) -> int:
        """How many requests failed."""
        return self.failures.total()

    @property
    def failures(self) -> Counter[str]:
        """How many requests failed, by kind."""
        counts: Counter[str] = Counter()
        for each in self.seconds:
            counts.update(each.failed or {})
        return counts

    @property
    def outage_seconds(self) -> int:
        """The seconds in which requests were sent and none was answered well."""
        return sum(1 for each in self.seconds if each.failed and not each.ok)

    @property
    def fewest_serving(self) -> int:
        """The fewest tasks that served in any second since the deployment began."""
        return min((each.old_serving + each.new_serving for each in self.seconds if each.second >= 0), default=0)


def per_second(exchanges: Sequence[Exchange], looks: Sequence[Look], began: float) -> tuple[Second, ...]:
    """Each second from the first to the last request or look. The deployment began at `began` of the same clock.

    What the first look saw counts for the seconds before it, too: the load begins earlier.
    """
    sent: dict[int, list[Exchange]] = {}
    for exchange in exchanges:
        sent.setdefault(math.floor(exchange.began - began), []).append(exchange)
    seen = {math.floor(look.at - began): _tasks(look, serve) for look, serve in zip(looks, serving(looks), strict=True)}
    moments = {*sent, *seen}
    if not moments:
        return ()
    seconds, tasks = [], seen[min(seen)] if seen else (0, 0, 0, 0)
    for number in range(min(moments), max(moments) + 1):
        tasks = seen.get(number, tasks)
        seconds.append(_second(number, sent.get(number, ()), tasks))
    return tuple(seconds)


def _second(number: int, sent: Sequence[Exchange], tasks: tuple[int, int, int, int]) -> Second:
    failed = Counter(each.failure for each in sent if each.failure)
    times = [each.seconds for each in sent]
    p50, p99 = (None if (of := percentile(times, share)) is None else round(1000 * of) for share in (0.5, 0.99))
    return Second(number, len(sent) - failed.total(), dict(failed), p50, p99, *tasks)


def _tasks(look: Look, serve: frozenset[str]) -> tuple[int, int, int, int]:
    counts = []
    for new in (False, True):
        of = look.of(new=new)
        counts += [len(of), sum(each.arn in serve for each in of)]
    old_running, old_serving, new_running, new_serving = counts
    return old_running, old_serving, new_running, new_serving
