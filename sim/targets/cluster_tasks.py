"""The tasks of a cluster as what they are on this machine: processes, or containers of the Docker engine.

What is done here is done past ECS, as the kernel or a person at the machine would do it. A task is named by its ARN.
"""

from __future__ import annotations

import signal
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from sim.agent.process_runtime import log_of, signal_task
from sim.aws.arn import last_part

if TYPE_CHECKING:
    from sim.host.container import Container

_ECS = "com.amazonaws.ecs"


@dataclass(frozen=True)
class ProcessTasks:
    """Tasks are processes, started by the agent that has this folder."""

    agent: Path
    runtime: Literal["process"] = "process"

    def kill(self, task: str) -> None:
        """Sends SIGKILL to all of a task."""
        self._signal(task, signal.SIGKILL)

    def pause(self, task: str) -> None:
        """Stops all of a task where it is."""
        self._signal(task, signal.SIGSTOP)

    def resume(self, task: str) -> None:
        """Undoes `pause`."""
        self._signal(task, signal.SIGCONT)

    def log(self, container: str) -> str:
        """What the containers of this name have written, of all tasks that were not removed, the oldest first."""
        return log_of(self.agent, container)

    def _signal(self, task: str, number: signal.Signals) -> None:
        signal_task(self.agent, last_part(task), number)


@dataclass(frozen=True)
class ContainerTasks:
    """Tasks are containers of this run."""

    run: str
    runtime: Literal["docker"] = "docker"

    def kill(self, task: str) -> None:
        """Sends SIGKILL to all of a task."""
        for each in self._of(task):
            each.kill()

    def pause(self, task: str) -> None:
        """Stops all of a task where it is."""
        for each in self._of(task):
            each.pause()

    def resume(self, task: str) -> None:
        """Undoes `pause`."""
        for each in self._of(task):
            each.resume()

    def limit_memory(self, task: str, mebibytes: int) -> None:
        """Lets each container of a task have so much more memory than it has now."""
        for each in self._of(task):
            each.limit_memory(mebibytes)

    def log(self, container: str) -> str:
        """What the containers of this name have written, of all tasks that were not removed, the oldest first."""
        return "".join(each.logs() for each in _labelled(self.run, f"{_ECS}.container-name={container}", running=False))

    def _of(self, task: str) -> list[Container]:
        return _labelled(self.run, f"{_ECS}.task-arn={task}", running=True)


Tasks = ProcessTasks | ContainerTasks


def _labelled(run: str, label: str, *, running: bool) -> list[Container]:
    # Not before it is needed: what it imports takes as long as LocalStack's start.
    from sim.host.container import Container  # noqa: PLC0415

    return Container.labelled(run, label, running=running)
