"""An agent as a process, with a control plane that only records."""

from __future__ import annotations

import itertools
import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from sim.cluster.desired import DesiredTask
from sim.host.cleanup import Cleanup
from sim.host.process import Process
from sim.host.waiting import until
from tests.unit.agent.control_plane import PLACE, FakeControlPlane, a_task, an_instance

SECONDS = 30


def identity(task: DesiredTask) -> str:
    """The last part of a task's ARN."""
    return task.arn.rpartition("/")[2]


class RunningAgent:
    """An agent with a runtime of the test's."""

    def __init__(
        self, control_plane: FakeControlPlane, url: str, cleanup: Cleanup, runtime: Mapping[str, object]
    ) -> None:
        self.control_plane = control_plane
        self._numbers = itertools.count(1)
        self.state = cleanup.directory / "agent"
        settings = cleanup.directory / "agent.json"
        given = {"AWS_ENDPOINT_URL": "http://gateway/{task}", "WHO": "given"}
        settings.write_text(
            json.dumps({"control_plane": url, "state": str(self.state), "given": given, "runtime": runtime})
        )
        environment = {name: os.environ[name] for name in ("PATH", "DOCKER_HOST") if name in os.environ}
        command = [sys.executable, "-m", "sim.agent", str(settings)]
        self.process = Process("agent", command, environment, cleanup)
        self.process.start()

    def task(self, *containers: Mapping[str, Any], **changes: Any) -> DesiredTask:
        """A task that no other test has."""
        return a_task(f"t{next(self._numbers)}", *containers, **changes)

    def until(self, condition: Callable[[], Any], what: str) -> Any:
        """Waits; what was seen instead is the agent's log."""
        return until(condition, what, seconds=SECONDS, seen=lambda: self.process.tail(60))

    def runs(self, task: DesiredTask) -> None:
        """Has the task run, and waits until it does."""
        self.control_plane.wants(an_instance(), tasks=(task,))
        self.until(lambda: "RUNNING" in self.control_plane.statuses(task), "the task to run")

    def healths(self, task: DesiredTask) -> list[str]:
        """The health of a task with one container as it was reported, where that of the container was the same."""
        route = f"/_sim/{PLACE.account}/{PLACE.region}/ecs/mail/tasks/{identity(task)}/health"
        reports = self.control_plane.of(route)
        return [each["healthStatus"] for each in reports if list(each["containers"].values()) == [each["healthStatus"]]]

    def ended(self, task: DesiredTask) -> dict[str, Any]:
        """The task's last report, once it is STOPPED."""
        self.until(lambda: "STOPPED" in self.control_plane.statuses(task), "the task to stop")
        return self.control_plane.last(task)

    def stops(self, task: DesiredTask) -> dict[str, Any]:
        """Has the task stop, and waits until it did. Its last report."""
        self.control_plane.wants(an_instance(), tasks=(replace(task, desired_status="STOPPED"),))
        return self.ended(task)
