"""What the agent reports of its tasks, at AWS's time."""

from __future__ import annotations

from sim.agent.local import Local, LocalContainer, LocalTask
from sim.agent.messages import Outbox, TaskReport, wanted
from sim.cluster.aws_clock import AwsClock
from sim.cluster.desired import Desired
from tests.unit.agent.control_plane import a_task, an_instance

BEGAN = 1_700_000_000.0


def test_the_pull_of_a_task_began_at_awss_time() -> None:
    task, clock = a_task("t1"), AwsClock(BEGAN, 10)
    container = LocalContainer("c0", "RUNNING", started_at=BEGAN + 5)
    local = Local({task.arn: LocalTask(task, "i-1", (container,), taken_at=BEGAN + 3, ran=True)})
    messages = wanted(Desired(1, (an_instance(),), (task,), clock=clock), local, Outbox())
    assert [each.pull_started_at for each in messages if isinstance(each, TaskReport)] == [BEGAN + 30]
