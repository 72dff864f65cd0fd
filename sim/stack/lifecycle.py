"""A pipeline that stays up after the command that started it has ended: `sim up`, used by the other commands.

A supervisor process owns it (`python -m sim.stack.supervisor`); what the others need is in a state file.
The token is not: it is read from where the API reads it.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from sim.client.api import Client
from sim.cloud.resources import DataPlane, Resources
from sim.errors import SimError
from sim.host.identity import start_of
from sim.host.waiting import until
from sim.targets.target import Provision

_DOWN_SECONDS = 60


class NothingRuns(SimError):
    """A command needs a running stack, and there is none."""


class NotUp(SimError):
    """The stack could not be started."""


class OtherwiseProvisioned(SimError):
    """A stack was wanted whose resources are another's than those of the one that is up."""


@dataclass(frozen=True)
class Part:
    """One process of the stack, and where its log is."""

    pid: int
    log: str


@dataclass(frozen=True)
class Stack:
    """A running stack, as its state file tells."""

    supervisor: int
    started: str
    """The supervisor's start, by `sim.host.identity`: with the process id, it names the process for good."""
    url: str
    endpoint: str
    heartbeat: str
    provision: Provision
    resources: Resources
    parts: Mapping[str, Part]

    @property
    def data_plane(self) -> DataPlane:
        """What is behind the API."""
        return DataPlane(self.endpoint, self.resources)

    def client(self) -> Client:
        """A client of its API."""
        return Client(self.url, self.data_plane.token())

    @property
    def alive(self) -> bool:
        """Whether its supervisor still runs."""
        return start_of(self.supervisor) == self.started

    def part_runs(self, name: str) -> bool:
        """Whether this part's process runs."""
        return start_of(self.parts[name].pid) is not None


def state_file(directory: Path) -> Path:
    """Where the state of the stack of this directory is."""
    return directory / "stack.json"


def roots(directory: Path) -> Path:
    """Where Terraform works on the cloud of the stack of this directory."""
    return directory / "terraform"


def write(stack: Stack, directory: Path) -> None:
    """Writes the state, whole or not at all."""
    partial = state_file(directory).with_suffix(".partial")
    partial.write_text(json.dumps(asdict(stack), indent=2))
    partial.replace(state_file(directory))


def find(directory: Path) -> Stack | None:
    """The stack of this directory, if one runs."""
    try:
        state = json.loads(state_file(directory).read_text())
    except FileNotFoundError:
        return None
    parts = {name: Part(**part) for name, part in state["parts"].items()}
    told = {"provision": Provision(state["provision"]), "resources": Resources(**state["resources"]), "parts": parts}
    stack = Stack(**{**state, **told})
    return stack if stack.alive else None


def running(directory: Path) -> Stack:
    """The stack of this directory. Raises NothingRuns."""
    stack = find(directory)
    if stack is None:
        raise NothingRuns("no stack is up here; start one with `sim up`")
    return stack


def up(directory: Path, provision: Provision, progress: Callable[[str], None]) -> Stack:
    """Starts a stack that stays up, unless one is; returns when it is ready. Raises NotUp, or OtherwiseProvisioned."""
    directory.mkdir(parents=True, exist_ok=True)
    with _alone_in(directory):
        stack = find(directory) or _start(directory, provision, progress)
    if stack.provision is not provision:
        raise OtherwiseProvisioned(
            f"the stack that is up here was provisioned by {stack.provision}, not {provision}; end it with `sim down`"
        )
    return stack


def _start(directory: Path, provision: Provision, progress: Callable[[str], None]) -> Stack:
    state_file(directory).unlink(missing_ok=True)
    supervisor = subprocess.Popen(  # noqa: S603 - this Python, with a module of ours
        [sys.executable, "-m", "sim.stack.supervisor", str(directory), provision],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    said: list[str] = []
    try:
        assert supervisor.stdout is not None  # noqa: S101 - it was opened with a pipe
        for line in supervisor.stdout:
            said.append(line.rstrip("\n"))
            progress(said[-1])
    except BaseException:
        supervisor.send_signal(signal.SIGTERM)
        supervisor.wait(_DOWN_SECONDS)
        raise
    stack = find(directory)
    if stack is None:
        raise NotUp("the stack did not come up:\n" + "\n".join(said[-40:]))
    return stack


@contextmanager
def _alone_in(directory: Path) -> Iterator[None]:
    """Waits for whoever else is starting a stack there."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def down(stack: Stack) -> None:
    """Ends the stack; returns when nothing is left of it. Raises TimedOut."""
    os.kill(stack.supervisor, signal.SIGTERM)
    until(lambda: not stack.alive, "the stack to end", seconds=_DOWN_SECONDS, seen=lambda: stack.parts)
