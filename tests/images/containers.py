"""Containers of the services' images, as confined as production has them and without a network."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sim.host.cleanup import Cleanup
from sim.host.command import run
from sim.host.container import LABEL, new_run

_CONFINED = ("--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--network", "none")


def docker_run(image: str, *options: str, command: tuple[str, ...] = ()) -> str:
    """What a container printed that ran to its end. Raises CommandFailed if that was not 0."""
    return run(["docker", "run", "--rm", *_CONFINED, *options, image, *command], remedy="")


@contextmanager
def running(image: str, *options: str) -> Iterator[str]:
    """The id of a container that runs for as long as the block does."""
    label = f"{LABEL}={new_run()}"
    with Cleanup() as cleanup:
        cleanup.owns("label", label)
        yield run(["docker", "run", "--detach", "--label", label, *_CONFINED, *options, image], remedy="").strip()


def inspect(container_or_image: str, template: str) -> str:
    """What the engine knows of it. https://docs.docker.com/reference/cli/docker/inspect/"""
    return run(["docker", "inspect", "--format", template, container_or_image], remedy="").strip()
