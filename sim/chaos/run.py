"""E-mails through a running target while a plan's faults act, and the judgement over what became of them.

While the plan lasts, clients publish and tasks end at its moments. Then all faults stop, and the queue must be empty
within a bound: what is in the bucket and in the dead-letter queue then is held against what was accepted.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path

from services.pipeline.message import Email
from sim.client.api import Client
from sim.client.bulk import Published, publish_all
from sim.cloud.gateway.forwarding import FAULTS
from sim.cloud.gateway.trail import TrailSummary, summarize
from sim.faults import plan as plans
from sim.faults.decide import Moment, moments
from sim.faults.plan import AwsService, BadPlan, Fault, FaultPlan
from sim.history.checker import Verdict, check
from sim.history.events import Drained, Ended, Event, Faulted, Invoked, Observed
from sim.history.observed import dead, email_fingerprint, stored
from sim.host.waiting import TimedOut
from sim.targets.target import CALLS, SERVICES, Progress, Service, Target, Tuning

PLANS = Path(plans.__file__).with_name("plans")
"""Those that come along."""
ABLE = FAULTS | {Fault.STOP_TASK, Fault.KILL_TASK}
"""The faults that a target can do: its gateway's, and those of its tasks."""
TUNING = Tuning(
    visibility_timeout=3, max_receive_count=100, receive_wait=5, service_environment={"TOKEN_CACHE_SECONDS": "2"}
)
"""However often a fault makes an e-mail come again, it is no poison."""
SECONDS = 20.0
"""How long the faults of a plan act that has no end."""

_CONCURRENCY = 16


@dataclass(frozen=True)
class Load:
    """How many e-mails a second are published, and in how many seconds the queue must be empty once all faults are
    over."""

    rate: float = 20.0
    drain_seconds: float = 60.0


@dataclass(frozen=True)
class ChaosResult:
    """The history of a run, the verdict over it, and counts."""

    history: tuple[Event, ...]
    verdict: Verdict
    trail: TrailSummary
    published: int
    accepted: int

    @property
    def requests_per_email(self) -> float:
        """AWS requests for each e-mail that was accepted."""
        return self.trail.requests / max(1, self.accepted)


def find(plan: str) -> FaultPlan:
    """The plan of this name among those that come along, or in the file of this name. Raises BadPlan."""
    shipped = PLANS / f"{plan}.json"
    return plans.load(shipped if shipped.is_file() else Path(plan))


def shipped() -> list[str]:
    """The names of the plans that come along."""
    return sorted(path.stem for path in PLANS.glob("*.json"))


def run(target: Target, plan: FaultPlan, load: Load, progress: Progress) -> ChaosResult:
    """Runs a plan on a target that is up and has nothing in it. Raises BadPlan where the target cannot do it."""
    seconds = plan.seconds or SECONDS
    acts = sorted(
        (act for moment in moments(plan.only(ABLE, f"the target {target.name}"), seconds) for act in _acts(moment)),
        key=lambda act: act.at,
    )
    began = time.monotonic()
    events: list[Event] = []
    target.gateway_control.inject(plan)
    progress(f"publishing for {seconds:g} s under faults")
    with ThreadPoolExecutor(1) as pool:
        publishing = pool.submit(_publish, Client(target.url, target.token()), load.rate, began, seconds, events)
        for act in acts:
            time.sleep(max(0.0, began + act.at - time.monotonic()))
            progress(act.name)
            if act.fault is not None:
                events.append(Faulted(time.monotonic() - began, act.fault, act.caller))
            act.do(target)
        published = publishing.result()
    target.gateway_control.clear_faults()
    target.restore()
    progress("all faults are over; waiting for the queue to be empty")
    events += _drain(target, load.drain_seconds, began)
    trail = target.trail()
    start = time.time() - (time.monotonic() - began)
    events += [
        Faulted(call.started - start, fault, call.caller, call.operation) for call in trail for fault in call.faults
    ]
    history = tuple(sorted(events, key=lambda event: event.at))
    accepted = sum(each.answer.accepted for each in published)
    return ChaosResult(history, check(history), summarize(trail), len(published), accepted)


@dataclass(frozen=True)
class _Act:
    """Something to do to a target, `at` seconds from the start; `fault` if it is one, and not the end of one."""

    at: float
    name: str
    caller: Service
    do: Callable[[Target], object]
    fault: Fault | None = None


def _acts(moment: Moment) -> Iterator[_Act]:
    rule, at = moment.hit.rule, moment.at
    concerned: list[Service] = [service for service in SERVICES if rule.caller in {None, service}]
    if not concerned:
        raise BadPlan(f"{rule.fault} of {rule.caller!r}: there are {', '.join(SERVICES)}")
    caller = concerned[int(moment.hit.draw("caller") * len(concerned))]
    match rule.fault:
        case Fault.STOP_TASK:
            yield _Act(at, f"stopping and starting the {caller}", caller, partial(_stop, caller), rule.fault)
        case Fault.KILL_TASK:
            yield _Act(at, f"killing and starting the {caller}", caller, partial(_kill, caller), rule.fault)
        case _:
            aws = [each for each in CALLS[caller] if rule.service in {None, each}]
            yield _Act(at, f"cutting the {caller} off", caller, partial(_cut, caller, aws), rule.fault)
            yield _Act(at + (rule.seconds or 0), f"mending the {caller}", caller, partial(_mend, caller, aws))


def _stop(service: Service, target: Target) -> None:
    target.terminate(service)
    target.start(service)


def _kill(service: Service, target: Target) -> None:
    target.kill(service)
    target.start(service)


def _cut(service: Service, aws: Sequence[AwsService], target: Target) -> None:
    for each in aws:
        target.cut(service, each)


def _mend(service: Service, aws: Sequence[AwsService], target: Target) -> None:
    for each in aws:
        target.mend(service, each)


def _publish(
    client: Client, rate: float, began: float, seconds: float, events: list[Event]
) -> list[Published[tuple[str, Email]]]:
    """Publishes different e-mails until `seconds` after `began`, each as a careful client does."""

    def emails() -> Iterator[tuple[tuple[str, Email], Email]]:
        for number in count(1):
            at = time.monotonic() - began
            if at >= seconds:
                return
            email = Email(
                email_subject=f"number {number}",
                email_sender="chaos@example.com",
                email_timestream=str(1_700_000_000 + number),
                email_content="Will it arrive?",
            )
            events.append(Invoked(at, f"publish-{number}", email_fingerprint(email)))
            yield (f"publish-{number}", email), email

    published = []
    for each in publish_all(client, emails(), concurrency=_CONCURRENCY, rate=rate):
        answer = each.answer
        message_id = answer.message_id if answer.accepted else None
        detail = "" if answer.accepted else answer.why()
        events.append(Ended(time.monotonic() - began, each.name[0], answer.outcome, message_id, detail))
        published.append(each)
    return published


def _drain(target: Target, seconds: float, began: float) -> Iterator[Event]:
    """Waits for the queue to be empty; the events of that, and of what there is then."""
    since = time.monotonic()
    drained = True
    try:
        target.drain(seconds)
    except TimedOut:
        drained = False
    at = time.monotonic() - began
    yield Observed(at, "seconds until the queue was empty", round(time.monotonic() - since, 3), seconds)
    yield Drained(at, drained)
    for key in target.data_plane.object_keys():
        yield stored(at, key, target.data_plane.object(key).body)
    for body in target.data_plane.dead_letters():
        yield dead(at, body)
