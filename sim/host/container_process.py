"""A container with the members of a process: a client of Docker prints its log, and ends when the container does."""

from __future__ import annotations

from sim.host.cleanup import Cleanup
from sim.host.container import Container
from sim.host.docker_settings import docker_environment
from sim.host.process import Process


class ContainerProcess(Process):
    """Follows a container. Its log is the container's, over all its starts."""

    def __init__(self, name: str, container: Container, cleanup: Cleanup) -> None:
        super().__init__(name, ["docker", "logs", "--follow", container.name], docker_environment(), cleanup)
        self._container = container

    def start(self) -> None:
        """Starts the container if it does not run, and follows it."""
        if self._container.state != "running":
            self._container.start()
        self.follow()

    def follow(self) -> None:
        """Follows a container that runs, from the beginning of its log."""
        self.unfollow()
        # The engine prints the whole log again.
        self.log.unlink(missing_ok=True)
        super().start()

    def unfollow(self) -> None:
        """Ends the following. The container goes on."""
        super().kill()

    @property
    def is_left(self) -> bool:
        """True if the container runs and nobody follows it: somebody else has started it again."""
        return self.pid is None and self._container.state == "running"

    def check(self) -> None:
        """Raises ContainerFailed, with the end of its log, if the container has ended."""
        self._container.check()

    def kill(self) -> None:
        """Sends SIGKILL to the container, and waits for the end."""
        if self._container.state == "running":
            self._container.kill()
        super().kill()
