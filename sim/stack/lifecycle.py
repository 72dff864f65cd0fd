"""The stack of `sim up`: a pipeline that keeps running, so that other commands can use it.

A supervisor process owns the pipeline (`python -m sim.stack.supervisor`). Other commands find it by a state file.
The file is for its owner alone: it holds the token of the live page, and a project's variables. It does not hold the
token of the API, which clients read from SSM, as the API does.
"""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic import TypeAdapter

from sim.client.api import Client
from sim.cloud.aws_client import REGION
from sim.cloud.ecs import EcsService, services_of
from sim.cloud.resources import DataPlane, Resources
from sim.errors import SimError
from sim.host.identity import start_of
from sim.host.waiting import until
from sim.stack.page import PageAddress
from sim.targets.cluster_acts import Acts
from sim.targets.cluster_tasks import Tasks
from sim.targets.project_options import ProjectOptions
from sim.targets.target import Provision, TaskRuntime

_DOWN_SECONDS = 60


class NothingRuns(SimError):
    """A command needs a running stack, and no stack is running."""


class NotUp(SimError):
    """The stack could not be started."""


class AnotherRuns(SimError):
    """The running stack is another one than the caller asked for: of another target, or otherwise provisioned."""


class NoCluster(SimError):
    """A command needs a cluster, and the running stack has none."""


class NoPipeline(SimError):
    """A command needs the e-mail pipeline, and the running stack is another project's."""


@dataclass(frozen=True)
class Part:
    """One process of the stack, or what follows a container: the path of its log, and how many times it was started.

    `pid` is 0 if it does not run.
    """

    pid: int
    log: str
    starts: int = 1


@dataclass(frozen=True)
class ClusterPlace:
    """The cluster of a stack: its tasks on this machine, and its services. `variables` are of Terraform's roots.

    AWS's clock runs `time_scale` times as fast as this machine's. The edge is asked at the URL `edge`.
    """

    tasks: Tasks
    services: Mapping[str, EcsService]
    variables: Mapping[str, str]
    edge: str
    time_scale: float = 1.0
    region: str = REGION
    urls: Mapping[str, str] = field(default_factory=dict)
    """Of each listener of a project's load balancers, by `NAME:PORT`, as they were when it was up."""

    def acts(self, endpoint: str) -> Acts:
        """What can be done to it by hand."""
        return Acts(endpoint, self.tasks, self.services)


@dataclass(frozen=True)
class Stack:
    """A running stack, as its state file describes it.

    `heartbeat` is the worker's, "" where it is a task. `versions` is a folder for copies of the checkout. `gateway` is
    the URL at which the gateway is controlled, "" if the tasks do not call AWS through it.
    """

    supervisor: int
    started: str
    """When the supervisor started, by `sim.host.identity`. With the process id it identifies the process."""
    url: str
    endpoint: str
    heartbeat: str
    target: str
    provision: Provision
    resources: Resources | None
    parts: Mapping[str, Part]
    versions: Path
    gateway: str
    page: PageAddress
    cluster: ClusterPlace | None = None
    project: ProjectOptions | None = None
    """Whose cluster it is, if it is not the pipeline's."""
    containers: Mapping[str, str] = field(default_factory=dict)
    """Of the parts that are containers, the name of each in the engine, by the part's name."""

    @property
    def data_plane(self) -> DataPlane:
        """The AWS resources behind the API. Raises NoPipeline."""
        if self.resources is None:
            raise NoPipeline(
                "the running stack is of another project, which has no e-mails; `sim up` starts the pipeline"
            )
        return DataPlane(self.endpoint, self.resources)

    def client(self) -> Client:
        """A client for its API."""
        return Client(self.url, self.data_plane.token())

    @property
    def alive(self) -> bool:
        """True if its supervisor is running."""
        return start_of(self.supervisor) == self.started

    def part_runs(self, name: str) -> bool:
        """True if the process of this part is running."""
        pid = self.parts[name].pid
        return pid != 0 and start_of(pid) is not None


PROJECT = "project"
"""The target of a stack that is the cluster of another project."""
_STACK = TypeAdapter(Stack)
_OPTIONS = TypeAdapter(ProjectOptions)


def state_file(directory: Path) -> Path:
    """The path of the state file of this directory's stack."""
    return directory / "stack.json"


def _end_file(directory: Path) -> Path:
    return directory / "stack.ended"


def note_end(directory: Path, why: str) -> None:
    """Keeps the reason why the stack has ended by itself, for `running`."""
    _end_file(directory).write_text(why)


def roots(directory: Path) -> Path:
    """The folder in which Terraform works for this directory's stack."""
    return directory / "terraform"


def write(stack: Stack, directory: Path) -> None:
    """Writes the state file atomically: a reader never sees half of it."""
    partial = state_file(directory).with_suffix(".partial")
    _write_for_owner(partial, _STACK.dump_json(stack, indent=2))
    partial.replace(state_file(directory))


def _write_for_owner(file: Path, content: bytes) -> None:
    """Writes a file that nobody else may read: a project's variables may be secrets."""
    file.unlink(missing_ok=True)
    file.touch(mode=0o600)
    file.write_bytes(content)


