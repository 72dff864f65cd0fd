"""A trial from its load to what is put back, on a service that needs no cluster."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from itertools import chain, repeat

import pytest

from sim.client.load import Load, sending
from sim.host.ending import ended_by_signals
from sim.trial.looks import Look, OfTask, SeenTask
from sim.trial.run import run
from sim.trial.scenario import DeploymentScenario, Ending, read
from sim.trial.stage import Before, Undo

TEXT = """
about = "A task hangs for a moment, and an instance for longer."
watch_seconds = 20

[new_tasks]
pause_after = 0
resume_after = 0.1

[[meanwhile]]
do = "drain-instance"
before = true

[[meanwhile]]
do = "lose-instance"
when_new_tasks = 1
for_seconds = 0.1
"""
OLD = SeenTask("tasks/old", new=False, running=True, healthy=True)
NEW = SeenTask("tasks/new", new=True, running=True, healthy=True)

STARTING = SeenTask("tasks/new", new=True, running=False, healthy=False)


@dataclass
class Pretended:
    """A service whose deployment takes four looks. It notes what is done to it, in its order."""

    fails: bool = False
    done: list[str] = field(default_factory=list)
    looks: Iterator[Look] = field(
        default_factory=lambda: chain(
            [Look(0, (OLD,)), Look(0, (OLD,))],
            repeat(Look(0, (OLD, NEW), "IN_PROGRESS"), 3),
            repeat(Look(0, (NEW,), "SUCCESSFUL")),
        )
    )

    def before(self) -> Before:
        percents = {"minimumHealthyPercent": 100, "maximumPercent": 200}
        return Before({"desiredCount": 1, "deploymentConfiguration": percents}, {"containerDefinitions": []})

    def deploy(self, *_: object) -> tuple[str, str]:
        self.done.append("deploy")
        if self.fails:
            raise RuntimeError("refused")
        return "revision", "deployment"

    def look(self, now: Callable[[], float], *_: object) -> Look:
        seen = next(self.looks)
        return Look(now(), seen.tasks, seen.status)

    def perform(self, step: object, _: Look) -> tuple[str, Undo | None]:
        done = str(getattr(step, "do", ""))
        self.done.append(done)
        return done, lambda: self.done.append(f"over: {done}")

    def treat(self, task: SeenTask, act: OfTask) -> None:
        self.done.append(f"{act} {task.arn}")

    def events(self) -> dict[str, str]:
        return {"1": "long ago"} if "deploy" not in self.done else {"1": "long ago", "2": "has started 1 tasks"}

    def reason(self, _: str) -> str:
        return "completed."

    def put_back(self, _: Before) -> None:
        self.done.append("put back")

    def put_back_now(self, before: Before) -> None:
        self.put_back(before)


@dataclass
class Ended(Pretended):
    """This process gets a signal as the deployment begins, and another one as all is put back."""

    number: signal.Signals = signal.SIGTERM

    def deploy(self, *others: object) -> tuple[str, str]:
        begun = super().deploy(*others)
        os.kill(os.getpid(), self.number)
        return begun

    def put_back(self, before: Before) -> None:
        os.kill(os.getpid(), self.number)
        super().put_back(before)


@dataclass
class EndedAfterwards(Pretended):
    """This process gets SIGTERM before anything is put back."""

    def put_back_now(self, before: Before) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        super().put_back_now(before)


@pytest.fixture
def scenario() -> DeploymentScenario:
    return read("mine.toml", TEXT)


def load_of() -> AbstractContextManager[Load]:
    return sending(lambda: ("", ""), 1, 0.05)


@contextmanager
def heeded(number: signal.Signals) -> Iterator[None]:
    """Whoever started the tests may have a signal ignored, as shells have SIGINT in the background."""
    before = signal.signal(number, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(number, before)


def clients() -> list[str]:
    """The clients that still send."""
    return [each.name for each in threading.enumerate() if each.name.startswith("client ")]


def test_each_act_comes_in_its_order_and_all_is_put_back(scenario: DeploymentScenario) -> None:
    stage = Pretended()
    record = run(stage, scenario, load_of, lambda _: None)
    assert (record.ending, record.reason) == (Ending.DEPLOYED, "completed.")
    assert stage.done[:2] == ["drain-instance", "deploy"]
    assert stage.done[2:4] == ["pause tasks/new", "lose-instance"]
    assert set(stage.done[4:6]) == {"resume tasks/new", "over: lose-instance"}
    assert stage.done[6:] == ["put back"]
    texts = [each.text for each in record.events]
    assert "has started 1 tasks" in texts
    assert "long ago" not in texts
    assert record.requests > 10
    assert record.percents_broken == ()
    assert clients() == []


def test_a_task_that_hangs_from_its_start_is_paused_before_it_is_seen_to_run(scenario: DeploymentScenario) -> None:
    """A second later it might have answered a health check, and the deployment would take it for good."""
    starting, over = (Look(0, (OLD, STARTING), "IN_PROGRESS"), Look(0, (OLD,), "ROLLBACK_SUCCESSFUL"))
    stage = Pretended(looks=iter([Look(0, (OLD,)), Look(0, (OLD,)), starting, over]))
    assert run(stage, scenario, load_of, lambda _: None).ending is Ending.ROLLED_BACK
    assert "pause tasks/new" in stage.done


def test_a_trial_that_fails_puts_all_back_and_its_clients_end(scenario: DeploymentScenario) -> None:
    stage = Pretended(fails=True)
    with pytest.raises(RuntimeError, match="refused"):
        run(stage, scenario, load_of, lambda _: None)
    assert stage.done == ["drain-instance", "deploy", "put back"]
    assert clients() == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_whoever_ends_a_trial_by_a_signal_once_or_again_has_all_put_back(
    scenario: DeploymentScenario, number: signal.Signals
) -> None:
    stage = Ended(number=number)
    with heeded(number), pytest.raises(SystemExit) as ended, ended_by_signals():
        run(stage, scenario, load_of, lambda _: None)
    assert ended.value.code == 128 + number
    assert stage.done == ["drain-instance", "deploy", "put back"]
    assert clients() == []


def test_a_signal_while_all_is_put_back_has_it_put_back_once_more(scenario: DeploymentScenario) -> None:
    """The first time it may have come only half of the way."""
    stage = EndedAfterwards()
    with pytest.raises(SystemExit), ended_by_signals():
        run(stage, scenario, load_of, lambda _: None)
    assert stage.done.count("put back") == 1
    assert clients() == []
