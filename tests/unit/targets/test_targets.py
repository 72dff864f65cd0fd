"""Which targets there are, and what they are not asked together."""

from __future__ import annotations

import subprocess
import tempfile
from dataclasses import replace

import pytest

from sim.cloud.resources import Depth
from sim.errors import SimError
from sim.targets import LOCAL, create, create_cluster
from sim.targets.target import FAST, Capability, Provision, TaskRuntime


def test_what_is_not_started_here_is_not_provisioned_from_here() -> None:
    with pytest.raises(SimError, match="'aws' is not provisioned from here; choose one of process, docker"):
        create("aws", FAST, print, provision=Provision.TERRAFORM)


def test_what_terraform_made_is_not_taken_over() -> None:
    with pytest.raises(SimError, match="leave out --reuse or --provision"):
        create("docker", FAST, print, reuse=True, provision=Provision.TERRAFORM)


def test_only_a_cluster_has_tasks() -> None:
    with pytest.raises(SimError, match="'docker' has no tasks: leave out --runtime"):
        create("docker", FAST, print, runtime=TaskRuntime.PROCESS)


def test_only_the_control_plane_of_a_cluster_has_a_clock_and_it_is_not_slower_than_this_machines() -> None:
    with pytest.raises(SimError, match="'process' has no control plane: leave out --time-scale"):
        create("process", replace(FAST, time_scale=2), print)
    with pytest.raises(SimError, match=r"--time-scale is from 1 to 60, and not 0\.5"):
        create("cluster", replace(FAST, time_scale=0.5), print)


@pytest.mark.parametrize("runtime", TaskRuntime)
def test_a_cluster_has_the_runtime_that_was_chosen(runtime: TaskRuntime) -> None:
    cluster = create_cluster(FAST, print, runtime)
    assert cluster.runtime is runtime
    assert (Capability.LIMIT_MEMORY in cluster.capabilities) == (runtime is TaskRuntime.DOCKER)


@pytest.mark.parametrize("name", LOCAL)
def test_a_target_that_is_not_up_has_started_nothing_and_can_be_taken_down(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def begun(*_args: object, **_options: object) -> None:
        raise AssertionError("something was started")

    monkeypatch.setattr(subprocess, "Popen", begun)
    monkeypatch.setattr(tempfile, "mkdtemp", begun)
    create(name, FAST, print).down()


def test_a_queue_that_is_empty_for_a_moment_is_not_drained(monkeypatch: pytest.MonkeyPatch) -> None:
    class Queue:
        """Its messages are counted nowhere at the second look: they are about to be in flight."""

        def __init__(self) -> None:
            self.depths = [Depth(6, 0), Depth(0, 0), Depth(0, 6), *[Depth(0, 0)] * 10]

        def depth(self) -> Depth:
            return self.depths.pop(0)

    queue = Queue()
    target = create("process", FAST, print)
    monkeypatch.setattr(type(target), "data_plane", queue)
    target.drain(seconds=5)
    assert len(queue.depths) < 10
    assert Depth(0, 6) not in queue.depths
