"""The way from a service to AWS and back, in virtual time.

A call leaves its caller, arrives, is done, and its answer returns; each takes its time, and anything may happen
meanwhile. What was sent goes on without its caller: when that crashes, its calls may be done all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from services.pipeline.aws import CONNECT_TIMEOUT_SECONDS
from sim.aws import wire
from sim.aws.errors import COMMON_ERRORS, error_of
from sim.aws.model import Answer, AwsError, Freedom, Item, Wait
from sim.faults.decide import Hit, failing
from sim.faults.plan import Fault
from sim.world.virtual_time import EPOCH

if TYPE_CHECKING:
    from random import Random

    from sim.aws.account import Account
    from sim.aws.wire import Attempt
    from sim.world.nemesis import Nemesis
    from sim.world.scheduler import Scheduler, Task

_CALL_SECONDS = 0.02
"""What a call takes on average, to and fro."""
_WAYS = (Fault.PARTITION, Fault.RESET_PEER, *map(Fault, COMMON_ERRORS), Fault.ANSWER_LOST)
"""Of these the first that hits a call decides what becomes of it."""
_CHANGES = frozenset({"SendMessageBatch", "ChangeMessageVisibilityBatch"})
"""What may give a long poll something to look at."""
_FREEDOMS = {
    Freedom.EMPTY_RECEIVE: Fault.EMPTY_RECEIVE,
    Freedom.REORDERING: Fault.REORDERING,
    Freedom.DUPLICATE_DELIVERY: Fault.DUPLICATE_DELIVERY,
    Freedom.DELETE_NOT_STICKING: Fault.DUPLICATE_DELIVERY,
    Freedom.DELAYED_DELIVERY: Fault.DELAYED_DELIVERY,
}
_EVEN = 0.5


class Watcher(Protocol):
    """Sees what was done in AWS: the answer is the one that AWS gave, whether or not it arrived."""

    def done(self, call: Attempt, answer: Answer | AwsError) -> None: ...
    def on_fault(self, fault: Fault, caller: str, operation: str) -> None: ...


@dataclass(eq=False)
class _Flight:
    """A call under way."""

    call: Attempt
    task: Task
    hits: Mapping[Fault, Hit]
    way: Fault | None
    answer: Answer | AwsError | None = None
    abandoned: bool = False
    """Nobody waits for the answer."""
    dropped: bool = False
    """It will not arrive."""
    done: bool = False
    """AWS has done it; the answer is under way, or lost."""
    turn: int = 0
    """Of a long poll: how often it has asked."""


@dataclass(eq=False)
class Network:
    """Between the instances and one account of AWS."""

    scheduler: Scheduler
    nemesis: Nemesis
    draw: Random
    account: Account
    watcher: Watcher
    _flights: dict[_Flight, None] = field(default_factory=dict)
    _polls: dict[_Flight, Callable[[], None]] = field(default_factory=dict)
    _awaited: dict[tuple[str, str], Callable[[], None]] = field(default_factory=dict)

    def call(self, call: Attempt, read_timeout: float) -> Answer:
        """The answer, once it has come; the calling task waits. Raises AwsError, or what botocore raises."""
        hits = self._hits(call)
        way = next((fault for fault in _WAYS if fault in hits), None)
        if way is Fault.PARTITION:
            self.scheduler.park(CONNECT_TIMEOUT_SECONDS)
            raise wire.unreachable(call)
        travel = self.draw.expovariate(2 / _CALL_SECONDS) + _delay(call, hits)
        if way is Fault.RESET_PEER:
            self.scheduler.park(travel)
            raise wire.reset(call)
        flight = _Flight(call, self.scheduler.current, hits, way)
        self._flights[flight] = None
        self.scheduler.at(self.scheduler.now + travel, lambda: self._arrive(flight))
        answered = self.scheduler.park(read_timeout)
        self._flights.pop(flight, None)
        if not answered:
            flight.abandoned = True
            raise wire.timed_out(call)
        if flight.answer is None:
            raise wire.reset(call)
        if isinstance(flight.answer, AwsError):
            raise flight.answer
        return flight.answer

    def crash(self, caller: str) -> None:
        """The caller is gone. Of what it had under way some arrives, some does not."""
        for flight in [flight for flight in self._flights if flight.call.caller == caller]:
            del self._flights[flight]
            flight.abandoned = True
            flight.dropped = self.draw.random() < _EVEN

    def unheard(self, caller: str) -> frozenset[str]:
        """The operations that were done for the caller, and of which it has no answer yet."""
        return frozenset(each.call.operation for each in self._flights if each.done and each.call.caller == caller)

    def after_next(self, caller: str, operation: str, act: Callable[[], None]) -> None:
        """Lets something happen between the caller's next such call and the answer to it."""
        self._awaited[caller, operation] = act

    def calm(self) -> None:
        """What was to happen after some call does not any more."""
        self._awaited.clear()

    def _hits(self, call: Attempt) -> dict[Fault, Hit]:
        hits = self.nemesis.hits(call.caller.partition("-")[0], call.service, call.operation)
        for hit in hits:
            self.watcher.on_fault(hit.rule.fault, call.caller, call.operation)
        return {hit.rule.fault: hit for hit in hits}

    def _arrive(self, flight: _Flight) -> None:
        if flight.dropped:
            return
        if flight.way is not None and flight.way in COMMON_ERRORS:
            self._return(flight, error_of(flight.call.service, flight.way))
        else:
            self._do(flight)

    def _do(self, flight: _Flight, waited: Wait | None = None) -> None:
        self._polls.pop(flight, None)
        answer = self._outcome(flight, waited)
        if isinstance(answer, Wait):
            self._wait(flight, answer)
            return
        flight.done = True
        self.watcher.done(flight.call, answer)
        if act := self._awaited.pop((flight.call.caller, flight.call.operation), None):
            self.scheduler.at(self.scheduler.now, act)
        self._return(flight, answer)
        if flight.call.operation in _CHANGES:
            for again in list(self._polls.values()):
                self.scheduler.at(self.scheduler.now + self.draw.expovariate(2 / _CALL_SECONDS), again)

    def _wait(self, flight: _Flight, wait: Wait) -> None:
        """A long poll: asks again in time, and whenever the queue has changed."""
        turn = flight.turn

        def again() -> None:
            if flight.turn == turn and not flight.abandoned:
                flight.turn += 1
                self._do(flight, wait)

        self._polls[flight] = again
        self.scheduler.at(wait.until - EPOCH, again)

    def _outcome(self, flight: _Flight, waited: Wait | None) -> Answer | AwsError | Wait:
        call, now, choose = flight.call, EPOCH + self.scheduler.now, _Chance(flight, self.draw)
        try:
            match call.service:
                case "sqs":
                    return self.account.sqs.call(call.operation, call.parameters, now=now, choose=choose, waited=waited)
                case "s3":
                    return self.account.s3.call(call.operation, call.parameters, now=now, choose=choose)
                case _:
                    return self.account.ssm.call(call.operation, call.parameters, now=now, choose=choose)
        except AwsError as error:
            return error

    def _return(self, flight: _Flight, answer: Answer | AwsError) -> None:
        lost = flight.way is Fault.ANSWER_LOST
        if lost and self.draw.random() < _EVEN:
            # Nothing comes, not even the end of the connection.
            return

        def arrive() -> None:
            if not flight.abandoned:
                flight.answer = None if lost else answer
                self.scheduler.wake(flight.task)

        self.scheduler.at(self.scheduler.now + self.draw.expovariate(2 / _CALL_SECONDS), arrive)


