"""What `sim rehearse plan` predicts of the very service on trial, and how it compares with what was seen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from random import Random
from typing import Final

from sim.cluster.cadence import LOCAL
from sim.errors import SimError
from sim.rehearsal.answers import Answers
from sim.rehearsal.project import Project, scenario
from sim.rehearsal.rehearse import Forecast, forecast
from sim.rehearsal.scenario import USUAL
from sim.rehearsal.terraform_json import Resource
from sim.trial.record import Record
from sim.trial.scenario import DeploymentScenario, Treatment

_DEPLOYMENTS: Final = 20


def predictable(on_trial: DeploymentScenario) -> bool:
    """True for a version that is good or never answers, while nothing else happens: that is what a plan predicts."""
    treatment, revision = on_trial.new_tasks, on_trial.revision
    otherwise = (on_trial.meanwhile, revision.environment, revision.image)
    return not any(otherwise) and (treatment == Treatment() or _hangs(treatment))


def foretold(resources: Iterable[Resource], service: str, on_trial: DeploymentScenario, instances: int) -> Forecast:
    """The prediction for a deployment at the local cloud's pace. `service` is the name that ECS knows.

    Raises NotKnown, NotRehearsed or CannotBegin, or SimError if the resources have no such service.
    """
    project = Project(tuple(resources))
    if service not in project.services():
        raise SimError(f"the roots have no service {service}")
    application = replace(USUAL, answers=not _hangs(on_trial.new_tasks))
    answers = Answers(instances=instances, cadence=LOCAL, application=application)
    # Repeatable, not secret.
    chances = [Random(seed) for seed in range(_DEPLOYMENTS)]  # noqa: S311
    return forecast(scenario(project, service, answers), chances)


def _hangs(treatment: Treatment) -> bool:
    return treatment == Treatment(pause_after=0)


def compared(predicted: Forecast, record: Record) -> str:
    """The prediction beside what was seen, in a sentence. It says what the prediction assumes of the application."""
    takes = [each.seconds for each in predicted.ended if each.seconds is not None]
    time = f"{min(takes):.0f}..{max(takes):.0f} s" if takes else "no end"
    return (
        f"`sim rehearse plan` predicts {time} and at least {predicted.lowest} serving; {record.took_seconds:.0f} s and "
        f"{record.fewest_serving} were seen (assumed: {USUAL})"
    )
