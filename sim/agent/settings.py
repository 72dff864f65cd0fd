"""The agent's settings: a JSON file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sim.aws.arn import last_part
from sim.cluster import task_endpoint
from sim.cluster.desired import DesiredTask
from sim.errors import SimError


class BadSettings(SimError):
    """The agent's settings cannot be read."""


class Processes(BaseModel):
    """Containers are processes. `programs` is a file of what runs in place of images, which is read at each start.

    `groups` is a folder with a file for each process group that runs, by which a watchdog finds what an agent left.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["processes"]
    programs: Path
    groups: Path


class Docker(BaseModel):
    """Containers are containers of the Docker engine, in a network of the run. `run` is the run's label.

    `edge` is the container that all load balancers are in, which the names of load balancers mean there. `images` are
    local images by the repository that each stands for: they are never pulled.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["docker"]
    run: str
    network: str
    edge: str = ""
    images: Mapping[str, str] = Field(default_factory=dict)


class Settings(BaseModel):
    """`control_plane` is its URL. `state` is a folder of the agent's own, in which an agent later finds its tasks.

    `given` are variables of every container beside the definition's, whose own values win; `given_to` are further ones
    of containers by their name. `{account}`, `{region}`, `{task}` and `{container}` in a value are filled in.
    `task_endpoint` is the URL at which a task asks for metadata and credentials.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    control_plane: str
    state: Path
    given: Mapping[str, str]
    given_to: Mapping[str, Mapping[str, str]] = Field(default_factory=dict)
    task_endpoint: str = task_endpoint.LINK_LOCAL
    runtime: Processes | Docker = Field(discriminator="kind")

    def variables(self, task: DesiredTask, container: str) -> dict[str, str]:
        """What a container of a task is given beside its definition."""
        place = task.place
        names = {"account": place.account, "region": place.region, "task": last_part(task.arn), "container": container}
        given = {**self.given, **self.given_to.get(container, {})}
        filled = {name: value.format_map(names) for name, value in given.items()}
        return {**filled, **task_endpoint.environment(task, container, self.task_endpoint)}


def read(path: Path) -> Settings:
    """Raises BadSettings."""
    try:
        return Settings.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise BadSettings(f"cannot read the agent's settings in {path}: {error}") from None


def write(path: Path, settings: Settings) -> None:
    """Writes the file that `read` reads."""
    path.write_text(settings.model_dump_json())
