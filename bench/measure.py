"""Takes the measurements of the two contestants in turns, so that changes of the machine's speed affect both."""

from __future__ import annotations

import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import product

from bench import contestants, load
from bench.account import Ledger
from bench.children import Child, others_cpu_seconds
from bench.contestants import PLAIN, PRODUCT, Api, Aws
from bench.figures import Draining, Figures, Memory, Publishing, Side, Together, over_rounds

TOGETHER_CLIENTS = 64
_BOTH = (PLAIN, PRODUCT)


@dataclass(frozen=True)
class Schedule:
    """How much to measure: the number of rounds, and the seconds of warm-up and of counting for each load."""

    clients: tuple[int, ...] = (1, 16, 64, 256)
    rounds: int = 3
    warm_up: float = 1.0
    seconds: float = 3.0
    drain_share: float = 1.0
    """The share of a contestant's e-mails that a drain uses."""

    @property
    def steps(self) -> int:
        """The number of measurements."""
        return self.rounds * (1 + len(_BOTH) * (len(self.clients) + 2))


QUICK = Schedule(rounds=1, warm_up=0.3, seconds=1.0, drain_share=0.3)


@dataclass
class _Rounds:
    """The measurements of one contestant so far."""

    publishing: dict[int, list[Publishing]] = field(default_factory=lambda: defaultdict(list))
    draining: list[Draining] = field(default_factory=list)
    together: list[Together] = field(default_factory=list)
    memory: list[Memory] = field(default_factory=list)

    def side(self) -> Side:
        return Side(
            publishing={clients: over_rounds(rounds) for clients, rounds in self.publishing.items()},
            draining=over_rounds(self.draining),
            together=over_rounds(self.together),
            memory=over_rounds(self.memory),
        )


def measure(schedule: Schedule, *, delay_ms: float, step: Callable[[str], None]) -> Figures:
    """Starts everything, measures, and ends everything. Calls `step` with the name of each measurement.

    Raises BenchError if a child does not start or does not go on.
    """
    calls: list[float] = []
    rounds = {each: _Rounds() for each in _BOTH}
    with ExitStack() as stack:
        others = stack.enter_context(_cores(others_cpu_seconds))
        stubs = {each: stack.enter_context(contestants.aws(delay_ms)) for each in _BOTH}
        apis = {each: stack.enter_context(contestants.api(each, stubs[each])) for each in _BOTH}
        for _ in range(schedule.rounds):
            step("one AWS call")
            calls.append(_load(stubs[PRODUCT].send_message(), 1, schedule).p50_ms)
            for clients, each in product(schedule.clients, _BOTH):
                step(f"{each.name}: publishing, {clients} clients")
                rounds[each].publishing[clients].append(_publish(stubs[each], apis[each], clients, schedule))
        workers = {each: stack.enter_context(contestants.worker(each, stubs[each])) for each in _BOTH}
        for _ in range(schedule.rounds):
            for each in _BOTH:
                step(f"{each.name}: draining")
                emails = round(each.drain * schedule.drain_share)
                rounds[each].draining.append(_drain(stubs[each], workers[each], emails))
            for each in _BOTH:
                step(f"{each.name}: publishing and draining, {TOGETHER_CLIENTS} clients")
                rounds[each].together.append(_together(stubs[each], apis[each], schedule))
                memory = Memory(apis[each].child.resident_mib(), workers[each].resident_mib())
                rounds[each].memory.append(memory)
    return Figures(statistics.median(calls), others.used, rounds[PLAIN].side(), rounds[PRODUCT].side())


def _load(target: load.Target, clients: int, schedule: Schedule) -> load.Load:
    return load.run(target, clients, warm_up=schedule.warm_up, seconds=schedule.seconds)


def _publish(aws: Aws, api: Api, clients: int, schedule: Schedule) -> Publishing:
    aws.settle()
    with _cores(api.child.cpu_seconds) as service, _cores(aws.child.cpu_seconds) as stub:
        result = _load(api.publish(), clients, schedule)
    ledger = aws.ledger()
    return Publishing(
        per_second=result.per_second,
        p50_ms=result.p50_ms,
        p99_ms=result.p99_ms,
        sends_per_email=_calls(ledger, "SendMessage") / max(ledger.sent, 1),
        service_cores=service.used,
        stub_cores=stub.used,
        load_cores=result.cores,
        errors=result.errors,
    )


def _drain(aws: Aws, worker: Child, emails: int) -> Draining:
    aws.settle()
    with _cores(worker.cpu_seconds) as service, _cores(aws.child.cpu_seconds) as stub:
        aws.seed(emails)
        worker.wait_until(lambda: _drained(aws.ledger()), "end to its drain")
    ledger = aws.ledger()
    return Draining(
        per_second=emails / ledger.drain_seconds,
        receives=ledger.calls["ReceiveMessage"] / emails,
        puts=ledger.calls["PutObject"] / emails,
        deletes=_calls(ledger, "DeleteMessage") / emails,
        service_cores=service.used,
        stub_cores=stub.used,
        exactly_once=ledger.stored_exactly(emails),
    )


def _together(aws: Aws, api: Api, schedule: Schedule) -> Together:
    aws.settle()
    started = time.monotonic()
    result = _load(api.publish(), TOGETHER_CLIENTS, schedule)
    ledger, elapsed = aws.ledger(), time.monotonic() - started
    return Together(
        published_per_second=result.per_second,
        drained_per_second=ledger.deleted / elapsed,
        sends=_calls(ledger, "SendMessage") / max(ledger.sent, 1),
        receives=ledger.calls["ReceiveMessage"] / max(ledger.received, 1),
        puts=ledger.put / max(ledger.objects, 1),
        deletes=_calls(ledger, "DeleteMessage") / max(ledger.deleted, 1),
    )


def _drained(ledger: Ledger) -> bool:
    return ledger.received > 0 and ledger.waiting == ledger.in_flight == 0


def _calls(ledger: Ledger, operation: str) -> int:
    """The number of calls of an operation, single and in batches."""
    return ledger.calls.get(operation, 0) + ledger.calls.get(f"{operation}Batch", 0)


@dataclass
class _Cores:
    used: float = field(default=0.0)


@contextmanager
def _cores(cpu_seconds: Callable[[], float]) -> Iterator[_Cores]:
    """Measures the CPU seconds per second that are used within the block."""
    cores = _Cores()
    before, started = cpu_seconds(), time.monotonic()
    yield cores
    cores.used = (cpu_seconds() - before) / (time.monotonic() - started)
