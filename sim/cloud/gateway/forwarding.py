"""What the faults of a plan do to a call on its way through the gateway. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sim.aws import sqs_batches
from sim.aws.api_call import ApiCall, ApiProtocol
from sim.aws.errors import COMMON_ERRORS
from sim.faults.decide import Hit
from sim.faults.plan import Fault

_SLOW = frozenset({Fault.LATENCY, Fault.BANDWIDTH})
_STOPS = frozenset({*map(Fault, COMMON_ERRORS), Fault.RESET_PEER, Fault.EMPTY_RECEIVE})
FAULTS = _SLOW | _STOPS | {Fault.ANSWER_LOST, Fault.PARTIAL_BATCH_FAILURE, Fault.PARTITION}
"""The faults that the gateway can do. A partition closes a port; whoever runs the plan asks for it at its moments."""

_KILOBYTE = 1000


@dataclass(frozen=True)
class CallFaults:
    """The faults of one call, by what made them hit it; those that slow it down come first."""

    hits: Mapping[Fault, Hit]

    @property
    def names(self) -> tuple[Fault, ...]:
        """The names of all faults of the call."""
        return tuple(self.hits)

    @property
    def stop(self) -> Fault | None:
        """The fault that keeps the call from LocalStack, if there is one."""
        return next((fault for fault in self.hits if fault in _STOPS), None)

    def latency(self) -> float:
        """How many seconds later the call arrives."""
        return sum(hit.rule.seconds or 0.0 for hit in self.hits.values())

    def transfer_seconds(self, body: bytes) -> float:
        """How long a body takes."""
        rate = self.hits[Fault.BANDWIDTH].rule.rate if Fault.BANDWIDTH in self.hits else None
        return len(body) / (rate * _KILOBYTE) if rate else 0.0


def applicable(hits: Sequence[Hit], call: ApiCall) -> CallFaults:
    """The faults that can do something to the call. With one that stops it only those that slow it down are left."""
    able = [hit for hit in hits if _can_hit(hit.rule.fault, call)]
    slow = [hit for hit in able if hit.rule.fault in _SLOW]
    stop = next((hit for hit in able if hit.rule.fault in _STOPS), None)
    others = [hit for hit in able if hit.rule.fault not in _SLOW] if stop is None else [stop]
    return CallFaults({hit.rule.fault: hit for hit in [*slow, *others]})


def _can_hit(fault: Fault, call: ApiCall) -> bool:
    match fault:
        case Fault.PARTIAL_BATCH_FAILURE:
            return call.operation in sqs_batches.OPERATIONS and call.protocol is ApiProtocol.JSON
        case Fault.EMPTY_RECEIVE:
            return call.operation == "ReceiveMessage"
        case _:
            return fault in FAULTS
