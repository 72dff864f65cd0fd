"""Whatever the pipeline, its load and the plan of faults: the services' own code loses nothing and doubles nothing.

A failure is shrunk to a small plan on a small pipeline, and shown with the timeline of an e-mail that went wrong.
"""

from __future__ import annotations

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from sim.faults.plan import SCHEDULED, TIMED, Fault, FaultPlan, Rule
from sim.history.timeline import timeline
from sim.world.client_pool import Pool
from sim.world.clients import Habit
from sim.world.run import Result, run
from sim.world.setup import CALLS, OPERATIONS, Setup

POOL = Pool()
STORM = 60.0
operations = st.sampled_from(OPERATIONS)
times = st.floats(0, STORM - 1, width=16)


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    """A rule that means something."""
    fault = draw(st.sampled_from(list(Fault)))
    since = draw(times)
    seconds = draw(st.sampled_from([0.5, 5.0, 30.0])) if fault in TIMED else None
    if fault in SCHEDULED:
        caller = draw(st.sampled_from(["api", "worker"]))
        cut = draw(st.sampled_from(CALLS[caller])) if fault is Fault.PARTITION else None
        every = draw(st.none() | st.sampled_from([5.0, 20.0]))
        count = draw(st.integers(0, 3)) if fault is Fault.SCALE else None
        return Rule(fault, caller, cut, since=since, until=STORM, every=every, seconds=seconds, count=count)
    service, operation = draw(operations)
    rate = 1.0 if fault is Fault.BANDWIDTH else None
    probability = draw(st.sampled_from([0.1, 0.5, 1.0]))
    return Rule(fault, None, service, operation, probability, since, STORM, None, seconds, rate)


plans = st.builds(FaultPlan, st.lists(rules(), max_size=6).map(tuple), st.integers(0, 2**16))
setups = st.builds(
    Setup,
    apis=st.integers(1, 3),
    workers=st.integers(1, 3),
    habits=st.lists(st.sampled_from(Habit), min_size=1, max_size=4).map(tuple),
    pause=st.sampled_from([5.0, 30.0]),
    storm=st.just(STORM),
    visibility_timeout=st.sampled_from([5, 10]),
    receive_wait=st.sampled_from([0, 5, 20]),
    token_cache=st.just(5.0),
)


def assert_good(result: Result) -> None:
    note(f"verdict: {result.verdict}")
    for names in result.verdict.wrong().values():
        for name in names[:1]:
            note("\n".join(timeline(result.history, name)))


# Hypothesis shrinks for five minutes at most, and only then tells the story.
@pytest.mark.timeout(600)
@settings(max_examples=10)
@given(st.integers(0, 2**16), setups, plans)
def test_nothing_is_lost_or_doubled(seed: int, setup: Setup, plan: FaultPlan) -> None:
    result = run(seed, 0, POOL, setup=setup, plan=plan, trail=True)
    assert_good(result)
    assert result.verdict.good
