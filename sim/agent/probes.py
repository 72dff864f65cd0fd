"""Probes a container that runs as a process, in the way `docker exec` does: in its environment and its folder."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable

import psutil

from sim.agent.health import Probed, after
from sim.agent.runtime import NotYet
from sim.cluster.container_check import ContainerCheck
from sim.cluster.tasks import HealthStatus


class Prober:
    """Runs a health check at its interval, in a thread of its own, until it is stopped."""

    def __init__(
        self, check: ContainerCheck, process: Callable[[], psutil.Process], changed: Callable[[HealthStatus], None]
    ) -> None:
        """`process` is the container's first process; it may raise psutil.NoSuchProcess or NotYet."""
        self._check = check
        self._process = process
        self._changed = changed
        self._stopped = threading.Event()

    def begin(self) -> None:
        """Starts the thread."""
        threading.Thread(target=self._run, name="health check", daemon=True).start()

    def stop(self) -> None:
        """Ends the thread, once a probe that runs has ended."""
        self._stopped.set()

    def _run(self) -> None:
        probed = Probed()
        while not self._stopped.wait(self._check.interval):
            with contextlib.suppress(psutil.NoSuchProcess, NotYet):
                process = self._process()
                if process.status() == psutil.STATUS_STOPPED:
                    continue
                passed = self._passes(process)
                before, probed = (
                    probed,
                    after(self._check, probed, passed=passed, age=time.time() - process.create_time()),
                )
                if probed.status != before.status and not self._stopped.is_set():
                    self._changed(probed.status)

    def _passes(self, process: psutil.Process) -> bool:
        probe = subprocess.Popen(  # noqa: S603 - the task definition's command
            self._check.command,
            env=process.environ(),
            cwd=process.cwd(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            return probe.wait(self._check.timeout) == 0
        except subprocess.TimeoutExpired:
            os.killpg(probe.pid, signal.SIGKILL)
            probe.wait()
            return False
