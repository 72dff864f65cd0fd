"""A container that is followed as if it were a process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from python_on_whales import DockerClient

from sim.host.cleanup import Cleanup
from sim.host.container import Container, ContainerFailed, Network, Spec, new_run
from sim.host.container_process import ContainerProcess
from sim.host.engine_api import LABEL
from sim.host.waiting import until
from sim.images.build import Images

pytestmark = [pytest.mark.usefixtures("docker"), pytest.mark.timeout(300)]

_SECONDS = 30


@pytest.fixture
def made(images: Images) -> Iterator[Container]:
    """A web server, in a container of the image of the kit. It does not run yet."""
    run = new_run()
    with Cleanup() as cleanup:
        cleanup.owns("label", f"{LABEL}={run}")
        network = Network.create(run, "alone")
        command = ("http.server", "8000")
        yield Container.create(run, Spec("server", images.kit, {}, {network: ()}, confined=True, command=command))


@pytest.fixture
def followed(made: Container) -> Iterator[ContainerProcess]:
    """The same, followed."""
    with Cleanup() as cleanup:
        process = ContainerProcess("server", made, cleanup)
        process.start()
        yield process
        process.kill()


def test_it_ends_with_its_container_and_its_log_is_that_of_all_starts(followed: ContainerProcess) -> None:
    until(lambda: followed.tail().count("Serving HTTP") == 1, "its first line", seconds=_SECONDS)
    assert followed.pid is not None
    followed.check()
    followed.kill()
    assert followed.pid is None
    with pytest.raises(ContainerFailed, match="server ended with 137"):
        followed.check()
    followed.start()
    until(lambda: followed.tail().count("Serving HTTP") == 2, "its line of both starts", seconds=_SECONDS)
    followed.check()


def test_a_container_that_was_removed_meanwhile_has_no_log(made: Container) -> None:
    """The agent removes what is left of a task while somebody reads the logs of all tasks."""
    made.start()
    DockerClient().container.remove(made.name, force=True)
    assert made.logs() == ""