def find(directory: Path) -> Stack | None:
    """The stack of this directory; None if no stack is running."""
    try:
        stack = _STACK.validate_json(state_file(directory).read_bytes())
    except FileNotFoundError:
        return None
    return stack if stack.alive else None


def running(directory: Path) -> Stack:
    """The stack of this directory. Raises NothingRuns if no stack is running, with the reason if it ended by itself."""
    stack = find(directory)
    if stack is None:
        ended = _end_file(directory)
        before = f"; the last one ended by itself: {ended.read_text()}" if ended.exists() else ""
        raise NothingRuns(f"no stack is running here; start one with `sim up`{before}")
    return stack


def running_cluster(directory: Path) -> tuple[Stack, ClusterPlace]:
    """The stack of this directory and its cluster. Raises NothingRuns or NoCluster."""
    stack = running(directory)
    if stack.cluster is None:
        raise NoCluster(f"the running stack is of the target {stack.target}; `sim up --target cluster` has a cluster")
    return stack, with_new_services(stack, stack.cluster)


def with_new_services(stack: Stack, cluster: ClusterPlace) -> ClusterPlace:
    """The cluster of a stack with the services that there are now: a project's Terraform may have made others since."""
    if stack.project is None:
        return cluster
    return replace(cluster, services=services_of(stack.endpoint, cluster.region))


def up(
    directory: Path,
    target: str,
    provision: Provision,
    progress: Callable[[str], None],
    runtime: TaskRuntime | None = None,
    time_scale: float = 1.0,
) -> Stack:
    """Starts a stack unless one is running. Returns when it is ready. Raises NotUp or AnotherRuns.

    `runtime` is what the tasks of a cluster are to be; None for what the machine can run. AWS's clock is to run
    `time_scale` times as fast as this machine's.
    """
    directory.mkdir(parents=True, exist_ok=True)
    with _alone_in(directory):
        chosen = (target, provision, *(("--runtime", runtime) if runtime else ()), "--time-scale", str(time_scale))
        stack = find(directory) or _start(directory, chosen, progress)
    if stack.target != target:
        raise AnotherRuns(f"the running stack is of the target {stack.target}, not {target}; end it with `sim down`")
    if stack.provision is not provision:
        raise AnotherRuns(
            f"the running stack was provisioned by {stack.provision}, not {provision}; end it with `sim down`"
        )
    if stack.cluster is not None and runtime not in {None, stack.cluster.tasks.runtime}:
        raise AnotherRuns(
            f"the tasks of the running stack are {stack.cluster.tasks.runtime}, not {runtime}; end it with `sim down`"
        )
    if stack.cluster is not None and time_scale != stack.cluster.time_scale:
        raise AnotherRuns(
            f"the time scale of the running stack is {stack.cluster.time_scale:g}, not {time_scale:g}; "
            "end it with `sim down`"
        )
    return stack


def up_project(directory: Path, options: ProjectOptions, progress: Callable[[str], None]) -> Stack:
    """Starts the cluster of a project unless it is running. Returns when its services are stable.

    Raises NotUp, or AnotherRuns.
    """
    directory.mkdir(parents=True, exist_ok=True)
    with _alone_in(directory):
        file = directory / "project.json"
        _write_for_owner(file, _OPTIONS.dump_json(options))
        try:
            chosen = (PROJECT, Provision.TERRAFORM, "--project", str(file))
            stack = find(directory) or _start(directory, chosen, progress)
        finally:
            file.unlink()
    if stack.project != options:
        raise AnotherRuns("the running stack is another one, or set otherwise; end it with `sim down`")
    return stack


def read_project(file: Path) -> ProjectOptions:
    """The options in the file that `up_project` hands to the supervisor."""
    return _OPTIONS.validate_json(file.read_bytes())


def _start(directory: Path, chosen: Sequence[str], progress: Callable[[str], None]) -> Stack:
    """`chosen` are the supervisor's arguments after the directory."""
    for left in (state_file(directory), _end_file(directory)):
        left.unlink(missing_ok=True)
    supervisor = subprocess.Popen(  # noqa: S603 - this Python, with a module of ours
        [sys.executable, "-m", "sim.stack.supervisor", str(directory), *chosen],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    output: list[str] = []
    try:
        assert supervisor.stdout is not None  # noqa: S101 - it was opened with a pipe
        for line in supervisor.stdout:
            output.append(line.rstrip("\n"))
            progress(output[-1])
    except BaseException:
        supervisor.send_signal(signal.SIGTERM)
        supervisor.wait(_DOWN_SECONDS)
        raise
    stack = find(directory)
    if stack is None:
        raise NotUp("the stack did not start:\n" + "\n".join(output[-40:]))
    return stack


@contextmanager
def _alone_in(directory: Path) -> Iterator[None]:
    """Holds a lock on the directory, so that only one process starts a stack there."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def down(stack: Stack) -> None:
    """Ends the stack. Returns when its supervisor has ended. Raises TimedOut."""
    os.kill(stack.supervisor, signal.SIGTERM)
    until(lambda: not stack.alive, "the stack to end", seconds=_DOWN_SECONDS, seen=lambda: stack.parts)
