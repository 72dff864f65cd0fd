"""E-mails under a plan of faults: whatever AWS answers, nothing is lost and nothing doubled."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from sim.chaos.run import SECONDS, TUNING, ChaosResult, Load, find, run
from sim.faults.plan import Fault, FaultPlan
from sim.history.events import Faulted
from sim.targets import LOCAL, create
from sim.targets.target import Capability, Target


@pytest.fixture
def pipeline(request: pytest.FixtureRequest) -> Iterator[Target]:
    """One of its own: what faults bring back again and again must not be taken for poison."""
    name = request.config.getoption("--target")
    if name not in LOCAL:
        pytest.skip(f"not applicable: target {name} has no gateway")
    with create(name, TUNING, print, runtime=request.config.getoption("--runtime")) as target:
        yield target


@pytest.mark.timeout(900)
def test_lost_acknowledgements_throttles_resets_and_partial_failures(pipeline: Target) -> None:
    plan = find("lost-acknowledgements").seeded(7)
    outcome = run(pipeline, plan, Load(rate=15), print)
    assert outcome.verdict.good, outcome.verdict
    assert outcome.accepted > 100
    assert hit_by(outcome) >= {Fault.ANSWER_LOST, Fault.PARTIAL_BATCH_FAILURE, Fault.THROTTLE, Fault.RESET_PEER}
    assert outcome.requests_per_email > 1


@pytest.mark.needs(Capability.DEPLOY)
@pytest.mark.timeout(900)
def test_a_version_rolls_out_while_instances_end_and_a_zone_is_cut_off(target: Target) -> None:
    plan = find("deployment").seeded(7)
    outcome = run(target, plan, Load(rate=15), print)
    assert outcome.verdict.good, outcome.verdict
    assert outcome.accepted > 300
    assert hit_by(outcome) == {Fault.DEPLOY, Fault.SCALE, Fault.KILL_INSTANCE, Fault.LOSE_ZONE}


@pytest.mark.needs(Capability.DEPLOY)
@pytest.mark.timeout(900)
def test_an_instance_ends_another_one_drains_and_a_zone_is_cut_off(target: Target) -> None:
    outcome = run(target, shortened(find("instances-and-zones").seeded(7)), Load(rate=15), print)
    assert outcome.verdict.good, outcome.verdict
    assert outcome.accepted > 150
    assert hit_by(outcome) == {Fault.KILL_INSTANCE, Fault.DRAIN_INSTANCE, Fault.LOSE_ZONE}


def shortened(plan: FaultPlan) -> FaultPlan:
    """What happens to instances, in half the time. Lost answers would make good e-mails poison on a shared target."""
    rules = [
        replace(rule, since=rule.since / 2, seconds=rule.seconds and rule.seconds / 2)
        for rule in plan.rules
        if rule.scheduled
    ]
    return replace(plan, rules=tuple(rules), seconds=(plan.seconds or SECONDS) / 2)


def hit_by(outcome: ChaosResult) -> set[str]:
    """The faults that there were: a plan that does nothing proves nothing."""
    return {event.fault for event in outcome.history if isinstance(event, Faulted)}
