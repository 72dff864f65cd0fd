"""A capacity provider has its group grow for waiting tasks, shrink by empty instances, and drains those that end."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sim.cluster import capacity_provider
from sim.cluster.autoscaling import group_requests
from sim.cluster.capacity_provider import CapacityProvider, ManagedScaling, checked, of_settings
from sim.cluster.deployments import DeploymentConfiguration
from sim.cluster.refused import Refused
from sim.cluster.services import Settings
from sim.cluster.task_definitions import PlacementConstraint
from tests.unit.cluster.autoscaling.group_bench import SETTINGS
from tests.unit.cluster.bench import APP
from tests.unit.cluster.proves import proves
from tests.unit.cluster.provider_bench import PROVIDER, SIZE, ProviderBench

SMALL = replace(APP, ports=())


@proves(capacity_provider.reservation, capacity_provider.wanted, capacity_provider.due)
def test_a_waiting_task_has_the_group_grow_within_a_minute() -> None:
    bench = ProviderBench(tasks=2).run(3)
    assert bench.running == 2
    assert len(bench.hosts.serving) == 2
    assert bench.reading == 100.0
    assert "a monitor alarm TargetTracking-web-AlarmHigh in state ALARM triggered policy" in bench.hosts.causes[-1]


def test_the_reading_is_the_need_by_what_is_there() -> None:
    bench = ProviderBench(tasks=4)
    for _ in range(3):
        bench.step(1.0)
    provider = replace(bench.provider, scaling=ManagedScaling(maximum_step=10))
    assert capacity_provider.reservation(provider, bench.service.cluster, bench.hosts.group) == 400.0
    assert capacity_provider.wanted(3, 400 / 3, 100) == 4


@proves(capacity_provider.bounded)
@pytest.mark.parametrize(("least", "most", "count", "asked"), [(1, 2, 5, 2), (3, 9, 1, 3), (1, 9, 4, 4), (3, 9, 0, 0)])
def test_the_step_sizes_bound_what_is_asked_for(least: int, most: int, count: int, asked: int) -> None:
    provider = replace(PROVIDER, scaling=ManagedScaling(minimum_step=least, maximum_step=most))
    assert capacity_provider.bounded(provider, count) == asked


@proves(capacity_provider.warms_up)
def test_the_group_does_not_grow_while_an_instance_warms_up() -> None:
    slow = replace(PROVIDER, scaling=ManagedScaling(maximum_step=1, warmup_seconds=300.0))
    bench = ProviderBench(tasks=3, provider=slow).run(5)
    assert len(bench.hosts.serving) == 1
    bench.run(2)
    assert len(bench.hosts.serving) == 2
    bench.run(5)
    assert len(bench.hosts.serving) == 3


def test_the_group_stops_at_its_maximum_and_the_tasks_go_on_waiting() -> None:
    bench = ProviderBench(tasks=4, max_size=2).run(10)
    assert (len(bench.hosts.serving), bench.running) == (2, 2)
    assert bench.reading > 100.0


@proves(capacity_provider.low, capacity_provider.occupied)
def test_after_a_quarter_of_an_hour_empty_instances_end_and_busy_ones_stay() -> None:
    bench = ProviderBench(tasks=4).run(10)
    assert len(bench.hosts.serving) == 4
    bench.want(1)
    bench.run(13)
    assert len(bench.hosts.serving) == 4
    assert sum(each.protected for each in bench.hosts.serving) == 1
    bench.run(5)
    assert (len(bench.hosts.serving), bench.running) == (1, 1)
    assert bench.ended_with_tasks == []


def test_from_no_instance_the_group_goes_to_two() -> None:
    bench = ProviderBench(tasks=0, min_size=0).run(2)
    assert bench.reading == 100.0
    bench.want(1)
    bench.run(2)
    assert 200.0 in bench.provider.readings
    assert len(bench.hosts.serving) == 2


@proves(capacity_provider.with_draining_hook, capacity_provider.held)
def test_an_instance_that_a_user_ends_is_drained_first() -> None:
    bench = ProviderBench(tasks=1, settings=Settings(DeploymentConfiguration(50, 200))).run(3)
    (busy,) = {each.instance for each in bench.service.live()}
    bench.hosts.ask(group_requests.terminated, busy, bench.hosts.now, bench.hosts.chance, decrement=False)
    bench.step(serve=False)
    assert bench.service.cluster.instances[busy or ""].status == "DRAINING"
    assert bench.hosts.group.instances[busy or ""].state == "Terminating:Wait"
    bench.run(4)
    assert busy not in bench.hosts.group.instances
    assert bench.running == 1
    assert bench.ended_with_tasks == []


@proves(capacity_provider.may_go)
def test_the_hook_waits_for_no_instance_that_never_registered() -> None:
    bench = ProviderBench(tasks=0)
    bench.hosts.settle(3)
    bench.hosts.ask(group_requests.terminated, "i-1", bench.hosts.now, bench.hosts.chance, decrement=False)
    bench.provider, _, group = capacity_provider.step(
        bench.provider, bench.service.cluster, bench.hosts.group, bench.hosts.now
    )
    assert [each.result for each in group.instances["i-1"].actions] == ["CONTINUE"]


@proves(capacity_provider.counted)
def test_an_instance_that_leaves_is_not_counted() -> None:
    bench = ProviderBench(tasks=2).run(3)
    assert len(capacity_provider.counted(bench.service.cluster, bench.hosts.group)) == 2
    bench.hosts.ask(group_requests.terminated, "i-1", bench.hosts.now, bench.hosts.chance, decrement=False)
    assert capacity_provider.counted(bench.service.cluster, bench.hosts.group) == {"i-2"}


@proves(capacity_provider.needed, capacity_provider.binpacked)
def test_tasks_are_packed_by_cpu_memory_and_ports() -> None:
    assert capacity_provider.binpacked(APP, 3, SIZE, alone=False) == 3
    assert capacity_provider.binpacked(SMALL, 7, SIZE, alone=False) == 3
    assert capacity_provider.binpacked(replace(SMALL, cpu=1500), 2, SIZE, alone=False) == 2
    assert capacity_provider.binpacked(replace(SMALL, cpu=4096), 2, SIZE, alone=False) == 0
    alone = Settings(constraints=(PlacementConstraint("distinctInstance"),))
    bench = ProviderBench(tasks=3, definition=SMALL, settings=alone)
    bench.service.step()
    assert capacity_provider.needed(PROVIDER, bench.service.cluster) == 3


@proves(capacity_provider.waits_for)
def test_a_task_of_another_provider_does_not_count() -> None:
    bench = ProviderBench(tasks=3, provider=replace(PROVIDER, name="other"))
    bench.service.step()
    assert capacity_provider.needed(PROVIDER, bench.service.cluster) == 0
    assert not capacity_provider.waits_for("main", ())


@proves(capacity_provider.cannot_protect)
def test_termination_protection_asks_for_managed_scaling_and_a_group_that_protects() -> None:
    asked = {"managedTerminationProtection": "ENABLED", "managedScaling": {"status": "ENABLED"}}
    guarded = replace(SETTINGS, protect_new=True)
    with pytest.raises(Refused, match="must have instance protection from scale in enabled"):
        checked(of_settings("main", SIZE, asked), SETTINGS)
    with pytest.raises(Refused, match="enable managed scaling"):
        checked(of_settings("main", SIZE, {**asked, "managedScaling": {"status": "DISABLED"}}), guarded)
    assert checked(of_settings("main", SIZE, asked), guarded) == CapacityProvider(
        "main", SIZE, ManagedScaling(), termination_protection=True
    )


def test_without_managed_scaling_nothing_is_measured() -> None:
    bench = ProviderBench(tasks=3, provider=replace(PROVIDER, scaling=None)).run(5)
    assert (bench.provider.readings, len(bench.hosts.serving)) == ((), 1)