def _delay(call: Attempt, hits: Mapping[Fault, Hit]) -> float:
    """How many seconds later a call arrives."""
    delay = 0.0
    if Fault.LATENCY in hits:
        delay += hits[Fault.LATENCY].rule.seconds or 0.0
    if Fault.BANDWIDTH in hits:
        kilobytes = len(str(call.parameters)) / 1000
        delay += kilobytes / (hits[Fault.BANDWIDTH].rule.rate or 1.0)
    return delay


class _Chance:
    """What the contract leaves open in one call: whether something happens follows from the plan, the rest is drawn."""

    def __init__(self, flight: _Flight, draw: Random) -> None:
        self._hits = flight.hits
        self._draw = draw
        partial = flight.hits.get(Fault.PARTIAL_BATCH_FAILURE)
        ids = [entry["Id"] for entry in flight.call.parameters.get("Entries", ())]
        failed = failing(partial, ids) if partial else frozenset()
        self._fail = iter([id_ in failed for id_ in ids])

    def happens(self, freedom: Freedom) -> bool:
        if freedom is Freedom.PARTIAL_BATCH_FAILURE:
            return next(self._fail)
        if freedom is Freedom.STALE_HANDLE_WORKS:
            return self._draw.random() < _EVEN
        return _FREEDOMS.get(freedom) in self._hits

    def pick(self, candidates: Sequence[Item], at_most: int) -> Sequence[Item]:
        most = min(at_most, len(candidates))
        return self._draw.sample(candidates, self._draw.randint(min(1, most), most))

    def between(self, low: float, high: float) -> float:
        delayed = self._hits.get(Fault.DELAYED_DELIVERY)
        return self._draw.uniform(low, high if delayed is None else delayed.rule.seconds or high)

    def identity(self) -> str:
        return f"{self._draw.getrandbits(128):032x}"
