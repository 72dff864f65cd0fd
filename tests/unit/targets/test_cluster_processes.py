"""The edge and the agent of a cluster are started again when they end, unless that does not help."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sim.host.cleanup import Cleanup
from sim.host.process import Process, ProcessFailed
from sim.host.waiting import until
from sim.targets.cluster_processes import ClusterProcesses

SECONDS = 10


@pytest.fixture
def cluster() -> Iterator[ClusterProcesses]:
    with Cleanup() as cleanup:
        made = ClusterProcesses()
        made.processes = [
            Process(name, ["/bin/sh", "-c", f"echo {name} was here; sleep 100"], {}, cleanup)
            for name in ("edge", "agent")
        ]
        for each in made.processes:
            each.start()
        yield made
        made.stop()


def _ends(process: Process) -> None:
    until(lambda: process.tail().count("was here") == process.starts, "it to have begun", seconds=SECONDS)
    process.terminate()
    until(lambda: process.pid is None, "the process to end", seconds=SECONDS)


def test_what_has_ended_is_started_again_and_the_other_stays(cluster: ClusterProcesses) -> None:
    edge, agent = cluster.processes
    before = edge.pid
    assert not cluster.start_again(0.0)
    _ends(agent)
    assert cluster.start_again(0.0)
    assert agent.pid is not None
    assert (edge.pid, edge.starts, agent.starts) == (before, 1, 2)


def test_what_ends_again_and_again_is_given_up_with_the_end_of_its_log(cluster: ClusterProcesses) -> None:
    agent = cluster.processes[1]
    for second in range(5):
        _ends(agent)
        cluster.start_again(float(second))
    _ends(agent)
    with pytest.raises(ProcessFailed, match=r"agent ended with -15; the end of its log:\nagent was here"):
        cluster.start_again(59.0)
    assert cluster.start_again(60.0), "the first start is longer ago than a minute"
