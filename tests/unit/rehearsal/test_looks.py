"""What is due when, and which tasks serve."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.rehearsal.looks import Look, OfTask, SeenTask, due, percents_broken, serving, treated
from sim.rehearsal.scenario import Act, Step, Treatment

MOMENTS = st.one_of(
    st.builds(lambda at: Step(do=Act.DRAIN_INSTANCE, at_seconds=at), st.floats(0, 60)),
    st.builds(lambda tasks: Step(do=Act.DRAIN_INSTANCE, when_new_tasks=tasks), st.integers(1, 4)),
    st.just(Step(do=Act.DRAIN_INSTANCE, before=True)),
)
TREATMENTS = st.builds(
    lambda pause, longer, kill: Treatment(pause_after=pause, resume_after=pause + longer, kill_after=kill),
    st.floats(0, 30),
    st.floats(0.1, 30),
    st.none() | st.floats(0, 60),
)


@given(st.lists(MOMENTS, max_size=5), st.lists(st.tuples(st.floats(0, 10), st.integers(0, 1)), max_size=30))
def test_each_step_is_taken_once_and_never_before_its_moment(
    steps: list[Step], passing: list[tuple[float, int]]
) -> None:
    seconds, tasks, taken = 0.0, 0, list[int]()
    for passed, more in passing:
        seconds, tasks = seconds + passed, tasks + more
        for number in due(steps, taken, seconds, tasks):
            step = steps[number]
            assert not step.before
            assert step.at_seconds is None or seconds >= step.at_seconds
            assert step.when_new_tasks is None or tasks >= step.when_new_tasks
            taken.append(number)
        left = [step for number, step in enumerate(steps) if number not in taken and not step.before]
        assert not [step for step in left if step.at_seconds is not None and step.at_seconds <= seconds]
    assert len(set(taken)) == len(taken)


@given(TREATMENTS, st.lists(st.floats(0, 20), max_size=20))
def test_a_task_is_paused_before_it_is_resumed_and_each_act_comes_once(
    treatment: Treatment, passing: list[float]
) -> None:
    seconds, done = 0.0, list[OfTask]()
    for passed in passing:
        seconds += passed
        done += treated(treatment, done, seconds)
    assert len(set(done)) == len(done)
    if "resume" in done:
        assert done.index("pause") < done.index("resume")
    assert ("kill" in done) == (treatment.kill_after is not None and bool(passing) and treatment.kill_after <= seconds)


def look(*tasks: tuple[str, bool]) -> Look:
    """Tasks by name, and whether each was found healthy at this look."""
    return Look(0.0, tuple(SeenTask(arn, new=False, running=True, healthy=healthy) for arn, healthy in tasks))


def test_a_task_serves_from_when_it_is_healthy_until_it_is_not_to_run() -> None:
    looks = [look(("a", True)), look(("a", False), ("b", False)), look(("b", True)), look(("a", False))]
    assert serving(looks) == [{"a"}, {"a"}, {"b"}, {"a"}]


@pytest.mark.parametrize(
    ("least", "most", "broken"),
    [(1, 2, []), (2, 2, ["1 of 2 tasks served"]), (1, 1, ["1 of 2 tasks served"])],
)
def test_percents_are_broken_by_too_few_that_serve_or_too_many_that_are_there(
    least: int, most: int, broken: list[str]
) -> None:
    assert percents_broken([look(("a", True), ("b", False))], least, most) == broken
