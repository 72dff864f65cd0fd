"""What the agent asks for, where the laws would need luck to find the case."""

from __future__ import annotations

from dataclasses import replace

from sim.agent.core import Freeze, step
from sim.agent.events import NotFrozen, Started, applied
from sim.agent.local import Local
from sim.cluster.desired import Desired
from tests.unit.agent.control_plane import a_task, an_instance

INSTANCE = an_instance()
TASK = a_task("1", {"name": "web"})
LOST = Desired(2, (replace(INSTANCE, lost=True),), (TASK,))
FOUND = Desired(3, (INSTANCE,), (TASK,))


def test_what_could_be_neither_frozen_nor_thawed_is_frozen_once_its_instance_is_lost_again() -> None:
    local, _ = step(FOUND, Local(), now=1.0)
    local = applied(local, Started(TASK.arn, "web", "id", ()), now=2.0)
    for now, desired in ((3.0, LOST), (4.0, FOUND)):
        local, asked = step(desired, local, now)
        assert [each.frozen for each in asked if isinstance(each, Freeze)] == [desired is LOST]
    for now in (5.0, 6.0):
        local = applied(local, NotFrozen(TASK.arn, "web"), now)

    _, asked = step(LOST, local, now=10.0)

    assert [each.frozen for each in asked if isinstance(each, Freeze)] == [True]


def test_what_could_not_be_frozen_is_frozen_after_a_while() -> None:
    local, _ = step(FOUND, Local(), now=1.0)
    local = applied(local, Started(TASK.arn, "web", "id", ()), now=2.0)
    local, _ = step(LOST, local, now=3.0)
    local = applied(local, NotFrozen(TASK.arn, "web"), now=4.0)

    _, at_once = step(LOST, local, now=4.0)
    _, later = step(LOST, local, now=6.0)

    assert ([*at_once], [each.frozen for each in later if isinstance(each, Freeze)]) == ([], [True])
