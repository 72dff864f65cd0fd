"""The Docker engine, by python-on-whales: images, networks, and the removal of a run's leftovers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

from python_on_whales import DockerClient
from python_on_whales.exceptions import DockerException

from release.docker_client import account_of
from sim.errors import SimError

_PULL_REMEDY = (
    "See that this machine reaches the registry. Where it cannot, `.ci/bases` builds stand-ins on Debian, and "
    "the settings of docs/images.md, in the environment or in the file .env, name images that can be had."
)


class EngineFailed(SimError):
    """A Docker command failed."""


@contextmanager
def engine(remedy: str) -> Iterator[DockerClient]:
    """A client for the engine. A Docker error in the block becomes EngineFailed, whose message ends with `remedy`."""
    try:
        yield DockerClient()
    except DockerException as error:
        raise EngineFailed(account_of(error, remedy)) from None


def obtain(image: str, progress: Callable[[str], None]) -> None:
    """Pulls an image that the engine does not have. Raises EngineFailed."""
    with engine("`docker version` says whether an engine answers.") as docker:
        if docker.image.exists(image):
            return
    progress(f"pulling {image}")
    with engine(_PULL_REMEDY) as docker:
        docker.image.pull(image, quiet=True)


def remove_labelled(label: str) -> None:
    """Removes the containers with a label, then the networks and volumes with it. Raises EngineFailed."""
    with engine("`docker ps --all` shows what is left.") as docker:
        if containers := docker.container.list(all=True, filters=[("label", label)]):
            docker.container.remove(containers, force=True, volumes=True)
        if networks := docker.network.list(filters=[("label", label)]):
            docker.network.remove([network.id for network in networks])
        if volumes := docker.volume.list(filters=[("label", label)]):
            docker.volume.remove([*volumes])


def remove_images(registry: str) -> None:
    """Removes the images that came from a registry, by its address. Raises EngineFailed.

    What else has the same layers keeps them.
    """
    depths: list[tuple[Literal["reference"], str]] = [("reference", f"{registry}{'/*' * depth}") for depth in (1, 2, 3)]
    with engine("`docker image ls` shows what is left.") as docker:
        found = docker.image.list(filters=depths)
        names = {name for image in found for name in (*image.repo_tags, *image.repo_digests)}
        if ours := sorted(name for name in names if name.startswith(f"{registry}/")):
            # A digest goes with the last tag of its repository; what is gone by then is no fault.
            docker.image.remove(ours, force=True)
