"""A call on its way through the gateway: what befalls it, and its answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from sim.cloud.gateway.aws_errors import REFUSALS, nothing_received, refusal, with_failed, without
from sim.cloud.gateway.call import Call, entries
from sim.cloud.gateway.http import Lost, Request, Response
from sim.faults.decide import Hit, failing
from sim.faults.plan import Fault

_SLOW = frozenset({Fault.LATENCY, Fault.BANDWIDTH})
_STOPS = REFUSALS | {Fault.RESET_PEER, Fault.EMPTY_RECEIVE}
FAULTS = _SLOW | _STOPS | {Fault.ANSWER_LOST, Fault.PARTIAL_BATCH_FAILURE, Fault.PARTITION}
"""Those that the gateway can do; a partition is a cut, that whoever runs the plan asks for at its moments."""

_KILOBYTE = 1000

Ask = Callable[[Request], Awaitable[Response]]
"""Passes a request on, and brings the answer. Raises Lost."""


@dataclass(frozen=True)
class End:
    """How a call ended. With no answer its connection is to be reset."""

    answer: Response | None
    outcome: str
    faults: tuple[Fault, ...]


async def passing(call: Call, request: Request, hits: Sequence[Hit], ask: Ask) -> End:
    """Passes a call on, or does not, as those of `hits` say that can befall it: what slows it down comes first, and of
    those that keep it from being passed on the plan's first."""
    by_fault = {hit.rule.fault: hit for hit in _befalling(hits, call)}
    faults = tuple(by_fault)
    rate = by_fault[Fault.BANDWIDTH].rule.rate if Fault.BANDWIDTH in by_fault else None
    await asyncio.sleep(sum(hit.rule.seconds or 0 for hit in by_fault.values()) + _seconds(request.body, rate))
    match faults[-1] if faults else None:
        case Fault.RESET_PEER:
            return End(None, "reset", faults)
        case Fault.EMPTY_RECEIVE:
            answer = nothing_received()
        case fault if fault in REFUSALS:
            answer = refusal(call, fault)
        case _:
            try:
                answer = await _ask(request, by_fault.get(Fault.PARTIAL_BATCH_FAILURE), ask)
            except Lost:
                return End(None, "reset", faults)
    if Fault.ANSWER_LOST in by_fault:
        return End(None, "lost", faults)
    await asyncio.sleep(_seconds(answer.body, rate))
    return End(answer, str(answer.status), faults)


def _befalling(hits: Sequence[Hit], call: Call) -> list[Hit]:
    """Those that can befall the call, and do not befall it in vain: one that stops it leaves none but the slow ones."""
    able = [hit for hit in hits if _can_befall(hit.rule.fault, call)]
    stop = next((hit for hit in able if hit.rule.fault in _STOPS), None)
    return able if stop is None else [hit for hit in able if hit.rule.fault in _SLOW] + [stop]


async def _ask(request: Request, partial: Hit | None, ask: Ask) -> Response:
    """Passes on what of a batch does not fail."""
    ids = [str(entry["Id"]) for entry in entries(request)] if partial is not None else []
    if partial is None or not ids:
        return await ask(request)
    failed = failing(partial, ids)
    answer = await ask(without(request, failed)) if len(failed) < len(ids) else None
    return answer if answer is not None and answer.status != 200 else with_failed(answer, failed)  # noqa: PLR2004


def _can_befall(fault: Fault, call: Call) -> bool:
    match fault:
        case Fault.PARTIAL_BATCH_FAILURE:
            return call.is_batch
        case Fault.EMPTY_RECEIVE:
            return call.operation == "ReceiveMessage"
        case _:
            return fault in FAULTS


def _seconds(body: bytes, kilobytes_a_second: float | None) -> float:
    return len(body) / (kilobytes_a_second * _KILOBYTE) if kilobytes_a_second else 0.0
