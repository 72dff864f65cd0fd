"""What makes a local cloud's cluster run: the agent of its container instances, and the edge, its load balancers."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import sim
from sim.agent import programs, settings
from sim.agent.programs import Program
from sim.agent.settings import Processes, Settings
from sim.cloud.aws_client import CREDENTIALS, NO_FILES, REGION
from sim.cloud.local import inherited
from sim.host.cleanup import Cleanup
from sim.host.loopback import json_of
from sim.host.process import Process, free_port
from sim.host.waiting import until

_ASK_SECONDS = 2
_READY_SECONDS = 30
_STARTS_AGAIN = 5
_WITHIN_SECONDS = 60.0
_SOURCE = Path(sim.__file__).parents[1]


class ClusterProcesses:
    """Agent and edge of a local cloud, as processes."""

    def __init__(self, cleanup: Cleanup) -> None:
        self._cleanup = cleanup
        self.processes: list[Process] = []
        """The edge and the agent, once they were started. By `control_port` the edge is asked."""
        self._started_again: defaultdict[str, list[float]] = defaultdict(list)

    @property
    def directory(self) -> Path:
        """The agent's folder."""
        return self._cleanup.directory / "agent"

    def start(self, endpoint: str, of_services: Mapping[str, Program]) -> None:
        """Begins the start of both. `endpoint` is the local cloud's; the programs are by service."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self.control_port = free_port()
        self.processes = [self._new_edge(endpoint), self._new_agent(endpoint, of_services)]
        for process in self.processes:
            process.start()

    def start_again(self, now: float) -> bool:
        """Starts what has ended again; true if something had. The agent finds its tasks, the edge has its ports.

        Raises ProcessFailed if it was started again 5 times within the last minute. `now` is a time in seconds.
        """
        ended = [each for each in self.processes if each.pid is None]
        for process in ended:
            lately = [at for at in self._started_again[process.name] if now - at < _WITHIN_SECONDS]
            if len(lately) == _STARTS_AGAIN:
                process.check()
            self._started_again[process.name] = [*lately, now]
            process.kill()
            process.start()
        return bool(ended)

    def stop(self) -> None:
        """Ends both. The tasks end with the run."""
        for process in reversed(self.processes):
            process.kill()

    def await_listener(self, dns_name: str, port: int) -> str:
        """HOST:PORT at which a load balancer listens here, once it does. Raises TimedOut or ProcessFailed."""
        where = (dns_name, port)
        what = f"{dns_name} to listen on port {port}"
        return until(lambda: self._addresses().get(where, ""), what, seconds=_READY_SECONDS, seen=self._addresses)

    def _addresses(self) -> dict[tuple[str, int], str]:
        """Where each listener is on this machine, by the load balancer's DNS name and the listener's port."""
        for process in self.processes:
            process.check()
        shown: dict[str, Any] = json_of(f"http://127.0.0.1:{self.control_port}/listeners", seconds=_ASK_SECONDS) or {}
        return {
            (each["dns_name"], each["port"]): each["addresses"][-1]
            for each in shown.get("listeners", ())
            if each["addresses"]
        }

    def _new_edge(self, endpoint: str) -> Process:
        cloud, control = urlsplit(endpoint).netloc, str(self.control_port)
        directory = str(self._cleanup.directory / "edge")
        return self._new("edge", "sim.cloud.edge", "--cloud", cloud, "--control", control, "--directory", directory)

    def _new_agent(self, endpoint: str, of_services: Mapping[str, Program]) -> Process:
        file, programs_file, groups = (self.directory / name for name in ("settings.json", "programs.json", "groups"))
        self._cleanup.owns("groups", groups)
        programs.write(programs_file, of_services)
        given = {"AWS_ENDPOINT_URL": endpoint, "AWS_REGION": REGION, **CREDENTIALS, **NO_FILES}
        runtime = Processes(kind="processes", programs=programs_file, groups=groups)
        settings.write(file, Settings(control_plane=endpoint, state=self.directory, given=given, runtime=runtime))
        return self._new("agent", "sim.agent", str(file))

    def _new(self, name: str, module: str, *arguments: str) -> Process:
        environment = {**inherited(), "PYTHONPATH": str(_SOURCE), "PYTHONUNBUFFERED": "1"}
        return Process(name, [sys.executable, "-m", module, *arguments], environment, self._cleanup)
