"""What compose.yaml is run with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sim.host.cleanup import Cleanup
from sim.host.container import new_run
from sim.host.process import free_port
from sim.images.build import Images
from tests.compose.target import label


@pytest.fixture(scope="module")
def project() -> Iterator[str]:
    """A name for a stack. Whatever bears it is removed in the end, even if the run is killed."""
    name = new_run()
    with Cleanup() as cleanup:
        cleanup.owns("label", label(name))
        yield name


@pytest.fixture(scope="module")
def environment(images: Images, project: str, dead_proxies: Path) -> Iterator[pytest.MonkeyPatch]:
    """The environment that compose reads: the project, the images, free ports, and what is fast to test.

    Docker's configuration names proxies that do not answer.
    """
    ports = {"API_PORT": str(free_port()), "LOCALSTACK_PORT": str(free_port())}
    fast = {"DEMO_RATE": "10", "VISIBILITY_TIMEOUT_SECONDS": "5"}
    nothing_else = {"COMPOSE_PROFILES": "", "SIM_TOKEN": "", "DOCKER_CONFIG": str(dead_proxies)}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "COMPOSE_PROJECT_NAME": project,
            **images.settings(),
            **ports,
            **fast,
            **nothing_else,
        }.items():
            patch.setenv(name, value)
        yield patch
