"""Containers as processes of this machine.

A container has a folder. A small shell leads its process group and writes two files there: `pid`, its own process id,
before it runs the command, and `exit`, the command's exit code, after it. Only one shell can write `pid`, so a command
runs once, whatever becomes of the agent; and the exit code is there also for an agent that was started later.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import psutil
from pydantic import TypeAdapter

from sim.agent import definition, programs
from sim.agent.core import Start
from sim.agent.events import Event, Exited, HealthChanged, NotFound, Started
from sim.agent.local import Binding, LocalTask
from sim.agent.logs import FileSource, LogShipper, Stream, stream
from sim.agent.probes import Prober
from sim.agent.runtime import CannotStart, Notify, NotYet, Registry
from sim.agent.telemetry import Usage
from sim.aws.arn import last_part
from sim.cluster.aws_clock import AwsClock
from sim.cluster.container_check import container_check
from sim.cluster.tasks import HealthStatus
from sim.host.identity import start_of
from sim.host.process import free_port
from sim.host.waiting import until

TASKS: Final = "tasks"
"""The folder in the agent's own that has a folder for each task, with one for each of its containers."""
_LOOK_SECONDS: Final = 0.05
_START_SECONDS: Final = 10.0
_SIGKILLED: Final = 137
_SHELL: Final = """
set -C
{ echo $$ > "$0/pid"; } 2> /dev/null || exit 0
trap : TERM
"$@" >> "$0/log" 2>&1 < /dev/null
echo $? > "$0/exit"
"""
"""A trap, not a disregard: the command would inherit that."""
_BINDINGS: Final = TypeAdapter(tuple[Binding, ...])


@dataclass
class _Running:
    """A container that runs, by the id of its shell, which is that of its process group. `shell` is one of ours."""

    task: str
    container: str
    folder: Path
    group: int
    shell: subprocess.Popen[bytes] | None
    prober: Prober | None = None
    stream: Stream | None = None

    def first_process(self) -> psutil.Process:
        """What the shell runs. Raises psutil.NoSuchProcess or NotYet."""
        children = psutil.Process(self.group).children()
        if not children:
            raise NotYet(f"{self.container} has not started its command")
        return children[0]

    def is_frozen(self) -> bool:
        """Whether its processes are stopped."""
        try:
            return psutil.Process(self.group).status() == psutil.STATUS_STOPPED
        except psutil.NoSuchProcess:
            return False

    def has_ended(self) -> bool:
        """Whether nothing of its shell runs."""
        return start_of(self.group) is None if self.shell is None else self.shell.poll() is not None


