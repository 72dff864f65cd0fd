"""The stack of compose.yaml as a target: started, looked at and ended as a user does."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from python_on_whales import Container, DockerClient

from sim.cloud.resources import DataPlane, local_resources
from sim.targets.target import Capability, Service, Target

ROOT = Path(__file__).resolve().parents[2]


def label(project: str) -> str:
    """Which compose gives all that it makes for a project."""
    return f"com.docker.compose.project={project}"


def left(project: str) -> list[str]:
    """The containers, networks and volumes of a project."""
    docker = DockerClient()
    kinds = (
        docker.container.list(all=True, filters=[("label", label(project))]),
        docker.network.list([("label", label(project))]),
        docker.volume.list([("label", label(project))]),
    )
    return [str(each) for kind in kinds for each in kind]


class ComposeTarget(Target):
    """compose.yaml under a project name, on the ports that the environment says."""

    name: ClassVar[str] = "compose"
    capabilities: ClassVar[frozenset[Capability]] = frozenset(
        {Capability.OBJECTS, Capability.QUEUE, Capability.DEAD_LETTERS, Capability.ROTATE_TOKEN}
    )

    def __init__(self, project: str) -> None:
        self.project = project
        self.compose = self.with_profiles().compose
        endpoint = f"http://127.0.0.1:{os.environ['LOCALSTACK_PORT']}"
        self._data_plane = DataPlane(endpoint, local_resources(endpoint))

    def with_profiles(self, *profiles: str) -> DockerClient:
        """The same stack with more of its services."""
        return DockerClient(
            compose_files=[ROOT / "compose.yaml"],
            compose_profiles=list(profiles),
            compose_project_name=self.project,
        )

    def up(self) -> None:
        self.compose.up(wait=True, quiet=True)

    def down(self) -> None:
        # Without its profile, what is in it stays.
        self.with_profiles("demo").compose.down(volumes=True, quiet=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{os.environ['API_PORT']}"

    @property
    def data_plane(self) -> DataPlane:
        return self._data_plane

    def token(self) -> str:
        return self.data_plane.token()

    def containers(self, service: str | None = None) -> list[Container]:
        """Those of one service, or all; the ended ones too."""
        found = self.with_profiles("demo").compose.ps([service] if service else None, all=True)
        return sorted(found, key=lambda container: container.name)

    def logs(self) -> Mapping[str, str]:
        return {container.name: str(container.logs()) for container in self.containers()}

    def runs(self, service: Service) -> bool:
        return all(container.state.running for container in self.containers(service))

    def restore(self) -> None:
        self.up()
