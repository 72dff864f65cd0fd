"""A record adds up what clients saw, second by second, and is judged by its scenario and the caller's limits."""

from __future__ import annotations

import json
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.client.load import Exchange
from sim.trial.judge import Allowed, broken
from sim.trial.looks import Look, SeenTask
from sim.trial.record import Event, Record, Second, ending_of, per_second
from sim.trial.report import Result, as_json, course, junit, summary
from sim.trial.scenario import Ending, Expected

EXCHANGES = st.lists(
    st.builds(Exchange, st.floats(-20, 60), st.floats(0, 5), st.sampled_from(["", "", "503", "no answer"])), max_size=50
)
LOOKS = st.lists(st.floats(-5, 60), max_size=10).map(
    lambda moments: [Look(at, (SeenTask("a", new=False, running=True, healthy=True),)) for at in sorted(moments)]
)


GOOD = Second(0, ok=10)
BAD = Second(1, ok=0, failed={"503": 3})


def record(*seconds: Second, ending: Ending = Ending.DEPLOYED, took: float = 60.0, **other: tuple[str, ...]) -> Record:
    return Record(ending, "ECS said so.", took, seconds, (Event(1, "began"),), **other)


def result(of: Record, *broken_by: str) -> Result:
    return Result("good", "A good one.", "web", of, broken_by)


@given(EXCHANGES, LOOKS)
def test_every_request_is_in_the_one_second_in_which_it_was_sent(exchanges: list[Exchange], looks: list[Look]) -> None:
    seconds = per_second(exchanges, looks, 0.0)
    assert [each.second for each in seconds] == list(
        range(seconds[0].second, seconds[0].second + len(seconds)) if seconds else ()
    )
    found = record(*seconds)
    assert found.requests == len(exchanges)
    assert found.failed == sum(bool(each.failure) for each in exchanges)
    assert found.outage_seconds <= len(seconds)
    for each in seconds:
        sent = [exchange for exchange in exchanges if each.second <= exchange.began < each.second + 1]
        assert each.ok + sum((each.failed or {}).values()) == len(sent)
        assert (each.p50_ms is None) == (not sent)
        assert each.p50_ms is None or each.p99_ms is None or each.p50_ms <= each.p99_ms
    if looks and seconds:
        assert seconds[0].old_serving == 1, "what the first look saw holds from the beginning"
        assert seconds[-1].old_serving == 1, "what the last look saw holds until the end"


@given(EXCHANGES)
def test_the_rows_of_the_course_have_every_request_once(exchanges: list[Exchange]) -> None:
    rows = course(record(*per_second(exchanges, (), 0.0)))
    assert sum(int(each["ok"]) for each in rows) == sum(not each.failure for each in exchanges)


def test_seconds_in_which_nothing_changes_are_one_row_with_what_happened() -> None:
    seconds = [Second(number, ok=4, p50_ms=2, p99_ms=9, old_running=2, old_serving=2) for number in range(3)]
    [row] = course(record(*seconds))
    assert row == {
        "seconds": "0..2",
        "ok": "12",
        "failed": "0",
        "p50": "2 ms",
        "p99": "9 ms",
        "old": "2 of 2",
        "new": "0 of 0",
        "what_happened": "began",
    }


def test_a_second_without_a_request_is_of_the_row_before() -> None:
    """Clients that wait for an answer send nothing meanwhile: an outage is one row, and so is a quiet time."""
    quiet = Second(0)
    seconds = [GOOD, quiet, GOOD, BAD, quiet, BAD, GOOD]
    rows = course(record(*(replace(each, second=number) for number, each in enumerate(seconds))))
    assert [(each["seconds"], each["failed"]) for each in rows] == [("0..2", "0"), ("3..5", "6 x 503"), ("6..6", "0")]


