"""What is wrong with a trial: a sentence for each expectation of its scenario and each limit that its record breaks."""

from __future__ import annotations

from dataclasses import dataclass

from sim.rehearsal.record import Record
from sim.rehearsal.scenario import Ending, Expected

_ADVICE = {
    Ending.NO_END: "a service without a deployment circuit breaker or alarms never gives a bad version up",
    Ending.STOPPED: "its circuit breaker or its alarms stop a bad version, and rollback is off",
}


@dataclass(frozen=True, slots=True)
class Allowed:
    """The caller's own limits for every trial. None means no limit."""

    failed: int | None = None
    outage_seconds: int | None = None
    takes_seconds: float | None = None


def broken(expect: Expected, allowed: Allowed, record: Record) -> list[str]:
    """A sentence for each expectation and each limit that the record breaks."""
    found = []
    if record.ending not in expect.ends:
        found.append(_ended_otherwise(expect, record))
    if not record.requests:
        found.append("no request has an end: nobody knows what clients see")
    failed = _least(expect.failed_requests_at_most, allowed.failed)
    if failed is not None and record.failed > failed:
        kinds = ", ".join(f"{kind} {count}" for kind, count in record.failures.most_common())
        found.append(f"{record.failed} of {record.requests} requests failed ({kinds}), and {failed} may")
    outage = _least(expect.outage_seconds_at_most, allowed.outage_seconds)
    if outage is not None and record.outage_seconds > outage:
        found.append(f"in {record.outage_seconds} seconds no request was answered well, and {outage} are allowed")
    if expect.percents_hold and record.percents_broken:
        found.append(f"the percents did not hold: {record.percents_broken[0]}")
    if allowed.takes_seconds is not None and record.took_seconds > allowed.takes_seconds:
        found.append(f"it took {record.took_seconds:.0f} s, and {allowed.takes_seconds:g} are allowed")
    return found


def _ended_otherwise(expect: Expected, record: Record) -> str:
    wanted = " or ".join(expect.ends)
    reason = f" ({record.reason})" if record.reason else ""
    advice = f"; {_ADVICE[record.ending]}" if record.ending in _ADVICE and Ending.ROLLED_BACK in expect.ends else ""
    return f"it ended as {record.ending}{reason}, and {wanted} is expected{advice}"


def _least(*limits: int | None) -> int | None:
    return min((each for each in limits if each is not None), default=None)
