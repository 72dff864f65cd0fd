"""What makes a local cloud's cluster run: the agent of its container instances, and the edge, its load balancers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from sim.host.loopback import json_of
from sim.host.process import Process
from sim.host.waiting import until

_ASK_SECONDS = 2
_READY_SECONDS = 30
_STARTS_AGAIN = 5
_WITHIN_SECONDS = 60.0


class ClusterProcesses:
    """Edge and agent of a local cloud. The edge may be a container that has a process's members."""

    def __init__(self) -> None:
        self.processes: list[Process] = []
        """The edge and the agent, once they were started."""
        self._started_again: defaultdict[str, list[float]] = defaultdict(list)

    def start(self, edge: Process, control: str, here: Callable[[str], str], agent: Process) -> None:
        """Begins the start of both. `control` is the URL at which the edge is asked.

        `here` returns HOST:PORT on this machine for an address at which the edge listens.
        """
        self.control = control
        self._here = here
        self.processes = [edge, agent]
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
        shown: dict[str, Any] = json_of(f"{self.control}/listeners", seconds=_ASK_SECONDS) or {}
        return {
            (each["dns_name"], each["port"]): self._here(each["addresses"][-1])
            for each in shown.get("listeners", ())
            if each["addresses"]
        }
