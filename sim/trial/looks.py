"""What a trial sees of its service, look by look, and what is due at a look. Times are seconds of one clock."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from sim.trial.scenario import Step, Treatment

OfTask = Literal["pause", "resume", "kill"]


@dataclass(frozen=True, slots=True)
class SeenTask:
    """A task of the service that is to run. `new` is one of the version on trial.

    `healthy` says that it runs and that its container check, if it has one, has passed. `place` is the ARN of its
    container instance, "" while it has none.
    """

    arn: str
    new: bool
    running: bool
    healthy: bool
    place: str = ""


@dataclass(frozen=True, slots=True)
class Look:
    """The service at a moment. `status` is that of the service deployment on trial, "" before it began."""

    at: float
    tasks: tuple[SeenTask, ...]
    status: str = ""

    def of(self, *, new: bool) -> tuple[SeenTask, ...]:
        """The running tasks of one of the two versions."""
        return tuple(each for each in self.tasks if each.running and each.new is new)


def serving(looks: Iterable[Look]) -> list[frozenset[str]]:
    """The ARNs of the tasks that serve at each look.

    A task serves from when it was found healthy until ECS stops it: a check that a busy machine fails is not ECS's.
    """
    found: set[str] = set()
    serve = []
    for look in looks:
        there = {each.arn for each in look.tasks}
        found |= {each.arn for each in look.tasks if each.healthy}
        serve.append(frozenset(found & there))
    return serve


def percents_broken(looks: Sequence[Look], least: int, most: int) -> list[str]:
    """A sentence for each look at which fewer tasks serve than `least`, or more are there than `most`."""
    return [
        f"{len(serve)} of {len(look.tasks)} tasks served"
        for look, serve in zip(looks, serving(looks), strict=True)
        if len(serve) < least or len(look.tasks) > most
    ]


def due(steps: Sequence[Step], taken: Collection[int], seconds: float, new_tasks: int) -> list[int]:
    """The numbers of the steps that are due and not yet taken.

    The deployment began so many seconds ago, and so many new tasks have run so far.
    """
    return [
        number
        for number, step in enumerate(steps)
        if number not in taken
        and (
            (step.at_seconds is not None and seconds >= step.at_seconds)
            or (step.when_new_tasks is not None and new_tasks >= step.when_new_tasks)
        )
    ]


def hanging_from_the_start(treatment: Treatment, look: Look) -> list[SeenTask]:
    """The new tasks that do not run yet and are to hang as soon as they do.

    One that is paused only when it is seen to run may have answered a health check before.
    """
    return [each for each in look.tasks if each.new and not each.running and treatment.pause_after == 0]


def treated(treatment: Treatment, taken: Collection[OfTask], seconds: float) -> list[OfTask]:
    """What is due to a new task that has run for so long, in its order, without what was done to it already."""
    moments: tuple[tuple[float | None, OfTask], ...] = (
        (treatment.pause_after, "pause"),
        (treatment.resume_after, "resume"),
        (treatment.kill_after, "kill"),
    )
    wanted = sorted((moment, act) for moment, act in moments if moment is not None and moment <= seconds)
    return [act for _, act in wanted if act not in taken]
