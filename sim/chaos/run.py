"""E-mails through a running target while a plan's faults act, and the judgement over what became of them.

While the plan lasts, clients publish and tasks end at its moments. Then all faults stop, and the queue must be empty
within a bound: what is in the bucket and in the dead-letter queue then is held against what was accepted.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from services.pipeline.message import Email
from sim.chaos.acts import Act, acts, doable
from sim.client.api import Client
from sim.client.bulk import Published, publish_all
from sim.cloud.gateway.trail import TrailSummary, summarize
from sim.faults import plan as plans
from sim.faults.plan import FaultPlan
from sim.history.checker import Verdict, check
from sim.history.events import Drained, Ended, Event, Faulted, Invoked, Observed
from sim.history.observed import dead, email_fingerprint, stored
from sim.host.waiting import TimedOut
from sim.targets.cluster_acts import NotInCluster
from sim.targets.target import Progress, Target, Tuning

PLANS = Path(plans.__file__).with_name("plans")
"""Those that come along."""
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
    """Runs a plan on a target that is up. Raises BadPlan where the target cannot do it.

    What others publish meanwhile, such as the smoke test of a deployment, is not judged.
    """
    seconds = plan.seconds or SECONDS
    to_do = acts(doable(plan, target), seconds)
    sender = f"chaos-{uuid.uuid4().hex}@example.com"
    there = frozenset(target.data_plane.object_keys())
    began = time.monotonic()
    events: list[Event] = []
    target.gateway_control.inject(plan)
    progress(f"publishing for {seconds:g} s under faults")
    client = Client(target.url, target.token())
    with ThreadPoolExecutor(1) as pool, ThreadPoolExecutor(1) as deployments:
        publishing = pool.submit(_publish, client, sender, load.rate, began, seconds, events)
        deployed = []
        for act in to_do:
            time.sleep(max(0.0, began + act.at - time.monotonic()))
            progress(act.name)
            at = time.monotonic() - began
            if act.is_long:
                deployed.append(deployments.submit(act.do, target))
            elif not _did(act, target, progress):
                continue
            if act.fault is not None:
                events.append(Faulted(at, act.fault, act.caller))
        published = publishing.result()
        for each in deployed:
            progress(str(each.result()))
    target.gateway_control.clear_faults()
    target.restore()
    progress("all faults are over; waiting for the queue to be empty")
    events += _drain(target, sender, there, load.drain_seconds, began)
    start = time.time() - (time.monotonic() - began)
    trail = [call for call in target.trail() if call.started >= start]
    events += [
        Faulted(call.started - start, fault, call.caller, call.operation) for call in trail for fault in call.faults
    ]
    history = tuple(sorted(events, key=lambda event: event.at))
    accepted = sum(each.answer.accepted for each in published)
    return ChaosResult(history, check(history), summarize(trail), len(published), accepted)


def _did(act: Act, target: Target, progress: Progress) -> bool:
    """Does an act; false if there was nothing to do it to, as where no task runs."""
    try:
        act.do(target)
    except NotInCluster as error:
        progress(f"{act.name}: {error}")
        return False
    return True


def _publish(
    client: Client, sender: str, rate: float, began: float, seconds: float, events: list[Event]
) -> list[Published[tuple[str, Email]]]:
    """Publishes different e-mails until `seconds` after `began`, each as a careful client does."""

    def emails() -> Iterator[tuple[tuple[str, Email], Email]]:
        for number in count(1):
            at = time.monotonic() - began
            if at >= seconds:
                return
            email = Email(
                email_subject=f"number {number}",
                email_sender=sender,
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


def _drain(target: Target, sender: str, there: Set[str], seconds: float, began: float) -> Iterator[Event]:
    """Waits for the queue to be empty; the events of that, and of what there is then of a sender's e-mails.

    `there` has the keys of objects from before, which nobody need read: a target may have had many tests.
    """
    since = time.monotonic()
    drained = True
    try:
        target.drain(seconds)
    except TimedOut:
        drained = False
    at = time.monotonic() - began
    yield Observed(at, "seconds until the queue was empty", round(time.monotonic() - since, 3), seconds)
    yield Drained(at, drained)
    for key in sorted(set(target.data_plane.object_keys()) - there):
        body = target.data_plane.object(key).body
        if sender.encode() in body:
            yield stored(at, key, body)
    for letter in target.data_plane.dead_letters():
        if sender in letter:
            yield dead(at, letter)