@pytest.mark.parametrize(
    ("status", "ending"),
    [
        ("IN_PROGRESS", Ending.NO_END),
        ("ROLLBACK_IN_PROGRESS", Ending.NO_END),
        ("SUCCESSFUL", Ending.DEPLOYED),
        ("ROLLBACK_SUCCESSFUL", Ending.ROLLED_BACK),
        ("STOPPED", Ending.STOPPED),
    ],
)
def test_the_ending_is_what_ecs_says(status: str, ending: Ending) -> None:
    assert ending_of(status) is ending


@pytest.mark.parametrize(
    ("expect", "allowed", "of", "reasons"),
    [
        (Expected(failed_requests_at_most=0), Allowed(), record(GOOD), []),
        (Expected(), Allowed(), record(GOOD, BAD), []),
        (
            Expected(failed_requests_at_most=0),
            Allowed(),
            record(GOOD, BAD),
            ["3 of 13 requests failed (503 3), and 0 may"],
        ),
        (
            Expected(failed_requests_at_most=5),
            Allowed(failed=2),
            record(GOOD, BAD),
            ["3 of 13 requests failed (503 3), and 2 may"],
        ),
        (Expected(failed_requests_at_most=3), Allowed(failed=9), record(GOOD, BAD), []),
        (
            Expected(outage_seconds_at_most=0),
            Allowed(),
            record(GOOD, BAD),
            ["in 1 seconds no request was answered well, and 0 are allowed"],
        ),
        (Expected(), Allowed(takes_seconds=59), record(GOOD), ["it took 60 s, and 59 are allowed"]),
        (Expected(), Allowed(), record(), ["no request has an end: nobody knows what clients see"]),
        (
            Expected(),
            Allowed(),
            record(GOOD, percents_broken=("1 of 2 tasks served",)),
            ["the percents did not hold: 1 of 2 tasks served"],
        ),
        (Expected(percents_hold=False), Allowed(), record(GOOD, percents_broken=("1 of 2 tasks served",)), []),
        (
            Expected(ends=(Ending.DEPLOYED,)),
            Allowed(),
            record(GOOD, ending=Ending.ROLLED_BACK),
            ["it ended as rolled-back (ECS said so.), and deployed is expected"],
        ),
        (
            Expected(ends=(Ending.ROLLED_BACK,)),
            Allowed(),
            record(GOOD, ending=Ending.NO_END),
            [
                "it ended as no-end (ECS said so.), and rolled-back is expected; a service without a deployment "
                "circuit breaker or alarms never gives a bad version up"
            ],
        ),
    ],
)
def test_the_verdict_has_a_reason_for_each_expectation_and_limit_that_broke(
    expect: Expected, allowed: Allowed, of: Record, reasons: list[str]
) -> None:
    assert broken(expect, allowed, of) == reasons


def test_junit_has_a_case_for_each_trial_and_the_reason_of_a_failure() -> None:
    text = junit([result(record(GOOD)), result(record(BAD), "3 failed \x00 <&>", "too slow")])
    [suite] = ET.fromstring(text).iter("testsuite")
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    good, bad = suite.iter("testcase")
    assert (good.get("classname"), good.get("name"), good.find("failure")) == ("web", "good", None)
    [failure] = bad.iter("failure")
    assert failure.get("message") == "3 failed ? <&>; too slow"
    assert failure.text == "1 s: began"


def test_the_json_has_each_second_and_the_summary_its_verdict() -> None:
    found = json.loads(json.dumps(as_json(result(record(GOOD, BAD), "why"))))
    assert (found["good"], found["broken"], found["failed"], found["ended"]) == (False, ["why"], {"503": 3}, "deployed")
    assert [(each["second"], each["ok"]) for each in found["seconds"]] == [(0, 10), (1, 0)]
    assert summary(result(record(GOOD, BAD), "why")) == {
        "scenario": "good",
        "verdict": "BROKEN",
        "ended": "deployed",
        "takes": "60 s",
        "requests": "13",
        "failed": "3",
        "outage": "1 s",
        "slowest": "-",
        "serving_at_least": "0",
    }
