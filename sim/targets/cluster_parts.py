"""The edge and the agent of a cluster as processes of this machine."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import sim
from sim.agent import programs
from sim.agent.programs import Program
from sim.agent.settings import Docker, Processes, Settings, write
from sim.cloud.local import inherited
from sim.cluster.task_endpoint import LINK_LOCAL
from sim.host.cleanup import Cleanup
from sim.host.docker_settings import docker_environment
from sim.host.process import Process, free_port
from sim.targets.cluster_processes import ClusterProcesses
from sim.targets.settings import NO_INSTANCE_METADATA

_SOURCE: Final = Path(sim.__file__).parents[1]
GivenTo = Mapping[str, Mapping[str, str]]
"""Variables of containers, by a container's name."""


def agent_directory(cleanup: Cleanup) -> Path:
    """The agent's folder."""
    return cleanup.directory / "agent"


def start_processes(
    parts: ClusterProcesses,
    cleanup: Cleanup,
    endpoint: str,
    of_images: Mapping[str, Program],
    given_to: GivenTo | None = None,
) -> None:
    """Begins the start of an edge and of an agent whose tasks are processes. `endpoint` is the local cloud's."""
    control = free_port()
    url = f"http://127.0.0.1:{control}"
    cloud, directory = urlsplit(endpoint).netloc, str(cleanup.directory / "edge")
    edge = _process(cleanup, "edge", "--cloud", cloud, "--control", str(control), "--directory", directory)
    own = agent_directory(cleanup)
    own.mkdir(parents=True, exist_ok=True)
    file, groups = own / "programs.json", own / "groups"
    cleanup.owns("groups", groups)
    programs.write(file, of_images)
    runtime = Processes(kind="processes", programs=file, groups=groups)
    parts.start(edge, url, str, agent(cleanup, endpoint, endpoint, runtime, given_to or {}, url))


def agent(
    cleanup: Cleanup,
    control_plane: str,
    endpoint: str,
    runtime: Docker | Processes,
    given_to: GivenTo,
    task_endpoint: str = LINK_LOCAL,
) -> Process:
    """The agent. `control_plane` is the local cloud's URL for itself, `endpoint` the one that it gives to tasks."""
    directory = agent_directory(cleanup)
    directory.mkdir(parents=True, exist_ok=True)
    file = directory / "settings.json"
    settings = Settings(
        control_plane=control_plane,
        state=directory,
        given={"AWS_ENDPOINT_URL": endpoint, "AWS_REGION": "{region}", **NO_INSTANCE_METADATA},
        given_to=given_to,
        task_endpoint=task_endpoint,
        runtime=runtime,
    )
    write(file, settings)
    return _process(cleanup, "agent", str(file))


def _process(cleanup: Cleanup, name: str, *arguments: str) -> Process:
    module = {"edge": "sim.cloud.edge", "agent": "sim.agent"}[name]
    environment = {**inherited(), **docker_environment(), "PYTHONPATH": str(_SOURCE), "PYTHONUNBUFFERED": "1"}
    return Process(name, [sys.executable, "-m", module, *arguments], environment, cleanup)
