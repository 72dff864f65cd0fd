"""What makes a local cloud's cluster run: the agent of its container instances, and the edge, its load balancers."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import sim
from sim.cloud.aws_client import CREDENTIALS, NO_FILES, REGION
from sim.host.cleanup import Cleanup
from sim.host.loopback import json_of
from sim.host.process import Process, free_port
from sim.host.waiting import until

_ASK_SECONDS = 2
_READY_SECONDS = 30
_SOURCE = Path(sim.__file__).parents[1]


@dataclass(frozen=True)
class Program:
    """What runs as a process in place of an image. The fields are those of `sim.agent.programs.Program`."""

    command: Sequence[str]
    directory: str
    environment: Mapping[str, str] = field(default_factory=dict)


class ClusterProcesses:
    """Agent and edge of a local cloud, as processes."""

    def __init__(self, cleanup: Cleanup) -> None:
        self._cleanup = cleanup
        self.processes: list[Process] = []
        """The edge and the agent, once they were started. By `control_port` the edge is asked."""

    @property
    def directory(self) -> Path:
        """The agent's folder. It has a folder `tasks` with one for each task."""
        return self._cleanup.directory / "agent"

    def start(self, endpoint: str, programs: Mapping[str, Program]) -> None:
        """Begins the start of both. `endpoint` is the local cloud's; `programs` are by service."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self._cleanup.owns("groups", self.directory / "groups")
        self._programs_file.write_text(json.dumps({name: asdict(each) for name, each in programs.items()}))
        self.control_port = free_port()
        self.processes = [self._new_edge(endpoint), self._new_agent(endpoint)]
        for process in self.processes:
            process.start()

    def stop(self) -> None:
        """Ends both, and the tasks."""
        for process in reversed(self.processes):
            process.kill()

    def check(self) -> None:
        """Raises ProcessFailed if one of them has ended."""
        for process in self.processes:
            process.check()

    def await_listener(self, dns_name: str, port: int) -> str:
        """HOST:PORT at which a load balancer listens on this machine, once it does. Raises TimedOut."""

        def address() -> str:
            self.check()
            return next(
                (
                    each["addresses"][-1]
                    for each in self.listeners()
                    if (each["dns_name"], each["port"]) == (dns_name, port) and each["addresses"]
                ),
                "",
            )

        return until(address, f"{dns_name} to listen on port {port}", seconds=_READY_SECONDS, seen=self.listeners)

    def listeners(self) -> list[dict[str, Any]]:
        """Every listener of every load balancer, as the edge shows it; none before the edge answers."""
        found = json_of(f"http://127.0.0.1:{self.control_port}/listeners", seconds=_ASK_SECONDS)
        return found["listeners"] if found else []

    @property
    def _programs_file(self) -> Path:
        return self.directory / "programs.json"

    def _new_edge(self, endpoint: str) -> Process:
        cloud = urlsplit(endpoint).netloc
        return self._new(
            "edge",
            *(
                "--cloud",
                cloud,
                "--control",
                str(self.control_port),
                "--directory",
                str(self._cleanup.directory / "edge"),
            ),
            module="sim.cloud.edge",
        )

    def _new_agent(self, endpoint: str) -> Process:
        settings = self.directory / "settings.json"
        settings.write_text(
            json.dumps(
                {
                    "control_plane": endpoint,
                    "state": str(self.directory),
                    "given": {"AWS_ENDPOINT_URL": endpoint, "AWS_REGION": REGION, **CREDENTIALS, **NO_FILES},
                    "runtime": {
                        "kind": "processes",
                        "programs": str(self._programs_file),
                        "groups": str(self.directory / "groups"),
                    },
                }
            )
        )
        return self._new("agent", str(settings), module="sim.agent")

    def _new(self, name: str, *arguments: str, module: str) -> Process:
        inherited = {key: os.environ[key] for key in ("HOME", "LANG", "PATH") if key in os.environ}
        environment = {**NO_FILES, **inherited, "PYTHONPATH": str(_SOURCE), "PYTHONUNBUFFERED": "1"}
        return Process(name, [sys.executable, "-m", module, *arguments], environment, self._cleanup)


def signal_task(agent: Path, task: str, number: signal.Signals) -> None:
    """Sends a signal to every process of a task, by its id. `agent` is the agent's folder."""
    for file in (agent / "tasks" / task).glob("*/pid"):
        with contextlib.suppress(ProcessLookupError, FileNotFoundError):
            os.killpg(int(file.read_text()), number)
