"""The Docker engine in the terms of its own API, by docker-py, which testcontainers includes.

Only this module and `container.py` use it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import requests
from docker import APIClient
from docker.errors import APIError, DockerException, NotFound
from docker.utils import parse_repository_tag
from testcontainers.core.docker_client import DockerClient

from sim.errors import SimError
from sim.host.waiting import until

LABEL: Final = "email-pipeline.run"
"""The label of everything that a run makes in the engine; its value is the run's name."""
_PAUSED: Final = "is already paused"
_NOT_FROZEN: Final = "unable to freeze"
_PAUSE_SECONDS: Final = 30


class NoEngine(SimError):
    """No Docker engine answers."""


def engine_client() -> DockerClient:
    """A client for the engine that the environment names, else Docker's current context. Raises NoEngine."""
    try:
        found = DockerClient()
        found.client.ping()
    except DockerException as error:
        raise NoEngine(f"no Docker engine answers ({error}); start one, or choose another target") from None
    return found


class EngineRefused(SimError):
    """The engine refused a request. The message is the engine's own."""


class EngineApi:
    """The engine in the terms of its own API, for containers that set more than a `Spec` does.

    Containers are named by name or id. Every method but `events` and `logs` raises EngineRefused.
    https://docs.docker.com/reference/api/engine/version/v1.45/
    """

    def __init__(self) -> None:
        """Raises NoEngine."""
        self._api = engine_client().client.api

    def pull(self, image: str, auth: Mapping[str, str] | None = None) -> None:
        """Pulls an image from its registry; `auth` has a username and a password."""
        repository, tag = parse_repository_tag(image)
        login = dict(auth) if auth else None
        with _refusals():
            for step in self._api.pull(repository, tag or "latest", auth_config=login, stream=True, decode=True):
                # What goes wrong once layers are on their way is in the answer, whose status is a success.
                if "error" in step:
                    raise EngineRefused(str(step["error"]))

    def image(self, name: str) -> dict[str, Any] | None:
        """The engine's description of an image that it has; None if it has none of this name or digest."""
        with _refusals():
            try:
                return dict(self._api.inspect_image(name))
            except NotFound:
                return None

    def create(self, name: str, request: Mapping[str, Any]) -> None:
        """Creates a container by the body of ContainerCreate, if there is none of this name."""
        if self.inspect(name) is None:
            with _refusals():
                self._api.create_container_from_config(dict(request), name)

    def volume(self, name: str, run: str) -> None:
        """Creates a volume of the run, if there is none of this name."""
        with _refusals():
            self._api.create_volume(name, labels={LABEL: run})

    def start(self, container: str) -> None:
        """Starts a container."""
        with _refusals():
            self._api.start(container)

    def signal(self, container: str, name: str) -> None:
        """Sends a signal to the container's first process."""
        with _refusals():
            self._api.kill(container, name)

    def usage(self, container: str) -> dict[str, Any]:
        """What the container uses, as ContainerStats has it, without a second look for a difference."""
        with _refusals():
            return dict(self._api.stats(container, stream=False, one_shot=True))

    def pause(self, container: str) -> None:
        """Stops all processes of the container where they are. Raises EngineRefused and TimedOut."""
        with _refusals():
            pause(self._api, container)

    def unpause(self, container: str) -> None:
        """Undoes `pause`."""
        with _refusals():
            self._api.unpause(container)

    def connect(self, container: str, network: str, links: Mapping[str, str], link_local: str) -> None:
        """Connects the container to a network, in which it knows others by name: `links` are pairs of both.

        `link_local` is one more address of it there.
        """
        with _refusals():
            self._api.connect_container_to_network(container, network, links=dict(links), link_local_ips=[link_local])

    def disconnect(self, container: str, network: str) -> None:
        """Disconnects the container from a network. Packets in transit are lost."""
        with _refusals():
            self._api.disconnect_container_from_network(container, network, force=True)

    def inspect(self, container: str) -> dict[str, Any] | None:
        """The engine's description of a container; None if there is none."""
        with _refusals():
            try:
                return dict(self._api.inspect_container(container))
            except NotFound:
                return None

    def remove(self, container: str) -> None:
        """Removes a container with its unnamed volumes, if it is there."""
        with _refusals(), contextlib.suppress(NotFound):
            self._api.remove_container(container, force=True, v=True)

    def remove_volume(self, name: str) -> None:
        """Removes a volume, if it is there."""
        with _refusals(), contextlib.suppress(NotFound):
            self._api.remove_volume(name)

    def logs(self, container: str, since: float | None) -> Iterator[bytes]:
        """What the container writes, in pieces, each line with its time; ends when the container does."""
        pieces: Iterator[bytes] = self._api.logs(container, stream=True, follow=True, timestamps=True, since=since)
        return pieces

    def events(self, run: str, since: float) -> Iterator[dict[str, Any]]:
        """What happens to the containers of a run, from then on and without end."""
        filters = {"type": "container", "label": f"{LABEL}={run}"}
        found: Iterator[dict[str, Any]] = self._api.events(since=since, filters=filters, decode=True)
        return found


def pause(api: APIClient, container: str) -> None:
    """Pauses a container, unless it is paused. Raises TimedOut.

    The freezer of cgroup v1 gives up within milliseconds while a process starts another, so it is asked again.
    """

    def paused() -> bool:
        try:
            api.pause(container)
        except APIError as error:
            if _PAUSED in str(error.explanation):
                return True
            if _NOT_FROZEN not in str(error.explanation):
                raise
            return False
        return True

    until(paused, f"the engine to pause {container}", seconds=_PAUSE_SECONDS)


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except APIError as error:
        raise EngineRefused(str(error.explanation or error)) from None
    except (DockerException, requests.RequestException) as error:
        raise EngineRefused(str(error)) from None