class ProcessRuntime:
    """Runs the programs in place of images. `groups` is a folder with a file for each process group that runs."""

    def __init__(
        self, registry: Registry, directory: Path, groups: Path, programs_file: Path, logs: LogShipper
    ) -> None:
        self._registry = registry
        self._directory = directory
        self._groups = groups
        self._programs_file = programs_file
        self._logs = logs
        self._running: dict[tuple[str, str], _Running] = {}
        self._lock = threading.Lock()
        self._closed = threading.Event()

    def begin(self, notify: Notify, clock: AwsClock) -> None:
        self._notify = notify
        self._clock = clock
        self._groups.mkdir(parents=True, exist_ok=True)
        self._watcher = threading.Thread(target=self._watch, name="watch processes", daemon=True)
        self._watcher.start()

    def close(self) -> None:
        self._closed.set()
        self._watcher.join()

    def find(self, task: LocalTask, container: str) -> Event:
        if _number(self._folder(task, container) / "pid") is None:
            return NotFound(task.task.arn, container)
        return self._started(task, container, None)

    def start(self, start: Start, environment: Mapping[str, str]) -> Event:
        task, name = start.task, start.container
        defined = definition.container(task.task, name)
        program = self._program(defined["image"], task)
        folder = self._folder(task, name)
        own = folder / "own"
        own.mkdir(parents=True, exist_ok=True)
        bindings = self._bound(task, name, folder)
        local = {key: programs.filled(value, bindings, own) for key, value in program.environment.items()}
        complete = {**environment, **local}
        first = list(defined.get("entryPoint") or program.command)
        command = [programs.filled(each, bindings, own) for each in (*first, *(defined.get("command") or ()))]
        if shutil.which(command[0], path=complete.get("PATH", os.defpath)) is None:
            raise CannotStart(
                "CannotStartContainerError: Error response from daemon: failed to create task for container: "
                f'exec: "{command[0]}": executable file not found in $PATH'
            )
        if to := stream(task, defined, _id(task, name)):
            self._logs.make(to)
        shell = subprocess.Popen(  # noqa: S603 - what the caller named for the image
            ["/bin/sh", "-c", _SHELL, str(folder), *command],
            cwd=defined.get("workingDirectory") or program.directory,
            env=complete,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        return self._started(task, name, shell)

    def signal(self, task: LocalTask, container: str) -> None:
        with contextlib.suppress(psutil.NoSuchProcess):
            self._of(task, container).first_process().send_signal(signal.SIGTERM)

    def kill(self, task: LocalTask, container: str) -> None:
        _signal_group(self._of(task, container), signal.SIGKILL)

    def freeze(self, task: LocalTask, container: str) -> None:
        _signal_group(self._of(task, container), signal.SIGSTOP)

    def thaw(self, task: LocalTask, container: str) -> Event | None:
        _signal_group(self._of(task, container), signal.SIGCONT)
        return None  # The ports stay.

    def usage(self, task: LocalTask, container: str) -> Usage | None:
        running = self._running.get((task.task.arn, container))
        if running is None:
            return None
        seconds, memory = 0.0, 0
        with contextlib.suppress(psutil.NoSuchProcess):
            shell = psutil.Process(running.group)
            for each in (shell, *shell.children(recursive=True)):
                with contextlib.suppress(psutil.NoSuchProcess):
                    # User and system time, its own and that of its ended children.
                    seconds += sum(each.cpu_times()[:4])
                    memory += each.memory_info().rss
        return Usage(seconds, memory)

    def remove(self, task: LocalTask) -> None:
        shutil.rmtree(self._directory / last_part(task.task.arn), ignore_errors=True)

    def _folder(self, task: LocalTask, container: str) -> Path:
        return self._directory / last_part(task.task.arn) / container

    def _of(self, task: LocalTask, container: str) -> _Running:
        running = self._running.get((task.task.arn, container))
        if running is None:
            raise NotYet(f"{container} of {task.task.arn} does not run")
        return running

    def _program(self, image: str, task: LocalTask) -> programs.Program:
        """What runs in place of the image. Raises CannotStart."""
        known = programs.read(self._programs_file)
        source = self._registry.source(image, task.task.place, definition.keys(task))
        program = programs.find(known, image) if source is None else programs.of_source(known, source)
        if program is None:
            raise CannotStart(
                f"CannotPullContainerError: nothing runs as a process in place of the image {image}: "
                f"{source or 'it'} is not in {self._programs_file.name}"
            )
        return program

    def _bound(self, task: LocalTask, container: str, folder: Path) -> tuple[Binding, ...]:
        """The bindings with addresses: those of the start before, if an agent has ended in the midst of one."""
        noted = folder / "bindings"
        if not noted.exists():
            asked = task.container(container).bindings
            bound = tuple(replace(each, address=f"127.0.0.1:{free_port()}") for each in asked)
            noted.write_bytes(_BINDINGS.dump_json(bound))
        return _BINDINGS.validate_json(noted.read_bytes())

    def _started(self, task: LocalTask, container: str, shell: subprocess.Popen[bytes] | None) -> Event:
        folder = self._folder(task, container)
        group = until(lambda: _number(folder / "pid") or 0, f"{container} to start", seconds=_START_SECONDS)
        defined = definition.container(task.task, container)
        running = _Running(task.task.arn, container, folder, group, shell if shell and shell.pid == group else None)
        if check := container_check(defined):
            running.prober = Prober(
                check.by(self._clock), running.first_process, lambda health: self._probed(running, health)
            )
            running.prober.begin()
        (self._groups / str(group)).write_text(start_of(group) or "")
        running.stream = stream(task, defined, _id(task, container))
        if running.stream is not None:
            self._logs.ship(running.stream, FileSource(folder / "log"))
        with self._lock:
            self._running[task.task.arn, container] = running
        bindings = _BINDINGS.validate_json((folder / "bindings").read_bytes())
        return Started(task.task.arn, container, _id(task, container), bindings, frozen=running.is_frozen())

    def _probed(self, running: _Running, health: HealthStatus) -> None:
        self._notify(HealthChanged(running.task, running.container, health))

    def _watch(self) -> None:
        while not self._closed.wait(_LOOK_SECONDS):
            with self._lock:
                running = list(self._running.values())
            for each in running:
                ended = each.has_ended()
                code = _number(each.folder / "exit")
                if ended or code is not None:
                    self._over(each, code)

    def _over(self, running: _Running, code: int | None) -> None:
        """The first process has ended, so the others must. A shell that was killed has written no exit code."""
        _signal_group(running, signal.SIGKILL)
        if running.prober is not None:
            running.prober.stop()
        if running.stream is not None:
            self._logs.finish(running.stream)
        (self._groups / str(running.group)).unlink(missing_ok=True)
        with self._lock:
            del self._running[running.task, running.container]
        if running.shell is not None:
            running.shell.wait()
        self._notify(Exited(running.task, running.container, _SIGKILLED if code is None else code))


def _id(task: LocalTask, container: str) -> str:
    return f"{last_part(task.task.arn)}-{container}"


def _signal_group(running: _Running, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(running.group, number)


def _number(path: Path) -> int | None:
    """The number in a file; None if there is none yet."""
    try:
        text = path.read_text().strip()
    except FileNotFoundError:
        return None
    return int(text) if text else None


def signal_task(state: Path, task: str, number: signal.Signals) -> None:
    """Sends a signal to every process of a task, by its id. `state` is the agent's folder."""
    for file in (state / TASKS / task).glob("*/pid"):
        with contextlib.suppress(ProcessLookupError):
            if group := _number(file):
                os.killpg(group, number)


def log_of(state: Path, container: str) -> str:
    """What the containers of this name have written, of all tasks that were not removed, the oldest first."""
    folders = sorted((state / TASKS).glob(f"*/{container}"), key=lambda each: each.stat().st_ctime)
    return "".join((each / "log").read_text(errors="replace") for each in folders if (each / "log").exists())
