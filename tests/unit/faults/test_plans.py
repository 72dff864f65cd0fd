"""The plans that come along."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.chaos.acts import able, acts, doable
from sim.chaos.run import find, shipped
from sim.faults.plan import BadPlan, Fault, FaultPlan, Rule, dump
from sim.targets.docker_cluster import DockerCluster
from sim.targets.process import ProcessTarget
from sim.targets.target import FAST

ABLE = able(DockerCluster.capabilities)


@pytest.mark.parametrize("name", shipped())
def test_a_plan_that_comes_along_can_be_done_and_has_an_end(name: str) -> None:
    plan = find(name).only(ABLE, "a cluster")
    assert plan.rules
    assert plan.seconds is not None


def test_every_fault_that_a_target_can_do_is_in_one() -> None:
    assert {fault for name in shipped() for fault in find(name).faults} == ABLE


def test_a_target_without_instances_refuses_a_plan_that_ends_one() -> None:
    plan = FaultPlan((Rule(Fault.KILL_TASK), Rule(Fault.KILL_INSTANCE), Rule(Fault.SCALE, count=2)))
    with pytest.raises(BadPlan, match=r"the target process cannot do kill-instance, scale; it can do: .*kill-task"):
        doable(plan, ProcessTarget(FAST, print))


def test_a_zone_comes_back_and_a_partition_ends() -> None:
    plan = FaultPlan((Rule(Fault.LOSE_ZONE, since=2, seconds=5), Rule(Fault.PARTITION, "worker", "s3", seconds=4)))
    assert [(act.at, act.fault) for act in acts(plan, 20)] == [
        (0, Fault.PARTITION),
        (2, Fault.LOSE_ZONE),
        (4, None),
        (7, None),
    ]


def test_a_service_that_there_is_not_is_named() -> None:
    with pytest.raises(BadPlan, match="deploy of 'web': there are api, worker"):
        acts(FaultPlan((Rule(Fault.DEPLOY, "web"),)), 20)


def test_a_plan_is_found_by_its_file(tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_text(dump(FaultPlan(seed=4)))
    assert find(str(tmp_path / "mine.json")) == FaultPlan(seed=4)
    with pytest.raises(BadPlan, match="nowhere"):
        find("nowhere")
