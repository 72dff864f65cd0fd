"""What runs containers: Docker, or processes of this machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from sim.agent.core import Start
from sim.agent.events import Event
from sim.agent.local import LocalTask
from sim.agent.telemetry import Usage
from sim.cloud.registry.source_image import Source
from sim.cluster.aws_clock import AwsClock
from sim.cluster.desired import Place
from sim.errors import SimError

Notify = Callable[[Event], None]


class CannotStart(SimError):
    """A container cannot be started. The message is the reason, which begins with the agent's name of the error."""


class NotYet(SimError):
    """An action cannot be carried out now; later it may."""


class Registry(Protocol):
    """ECR, as far as images come from it. `keys` is the path of the keys with which it is asked."""

    def login(self, image: str, place: Place, keys: str) -> Mapping[str, str] | None:
        """A username and a password for the image's registry; None if it asks for none. Raises CannotStart."""

    def source(self, image: str, place: Place, keys: str) -> Source | None:
        """What is registered as a version in place of an image; None without one. Raises CannotStart."""


class Runtime(Protocol):
    """Runs the containers of tasks, and says what becomes of them by the events that it is given `notify` for.

    Actions on one container come one after the other, those on several at the same time.
    """

    def begin(self, notify: Notify, clock: AwsClock) -> None:
        """Begins to watch. Health checks come by AWS's clock."""

    def find(self, task: LocalTask, container: str) -> Event:
        """What is there of a container that an agent before this one began to start: Started or NotFound."""

    def start(self, start: Start, environment: Mapping[str, str]) -> Event:
        """Starts a container. Its end follows as an event. Raises CannotStart."""

    def signal(self, task: LocalTask, container: str) -> None:
        """Sends SIGTERM to the container's first process. Raises NotYet."""

    def kill(self, task: LocalTask, container: str) -> None:
        """Sends SIGKILL to all of the container. Raises NotYet."""

    def freeze(self, task: LocalTask, container: str) -> None:
        """Cuts the container off within 0.1 s. Raises SimError; it may be called again."""

    def thaw(self, task: LocalTask, container: str) -> Event | None:
        """Undoes `freeze`. Moved, if the container has another address now. Raises SimError; it may be called again."""

    def usage(self, task: LocalTask, container: str) -> Usage | None:
        """What the container uses; None if it does not run."""

    def remove(self, task: LocalTask) -> None:
        """Removes what is left of a task."""

    def close(self) -> None:
        """Watches no longer. The containers run on."""
