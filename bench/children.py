"""Child processes that end with their `with` block, also after an error."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from sim.errors import SimError

_ROOT = Path(__file__).parent.parent
_READY_SECONDS = 30.0
_STOP_SECONDS = 10.0
_LINES = 20
MIB = 1 << 20


class BenchError(SimError):
    """The benchmark cannot continue. The message names the failure and what to do."""


@dataclass(frozen=True)
class Child:
    """A running child process: a module of this project, and the processes that it started."""

    module: str
    process: psutil.Process
    log: Path

    def resident_mib(self) -> float:
        """Resident memory of the child and its descendants, in MiB. A page that two of them share counts twice."""
        return sum(each.memory_info().rss for each in _tree(self.process)) / MIB

    def cpu_seconds(self) -> float:
        """User and system time of the child and its descendants so far."""
        return _cpu_seconds(_tree(self.process))

    def wait_until(self, ready: Callable[[], bool], what: str) -> None:
        """Waits until `ready`. Raises BenchError if the child ends before, or it takes too long."""
        deadline = time.monotonic() + _READY_SECONDS
        while not ready():
            if not self.process.is_running() or self.process.status() == psutil.STATUS_ZOMBIE:
                raise BenchError(f"{self.module} ended before {what}; the end of its log:\n{self._end_of_log()}")
            if time.monotonic() > deadline:
                raise BenchError(
                    f"{self.module}: no {what} within {_READY_SECONDS:.0f} s; the end of its log:\n{self._end_of_log()}"
                )
            time.sleep(0.02)

    def _end_of_log(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-_LINES:]) or "(none)"


@contextmanager
def child(module: str, *arguments: str, environment: Mapping[str, str] | None = None) -> Iterator[Child]:
    """Runs `python -m module` in the project's root. A temporary file holds its output until it ends.

    The child has its own session. So Ctrl-C reaches only this process, which ends the children in order.
    """
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        log = Path(folder) / "log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                cwd=_ROOT,
                env={**_bare_environment(), **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                yield Child(module, psutil.Process(process.pid), log)
            finally:
                _end(process)


def others_cpu_seconds() -> float:
    """CPU seconds that the machine has spent since its start on anything but this process and its descendants."""
    this = psutil.Process()
    ended = this.cpu_times()
    busy = psutil.cpu_times()
    ours = _cpu_seconds(_tree(this)) + ended.children_user + ended.children_system
    return busy.user + busy.system - ours


def _tree(process: psutil.Process) -> list[psutil.Process]:
    return [process, *process.children(recursive=True)]


def _cpu_seconds(processes: Iterable[psutil.Process]) -> float:
    times = (each.cpu_times() for each in processes)
    return sum(each.user + each.system for each in times)


def _bare_environment() -> dict[str, str]:
    """This process's environment without AWS settings, so that the benchmark cannot use a real account."""
    return {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}


def _end(process: subprocess.Popen[bytes]) -> None:
    """Sends SIGTERM, waits, then kills the child and all its descendants."""
    try:
        descendants = psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        descendants = []
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for orphan in psutil.wait_procs(descendants, timeout=1)[1]:
        orphan.kill()
