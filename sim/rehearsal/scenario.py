"""The scenario of a trial: what rolls out, what happens meanwhile, and what is expected. It is a TOML file."""

from __future__ import annotations

import tomllib
from enum import StrEnum
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from sim.errors import SimError


class BadScenario(SimError):
    """A file does not describe a scenario, or there is none of this name."""


class Ending(StrEnum):
    """How a deployment ends, in the words of the status of an ECS service deployment.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ServiceDeployment.html
    """

    DEPLOYED = "deployed"
    """SUCCESSFUL: the new version serves alone."""
    ROLLED_BACK = "rolled-back"
    """ROLLBACK_SUCCESSFUL: the version before serves alone again."""
    STOPPED = "stopped"
    """It has failed, and nothing was rolled back."""
    NO_END = "no-end"
    """It was still in progress when the trial ended."""


class Act(StrEnum):
    """What can happen to the cluster."""

    LOSE_INSTANCE = "lose-instance"
    LOSE_ZONE = "lose-zone"
    DRAIN_INSTANCE = "drain-instance"
    SCALE = "scale"
    TAKE_PORT = "take-port"


_PASSING = frozenset({Act.LOSE_INSTANCE, Act.LOSE_ZONE, Act.DRAIN_INSTANCE})


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Step(_Part):
    """An act, and its moment: before the deployment, so long after it began, or once so many new tasks run.

    An instance is the one of the first task of the old version, or of the new one; a zone is the zone of that instance.
    `by` is for `scale`: how many tasks more, or fewer. `for_seconds` is how long a loss or a drain lasts, by
    default until the trial is over.
    """

    do: Act
    before: bool = False
    at_seconds: float | None = Field(None, ge=0)
    when_new_tasks: int | None = Field(None, ge=1)
    of: Literal["old", "new"] = "old"
    by: int = 0
    for_seconds: float | None = Field(None, gt=0)

    @model_validator(mode="after")
    def _has_one_moment(self) -> Self:
        moments = (self.before, self.at_seconds is not None, self.when_new_tasks is not None)
        if sum(moments) != 1:
            raise ValueError("say one of before, at_seconds and when_new_tasks")
        if (self.do is Act.SCALE) != (self.by != 0):
            raise ValueError("scale, and only scale, says by how many tasks: by = 1, by = -1")
        if self.for_seconds is not None and self.do not in _PASSING:
            raise ValueError(f"{self.do} has no for_seconds")
        if self.before and (self.do in {Act.LOSE_INSTANCE, Act.LOSE_ZONE} or self.of == "new"):
            raise ValueError("before the deployment nothing is lost, and there is no new task")
        return self


class Revision(_Part):
    """How the new revision differs from the present one, in the first essential container of its tasks."""

    environment: dict[str, str] = {}
    image: str = ""


class Treatment(_Part):
    """What happens to each task of the new version, in seconds after it runs. None for nothing."""

    pause_after: float | None = Field(None, ge=0)
    resume_after: float | None = Field(None, ge=0)
    kill_after: float | None = Field(None, ge=0)

    @model_validator(mode="after")
    def _resumes_what_is_paused(self) -> Self:
        paused, resumed = self.pause_after, self.resume_after
        if resumed is not None and (paused is None or resumed <= paused):
            raise ValueError("resume_after comes after pause_after")
        return self


class Expected(_Part):
    """What has to come of it. A limit that is None allows anything.

    `outage_seconds_at_most` are the seconds in which requests ended and none was answered well.
    """

    ends: tuple[Ending, ...] = (Ending.DEPLOYED,)
    failed_requests_at_most: int | None = Field(None, ge=0)
    outage_seconds_at_most: int | None = Field(None, ge=0)
    percents_hold: bool = True
    """Whether minimum healthy and maximum percent are to hold all the time."""


class DeploymentScenario(_Part):
    """One scenario. `about` says in a sentence what it rehearses.

    `service` is the only service that it is of use for; "" for any.
    """

    about: str = Field(min_length=1)
    service: str = ""
    watch_seconds: float = Field(600.0, gt=0)
    """A deployment that is in progress for longer has no end."""
    revision: Revision = Revision()
    new_tasks: Treatment = Treatment()
    meanwhile: tuple[Step, ...] = ()
    expect: Expected = Expected()


def read(name: str, text: str) -> DeploymentScenario:
    """The scenario in a file's text; `name` is the file's, for the error. Raises BadScenario."""
    try:
        return DeploymentScenario.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise BadScenario(f"{name} is no TOML: {error}") from None
    except ValidationError as error:
        wrong = "; ".join(
            ": ".join(filter(None, (".".join(map(str, each["loc"])), each["msg"].removeprefix("Value error, "))))
            for each in error.errors()
        )
        raise BadScenario(f"{name} is no scenario: {wrong}; docs/rehearse.md lists the fields") from None
