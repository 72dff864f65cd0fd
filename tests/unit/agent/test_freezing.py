"""The tasks of an instance that is lost are frozen, however often it takes."""

from __future__ import annotations

from sim.agent.core import Freeze, Start, step
from sim.agent.events import NotFrozen, Started, applied
from sim.agent.local import Local
from sim.cluster.desired import Desired
from tests.unit.agent.control_plane import a_task, an_instance


def test_a_container_that_could_not_be_frozen_is_to_be_frozen_again() -> None:
    task = a_task("t1")
    local, [start] = step(Desired(1, (an_instance(),), (task,)), Local(), 0)
    assert isinstance(start, Start)
    local = applied(local, Started(task.arn, "c0", "id", ()), 1)
    lost = Desired(2, (an_instance(lost=True),), (task,))
    local, [freeze] = step(lost, local, 2)
    assert isinstance(freeze, Freeze)
    assert step(lost, local, 3)[1] == ()
    _, [again] = step(lost, applied(local, NotFrozen(task.arn, "c0"), 3), 3)
    assert again == freeze
