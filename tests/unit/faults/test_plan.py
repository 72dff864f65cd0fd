"""Plans of faults as JSON, and what is none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.faults.plan import SCHEDULED, TIMED, BadPlan, Fault, FaultPlan, Rule, dump, load, parse

times = st.floats(0, 1e6)


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    fault = draw(st.sampled_from(Fault))
    since = draw(times)
    scheduled = fault in SCHEDULED
    return Rule(
        fault,
        caller=draw(st.none() | st.sampled_from(["api", "worker"])),
        service=draw(st.none() | st.sampled_from(["s3", "sqs", "ssm"])),
        operation=None if scheduled else draw(st.none() | st.sampled_from(["SendMessageBatch", "PutObject"])),
        probability=draw(st.floats(0, 1)),
        since=since,
        until=draw(st.none() | st.floats(since, 2e6, exclude_min=True)),
        every=draw(st.none() | st.floats(0.1, 1e3)) if scheduled else None,
        seconds=draw(times) if fault in TIMED else None,
        rate=draw(st.floats(0.1, 1e6)) if fault is Fault.BANDWIDTH else None,
        count=draw(st.integers(0, 100)) if fault is Fault.SCALE else None,
    )


plans = st.builds(FaultPlan, st.lists(rules(), max_size=4).map(tuple), st.integers(), st.none() | st.floats(0.1, 1e6))


@given(plans)
def test_a_plan_survives_its_way_through_json(plan: FaultPlan) -> None:
    assert parse(dump(plan)) == plan


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ({"fault": "rust"}, "rules.0.fault"),
        ({"fault": "throttle", "probability": 1.5}, "rules.0.probability"),
        ({"fault": "throttle", "servce": "sqs"}, "rules.0.servce"),
        ({"fault": "throttle", "seconds": 1}, "takes no seconds"),
        ({"fault": "latency"}, "needs seconds"),
        ({"fault": "latency", "seconds": -1}, "cannot last less"),
        ({"fault": "bandwidth"}, "needs rate"),
        ({"fault": "scale"}, "needs count"),
        ({"fault": "deploy", "count": 2}, "takes no count"),
        ({"fault": "throttle", "every": 5}, "takes no every"),
        ({"fault": "kill-task", "operation": "PutObject"}, "takes no operation"),
        ({"fault": "throttle", "since": 5, "until": 5}, "since before its until"),
    ],
)
def test_an_error_says_what_is_wrong_with_a_plan(rule: dict[str, object], why: str) -> None:
    with pytest.raises(BadPlan, match=why):
        parse(json.dumps({"rules": [rule]}))


def test_a_plan_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadPlan, match=r"none\.json"):
        load(tmp_path / "none.json")
    (tmp_path / "half.json").write_text('{"rules": [')
    with pytest.raises(BadPlan, match=r"half\.json: not a plan"):
        load(tmp_path / "half.json")


def test_a_place_refuses_the_faults_that_it_cannot_do() -> None:
    plan = FaultPlan((Rule(Fault.THROTTLE), Rule(Fault.REORDERING)))
    assert plan.only(set(Fault), "the world") is plan
    with pytest.raises(BadPlan, match="the gateway cannot do reordering; it can do: throttle"):
        plan.only({Fault.THROTTLE}, "the gateway")
