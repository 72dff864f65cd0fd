"""The Docker engine, by python-on-whales: images, networks, and the removal of a run's leftovers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from python_on_whales import DockerClient
from python_on_whales.exceptions import DockerException

from sim.errors import SimError

_LAST_LINES = 30


class EngineFailed(SimError):
    """A Docker command failed."""


@contextmanager
def engine(remedy: str) -> Iterator[DockerClient]:
    """A client for the engine. A Docker error in the block becomes EngineFailed, whose message ends with `remedy`."""
    try:
        yield DockerClient()
    except DockerException as error:
        lines = (error.stderr or "").strip().splitlines()[-_LAST_LINES:]
        command = " ".join(error.docker_command[1:3])
        raise EngineFailed("\n".join([f"`docker {command}` failed:", *lines, remedy])) from None


def remove_labelled(label: str) -> None:
    """Removes the containers with a label, then the networks and volumes with it. Raises EngineFailed."""
    with engine("`docker ps --all` shows what is left.") as docker:
        if containers := docker.container.list(all=True, filters=[("label", label)]):
            docker.container.remove(containers, force=True, volumes=True)
        if networks := docker.network.list(filters=[("label", label)]):
            docker.network.remove([network.id for network in networks])
        if volumes := docker.volume.list(filters=[("label", label)]):
            docker.volume.remove([*volumes])
