"""Which tasks a service starts and stops when nothing is deployed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sim.cluster import events, rolling_update, scheduler, services
from sim.cluster import tasks as lifecycle
from sim.cluster.actions import PlaceTask, Register
from sim.cluster.container_instances import draining
from sim.cluster.deployments import DeploymentConfiguration
from sim.cluster.rolling_update import Situation
from sim.cluster.services import Settings, deleted, updated
from sim.cluster.tasks import Task
from tests.unit.cluster.bench import APP, FAILING, NEXT, Bench, instances
from tests.unit.cluster.proves import proves


@proves(services.deleted)
def test_a_deleted_service_ends_its_tasks() -> None:
    bench = Bench().settle()
    bench.cluster = bench.cluster.with_service(deleted(bench.service))
    for _ in range(4):
        bench.step()
        bench.serve()
    assert bench.service.status == "INACTIVE"
    assert bench.live() == []


@proves(events.not_assumed, events.unable_to_assume)
@pytest.mark.parametrize("settings", [Settings(), Settings(scheduling="DAEMON")])
def test_a_task_whose_role_cannot_be_assumed_is_not_started_until_it_can_be(settings: Settings) -> None:
    roles = ("arn:aws:iam::1:role/task", "arn:aws:iam::1:role/execution")
    bench = Bench(definition=replace(APP, roles=roles), settings=settings)
    bench.closed_roles = frozenset(roles[1:])
    for _ in range(3):
        bench.step()
    assert bench.live() == []
    # Once, while it lasts.
    assert bench.said == [
        "(service app) failed to launch a task with (error ECS was unable to assume the role "
        "'arn:aws:iam::1:role/execution' that was provided for this task. Please verify that the role being passed has "
        "the proper trust relationship and permissions and that your IAM user has permissions to pass this role.)."
    ]
    bench.closed_roles = frozenset()
    bench.settle()
    assert len(bench.live()) == bench.service.desired_count


@proves(rolling_update.surplus)
def test_a_smaller_count_stops_what_is_too_many() -> None:
    bench = Bench(desired=3, hosts=3).settle()
    bench.cluster = bench.cluster.with_service(updated(bench.service, "", bench.now, desired_count=1))
    bench.settle()
    assert len(bench.live()) == 1
    assert {each.stopped_reason for each in bench.tasks.values() if each.stopped} == {
        "Scaling activity initiated by (deployment ecs-svc/1)"
    }


@proves(rolling_update.given_up)
def test_an_unhealthy_task_is_replaced_first_where_there_is_room() -> None:
    bench = Bench(desired=2, hosts=3, least=100, most=150).settle()
    bad = bench.live()[0]
    host = bench.cluster.instances[bad.instance or ""].ec2_instance_id
    bench.health["web"][host] = FAILING
    bench.said.clear()
    bench.step()
    assert bench.said[0].endswith("Amazon ECS replaced 1 tasks due to an unhealthy status.")
    assert bench.tasks[bad.id].to_run
    for _ in range(3):
        new = next(each for each in bench.live() if each.id not in {bad.id, bench.live()[0].id})
        bench.serve()
        bench.health["web"][host] = FAILING
        bench.step()
    bench.serve()
    bench.step()
    assert bench.tasks[bad.id].stopped_reason == "Task failed ELB health checks in (elb web)"
    assert new.id in {each.id for each in bench.live()}


def test_without_room_unhealthy_tasks_are_stopped_one_by_one() -> None:
    bench = Bench(desired=2, hosts=2, least=100, most=100).settle()
    bench.health["web"] = dict.fromkeys(bench.health["web"], FAILING)
    bench.step()
    assert sum(each.leaving for each in bench.tasks.values()) == 1


@proves(rolling_update.moved)
def test_a_draining_instance_loses_its_tasks_within_the_percents() -> None:
    bench = Bench(desired=2, hosts=3, least=100, most=150).settle()
    (task, _) = bench.live()
    instance = bench.cluster.instances[task.instance or ""]
    bench.cluster = bench.cluster.with_instance(draining(instance))
    bench.step()
    assert len(bench.live()) == 3
    assert not bench.tasks[task.id].leaving
    bench.settle()
    assert all(each.instance != instance.id for each in bench.live())


def test_a_draining_instance_loses_what_does_not_run_yet_at_once() -> None:
    bench = Bench(desired=1, hosts=2)
    bench.step()
    (task,) = bench.live()
    bench.cluster = bench.cluster.with_instance(draining(bench.cluster.instances[task.instance or ""]))
    bench.step()
    assert bench.tasks[task.id].desired_status == "STOPPED"


@proves(rolling_update.replaced, rolling_update.may_stop)
def test_old_tasks_go_down_to_the_minimum_before_new_ones_are_healthy() -> None:
    bench = Bench(desired=4, hosts=8, least=50, most=200).settle()
    bench.deploy()
    bench.step()
    assert len(bench.live("ecs-svc/2")) == 4
    assert sum(each.leaving for each in bench.live("ecs-svc/1")) == 2


@proves(rolling_update.stop_order, rolling_update.rank)
def test_which_task_is_stopped_first() -> None:
    def task(name: str, instance: str, deployment: str = "new", *, runs: bool = True) -> Task:
        made = lifecycle.placed(Task(name, APP, 0.0, deployment=deployment), instance)
        return lifecycle.running(made, 1.0) if runs else made

    tasks = [
        task("fullest zone", "i1"),
        task("other", "i3"),
        task("alone", "i2"),
        task("old", "i2", "old"),
        task("unhealthy", "i4"),
        task("pending", "i4", runs=False),
    ]
    zones = {key: each.zone for key, each in instances(4).items()} | {"i3": "a", "i4": "c"}
    at = Situation(
        desired=2,
        least=0,
        most=9,
        primary="new",
        launches=True,
        tasks=tuple(tasks),
        healthy=frozenset({"fullest zone", "other", "alone", "old"}),
        unhealthy=frozenset({"unhealthy"}),
        draining=frozenset(),
        zones=zones,
    )
    order = [each.id for each in rolling_update.stop_order(tasks, at)]
    assert order[:4] == ["pending", "unhealthy", "old", "fullest zone"]


@proves(scheduler.may_wait)
def test_a_task_with_a_capacity_provider_waits_for_an_instance() -> None:
    bench = Bench(desired=2, hosts=0, providers=("spot",))
    bench.step()
    assert [each.last_status for each in bench.live()] == ["PROVISIONING"] * 2
    assert any("found in your capacity provider" in each for each in bench.said)
    for host in instances(2, capacity_provider="spot").values():
        bench.cluster = bench.cluster.with_instance(host)
    assert sum(isinstance(each, PlaceTask) for each in bench.step()) == 2
    bench.serve()
    assert sum(isinstance(each, Register) for each in bench.step()) == 2


def test_a_cluster_has_500_tasks_that_wait_at_most() -> None:
    bench = Bench(desired=600, hosts=0, providers=("spot",))
    bench.step()
    assert len(bench.live()) == 500
    assert any("provisioning capacity limit was exceeded" in each for each in bench.said)


def test_a_daemon_has_one_task_on_each_instance_and_replaces_them_in_place() -> None:
    settings = Settings(DeploymentConfiguration(0, 100), scheduling="DAEMON")
    bench = Bench(desired=0, hosts=3, settings=settings).settle()
    assert sorted(each.instance or "" for each in bench.live()) == ["i1", "i2", "i3"]
    bench.deploy()
    bench.settle()
    assert {each.definition for each in bench.live()} == {NEXT}
    bench.cluster = bench.cluster.with_instance(instances(4)["i4"])
    bench.settle()
    assert len(bench.live()) == 4


def test_a_deleted_daemon_ends_its_tasks_on_every_instance() -> None:
    settings = Settings(DeploymentConfiguration(0, 100), scheduling="DAEMON")
    bench = Bench(desired=0, hosts=3, settings=settings).settle()
    bench.cluster = bench.cluster.with_service(deleted(bench.service))
    for _ in range(4):
        bench.step()
        bench.serve()
    assert bench.service.status == "INACTIVE"
    assert bench.live() == []


def test_a_service_without_a_balancer_counts_its_tasks_after_forty_seconds() -> None:
    bench = Bench(desired=1, hosts=1, least=100, most=200, balancers=(), definition=replace(APP, ports=())).settle()
    bench.deploy(replace(NEXT, ports=()))
    bench.step()
    bench.serve()
    for _ in range(3):
        bench.step()
        assert len(bench.live()) == 2
    bench.step(20.0)
    assert [each.deployment for each in bench.live()] == ["ecs-svc/2"]
