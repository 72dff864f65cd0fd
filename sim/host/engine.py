"""The Docker engine by its command line, which python-on-whales runs: images, networks, and what is left of a run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from python_on_whales import DockerClient
from python_on_whales.exceptions import DockerException

from sim.errors import SimError

_LAST_LINES = 30


class EngineFailed(SimError):
    """The engine could not do what it was asked for."""


@contextmanager
def engine(remedy: str) -> Iterator[DockerClient]:
    """A client of the engine. What fails in the block becomes EngineFailed, which ends with `remedy`."""
    try:
        yield DockerClient()
    except DockerException as error:
        lines = (error.stderr or "").strip().splitlines()[-_LAST_LINES:]
        command = " ".join(error.docker_command[1:3])
        raise EngineFailed("\n".join([f"`docker {command}` failed:", *lines, remedy])) from None


def remove_labelled(label: str) -> None:
    """Removes the containers, then the networks, that bear a label. Raises EngineFailed."""
    with engine("`docker ps --all` shows what is left.") as docker:
        if containers := docker.container.list(all=True, filters={"label": label}):
            docker.container.remove(containers, force=True, volumes=True)
        if networks := docker.network.list(filters={"label": label}):
            docker.network.remove([network.id for network in networks])
