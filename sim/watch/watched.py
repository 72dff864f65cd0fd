"""What the page can watch: a stack of `sim up`, or one of compose."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Protocol

from sim.stack import lifecycle
from sim.stack.deployment import deployment_of
from sim.stack.lifecycle import Stack
from sim.targets.deployment import LocalDeployment
from sim.targets.target import Progress
from sim.watch import containers, detail
from sim.watch.detail import TaskDetail
from sim.watch.observe import StackObserver
from sim.watch.observed import Observation
from sim.watch.perform import Performer
from sim.watch.wanted import Wanted


class Watched(Protocol):
    """Looks at a stack, and acts on it."""

    def check(self) -> None:
        """Raises NothingRuns if it is known that the stack has ended. Asks nothing of the stack."""

    def look(self) -> Observation:
        """What there is now. Raises NothingRuns if there is no stack, or another SimError or what boto3 raises."""

    def look_again(self, last: Observation, trouble: str) -> Observation:
        """What there was, with the present state of the parts, since something does not answer. Raises NothingRuns."""

    def detail(self, task: str, seen: Observation) -> TaskDetail:
        """The details of a task that was seen. Raises NoSuchTask, or what boto3 raises."""

    def perform(self, wanted: Wanted, progress: Progress) -> str:
        """Does what a page wants, and returns what was done. Raises SimError, ReleaseError, or what boto3 raises."""


class RunningStack:
    """The stack that `find` returns. `deployment` returns what deploys to it."""

    def __init__(self, find: Callable[[], Stack], deployment: Callable[[Progress], LocalDeployment]) -> None:
        self._find = find
        observer, performer = StackObserver(find), Performer(find, deployment)
        self.look = observer.look
        self.look_again = observer.look_again
        self.perform = performer.perform

    def check(self) -> None:
        """Raises NothingRuns."""
        self._find()

    def detail(self, task: str, seen: Observation) -> TaskDetail:
        """The details of a task that was seen."""
        stack = self._find()
        if task in stack.containers:
            return containers.detail(task, stack.containers[task])
        return detail.of_task(stack, seen, task)


def running_stack(directory: Path) -> RunningStack:
    """The stack of this directory."""
    return RunningStack(partial(lifecycle.running, directory), partial(deployment_of, directory))
