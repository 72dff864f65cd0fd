"""Containers of the services' images, as confined as production has them and without a network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Final

from python_on_whales import Container, DockerClient

from sim.host.cleanup import Cleanup
from sim.host.container import new_run
from sim.host.engine_api import LABEL

DOCKER: Final = DockerClient()

_CONFINED: Final[Mapping[str, Any]] = {
    "read_only": True,
    "cap_drop": ["ALL"],
    "security_options": ["no-new-privileges"],
    "networks": ["none"],
}


def docker_run(image: str, *command: str, entrypoint: str | None = None) -> str:
    """What a container printed that ran to its end. Raises DockerException if that was not 0."""
    return str(DOCKER.run(image, command, entrypoint=entrypoint, remove=True, **_CONFINED))


@contextmanager
def running(image: str, environment: Mapping[str, str], writable: tuple[str, ...]) -> Iterator[Container]:
    """A container for as long as the block lasts, its health asked every second."""
    run = new_run()
    with Cleanup() as cleanup:
        cleanup.owns("label", f"{LABEL}={run}")
        container = DOCKER.run(
            image,
            envs=environment,
            tmpfs=writable,
            labels={LABEL: run},
            health_interval=timedelta(seconds=1),
            detach=True,
            **_CONFINED,
        )
        assert isinstance(container, Container)
        yield container
