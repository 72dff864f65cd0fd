"""Takes the measurements of the two contestants in turns, so that changes of the machine's speed affect both."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import product
from statistics import median

from bench import contestants, load
from bench.contestants import PLAIN, PRODUCT, Aws, Contestant, resident_mib
from bench.sample import publish_body
from sim.cloud.http import Request
from sim.errors import SimError

Figures = Mapping[str, float]
"""By what was measured, such as `publishes a second, 64 clients`."""

_BOTH = (PLAIN, PRODUCT)
MANY = 64
_CLIENTS = (1, 16, MANY, 256)
PUBLISH = Request(b"POST", b"/publish", [(b"Host", b"api"), (b"Content-Type", b"application/json")], publish_body())
_DRAIN_SECONDS = 120


class NotExactlyOnce(SimError):
    """A worker did not store each e-mail once, so its figures mean nothing."""


@dataclass(frozen=True)
class Schedule:
    """How much to measure. Times in seconds, for each load; `drain_share` is the part of a drain's e-mails."""

    rounds: int = 3
    warm_up: float = 2.0
    seconds: float = 3.0
    drain_share: float = 1.0


QUICK = Schedule(rounds=1, warm_up=0.5, seconds=1.0, drain_share=0.3)


def measure(schedule: Schedule, *, delay_ms: float, progress: Callable[[str], None]) -> dict[str, Figures]:
    """The medians of all rounds, by the name of the contestant. Raises NotExactlyOnce, NotServed or TimedOut."""
    rounds: list[dict[str, dict[str, float]]] = [{each.name: {} for each in _BOTH} for _ in range(schedule.rounds)]
    with ExitStack() as stack:
        stubs = {each: stack.enter_context(contestants.aws(delay_ms, f"aws-of-{each.name}")) for each in _BOTH}
        apis = {each: stack.enter_context(contestants.api(each, stubs[each])) for each in _BOTH}
        for number, figures in enumerate(rounds, 1):
            for clients, each in product(_CLIENTS, _BOTH):
                progress(f"round {number}: {each.name}, {clients} clients")
                figures[each.name] |= _publishing(stubs[each], apis[each][1], clients, schedule)
        workers = {each: stack.enter_context(contestants.worker(each, stubs[each])) for each in _BOTH}
        for number, figures in enumerate(rounds, 1):
            for each in _BOTH:
                progress(f"round {number}: {each.name}, a full queue")
                figures[each.name] |= _draining(each, stubs[each], schedule)
                figures[each.name]["API, resident MiB"] = resident_mib(apis[each][0])
                figures[each.name]["worker, resident MiB"] = resident_mib(workers[each])
    return {
        each.name: {figure: median(round_[each.name][figure] for round_ in rounds) for figure in rounds[0][each.name]}
        for each in _BOTH
    }


def _publishing(aws: Aws, port: int, clients: int, schedule: Schedule) -> dict[str, float]:
    before = aws.counts()
    result = load.run(port, PUBLISH, clients, warm_up=schedule.warm_up, seconds=schedule.seconds)
    after = aws.counts()
    sends = after["SendMessage"] - before.get("SendMessage", 0)
    by = f"{clients} client{'s' if clients > 1 else ''}"
    return {
        f"publishes a second, {by}": result.per_second,
        f"p50 of a publish in ms, {by}": result.percentile_ms(50),
        f"p99 of a publish in ms, {by}": result.percentile_ms(99),
        f"failed publishes, {by}": result.failed,
        f"SQS sends an e-mail, {by}": sends / (after["sent"] - before["sent"]),
    }


def _draining(contestant: Contestant, aws: Aws, schedule: Schedule) -> dict[str, float]:
    emails = round(contestant.drain * schedule.drain_share)
    before = aws.counts()
    began = time.monotonic()
    aws.send(emails)
    aws.drain(_DRAIN_SECONDS)
    seconds = time.monotonic() - began
    done = {name: count - before.get(name, 0) for name, count in aws.counts().items()}
    if not done["objects"] == done["PutObject"] == done["deleted"] == emails:
        raise NotExactlyOnce(f"the {contestant.name} worker made of {emails} e-mails in the queue: {done}")
    return {
        "e-mails drained a second": emails / seconds,
        "SQS receives an e-mail": done["ReceiveMessage"] / emails,
        "SQS deletes an e-mail": done["DeleteMessage"] / emails,
    }
