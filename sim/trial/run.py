"""One trial: the load goes on, the new version rolls out, the scenario's steps are taken, and all is put back."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Final, Protocol

from sim.client.load import Load
from sim.host.waiting import until
from sim.trial.looks import Look, OfTask, SeenTask, due, hanging_from_the_start, percents_broken, treated
from sim.trial.record import Event, Record, ending_of, per_second
from sim.trial.scenario import DeploymentScenario, Ending, Revision, Step
from sim.trial.stage import Before, Undo

LoadOf = Callable[[], AbstractContextManager[Load]]
Progress = Callable[[str], None]
_LOOK_SECONDS: Final = 0.5
_START_SECONDS: Final = 0.05
"""So often a task that is to hang from its start is looked for."""
_LOAD_SECONDS: Final = 30.0
_AFTERWARDS_SECONDS: Final = 2.0
"""So long the load goes on after the end of the deployment: what comes then is seen as well."""


class OnTrial(Protocol):
    """The service on trial, as `sim.trial.stage.Stage` has it."""

    def before(self) -> Before: ...
    def deploy(self, before: Before, change: Revision, /) -> tuple[str, str]: ...
    def look(self, now: Callable[[], float], before: Before, revision: str = "", deployment: str = "", /) -> Look: ...
    def reason(self, deployment: str, /) -> str: ...
    def events(self) -> dict[str, str]: ...
    def treat(self, task: SeenTask, act: OfTask, /) -> None: ...
    def perform(self, step: Step, look: Look, /) -> tuple[str, Undo | None]: ...
    def put_back(self, before: Before, /) -> None: ...
    def put_back_now(self, before: Before, /) -> None: ...


def run(stage: OnTrial, scenario: DeploymentScenario, load_of: LoadOf, progress: Progress) -> Record:
    """Runs a scenario. Returns when the service is again as it was before. After an error or a signal it goes back to
    that, and nobody waits for it.

    Raises NotSettled, TimedOut or what boto3 raises.
    """
    before = stage.before()
    try:
        record = _Trial(stage, scenario, before, progress).record(load_of)
        progress(f"{record.ending}; the version before comes back")
        stage.put_back_now(before)
    except BaseException:
        progress("it ends early; the version before comes back")
        stage.put_back(before)
        raise
    return record


@dataclass
class _Trial:
    """A trial in progress. Times are of the monotonic clock."""

    stage: OnTrial
    scenario: DeploymentScenario
    before: Before
    progress: Progress
    began: float = 0.0
    looks: list[Look] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    _taken: set[int] = field(default_factory=set)
    _ran_at: dict[str, float] = field(default_factory=dict)
    """When each new task was first seen to run."""
    _treated: dict[str, set[OfTask]] = field(default_factory=dict)
    _undo: list[tuple[float, str, Undo]] = field(default_factory=list)

    def record(self, load_of: LoadOf) -> Record:
        """The whole trial, but for what is put back after it."""
        for number, step in enumerate(self.scenario.meanwhile):
            if step.before:
                self._taken.add(number)
                self._take(number, self.stage.look(time.monotonic, self.before))
        known = self.stage.events()
        with load_of() as load:
            until(lambda: load.requests, "a first answer", seconds=_LOAD_SECONDS)
            self.looks.append(self.stage.look(time.monotonic, self.before))
            self.began = time.monotonic()
            revision, deployment = self.stage.deploy(self.before, self.scenario.revision)
            with self._holding():
                ending = self._watch(revision, deployment, known)
            took, reason = self._seconds(), self.stage.reason(deployment)
            time.sleep(_AFTERWARDS_SECONDS)
        exchanges = list(load.exchanges)
        return Record(
            ending,
            reason,
            took,
            per_second(exchanges, self.looks, self.began),
            tuple(self.events),
            tuple(percents_broken(self.looks, *self.before.percents)),
        )

    def _watch(self, revision: str, deployment: str, known: dict[str, str]) -> Ending:
        """Looks and does what is due until the deployment has ended, or nobody waits for it any more."""
        while True:
            look = self.stage.look(time.monotonic, self.before, revision, deployment)
            self.looks.append(look)
            self._go_on(look)
            self._note_events(known)
            ending = ending_of(look.status)
            if ending is not Ending.NO_END or self._seconds() >= self.scenario.watch_seconds:
                return ending
            time.sleep(_LOOK_SECONDS)

    def _seconds(self) -> float:
        return time.monotonic() - self.began

    @contextmanager
    def _holding(self) -> Iterator[None]:
        """Inside, what is to hang from its start is paused as soon as there is something to pause.

        It has a thread of its own, since on a busy machine a look takes longer than a start.
        """
        over = threading.Event()

        def hold() -> None:
            while not over.wait(_START_SECONDS):
                for each in hanging_from_the_start(self.scenario.new_tasks, self.looks[-1]):
                    self.stage.treat(each, "pause")

        thread = threading.Thread(target=hold, name="holds new tasks", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _go_on(self, look: Look) -> None:
        """Does what is due at this look."""
        for each in look.of(new=True):
            since = look.at - self._ran_at.setdefault(each.arn, look.at)
            done = self._treated.setdefault(each.arn, set())
            for act in treated(self.scenario.new_tasks, done, since):
                done.add(act)
                self.stage.treat(each, act)
                self._note(f"{act}: task {each.arn.rpartition('/')[2]}")
        for number in due(self.scenario.meanwhile, self._taken, self._seconds(), len(self._ran_at)):
            self._taken.add(number)
            self._take(number, look)
        for moment, text, undo in [each for each in self._undo if each[0] <= look.at]:
            undo()
            self._undo.remove((moment, text, undo))
            self._note(f"over: {text}")

    def _take(self, number: int, look: Look) -> None:
        step = self.scenario.meanwhile[number]
        self.progress(f"{step.do}")
        text, undo = self.stage.perform(step, look)
        self._note(text)
        if undo and step.for_seconds is not None:
            self._undo.append((time.monotonic() + step.for_seconds, text, undo))

    def _note_events(self, known: dict[str, str]) -> None:
        for identity, message in self.stage.events().items():
            if identity not in known:
                known[identity] = message
                self._note(message)

    def _note(self, text: str) -> None:
        second = int(self._seconds()) if self.began else 0
        self.events.append(Event(second, text))
        self.progress(f"{second} s: {text}")
