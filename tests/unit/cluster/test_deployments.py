"""Rolling updates, as the events and tasks of a service show them."""

from __future__ import annotations

import itertools
from dataclasses import replace

from sim.cluster import cadence, circuit_breaker, deployments, rolling_update, rollout, scheduler, services
from sim.cluster import tasks as lifecycle
from sim.cluster.actions import Deregister, PlaceTask, Register, StartTask, StopTask
from sim.cluster.circuit_breaker import CircuitBreaker, Threshold
from sim.cluster.container_instances import draining
from sim.cluster.deployments import Alarms, DeploymentConfiguration, least_healthy, most_running
from sim.cluster.rolling_update import Situation
from sim.cluster.services import Settings, deleted, updated
from sim.cluster.tasks import Task
from tests.unit.cluster.bench import APP, ELB, FAILING, GROUP, NEXT, Bench, instances
from tests.unit.cluster.proves import proves

BREAKER = Settings(DeploymentConfiguration(100, 150, CircuitBreaker(enable=True, rollback=True)))


@proves(deployments.least_healthy, deployments.most_running)
def test_the_minimum_rounds_up_and_the_maximum_down() -> None:
    percents = DeploymentConfiguration(50, 150)
    assert [least_healthy(n, percents) for n in (1, 2, 3)] == [1, 1, 2]
    assert [most_running(n, percents) for n in (1, 2, 3)] == [1, 3, 4]


@proves(cadence.scheduler_step_seconds)
def test_the_cadence_is_that_of_aws_or_of_this_machine() -> None:
    assert str(cadence.AWS) == "a step every 10 s, registrations within 30 s"
    assert str(cadence.LOCAL) == "a step every 1 s, registrations within 0 s"


@proves(deployments.completed, rolling_update.starts, scheduler.register)
def test_a_deployment_with_a_spare_instance_goes_one_by_one() -> None:
    bench = Bench(desired=2, hosts=3, least=100, most=150).settle()
    bench.said.clear()
    bench.deploy()
    bench.settle()
    assert [
        each.partition(") ")[2].partition(" in (")[0].partition(":")[0] for each in bench.said if "unable" not in each
    ] == [
        "has started 1 tasks",
        "registered 1 instances",
        "deregistered 1 instances",
        "has stopped 1 running tasks",
        "has started 1 tasks",
        "registered 1 instances",
        "deregistered 1 instances",
        "has stopped 1 running tasks",
        "(deployment ecs-svc/2) deployment completed.",
        "has reached a steady state.",
    ]
    assert {each.definition for each in bench.live()} == {NEXT}
    assert bench.service.primary.rollout_reason == "ECS deployment ecs-svc/2 completed."


def test_behind_a_classic_balancer_a_task_drains_before_it_is_stopped() -> None:
    bench = Bench(desired=1, hosts=1, least=0, most=100).settle()
    bench.deploy()
    (left,) = bench.step()[:1]
    assert isinstance(left, Deregister)
    assert [type(each) for each in bench.step()] == []
    bench.serve()
    assert [type(each).__name__ for each in bench.step()][:1] == ["StopTask"]
    assert bench.live() == []


@proves(scheduler.sigterm_after_drain)
def test_behind_a_target_group_the_stop_is_announced_first_and_sigterm_comes_last() -> None:
    bench = Bench(desired=1, hosts=1, least=0, most=100, balancers=(GROUP,)).settle()
    bench.said.clear()
    bench.deploy()
    seen = []
    for _ in range(3):
        seen.append([type(each).__name__ for each in bench.step() if isinstance(each, Deregister | StopTask)])
        bench.serve()
    assert seen == [[], ["Deregister"], ["StopTask"]]
    assert [each.partition(": (task")[0] for each in bench.said if "unable" not in each][:3] == [
        "(service app) has stopped 1 running tasks",
        "(service app) deregistered 1 targets in (target-group arn:tg)",
        "(service app, taskSet ecs-svc/1) has begun draining connections on 1 tasks.",
    ]


@proves(scheduler.learns_late)
def test_a_balancer_learns_late_of_a_task_that_a_user_stops() -> None:
    bench = Bench().settle()
    task = bench.live()[0]
    bench.put(lifecycle.stop_by_user(task, bench.now))
    actions = bench.step()
    assert [each.target.id for each in actions if isinstance(each, Deregister)] == [f"i-{task.instance[1:]}"]  # type: ignore[index]  # it runs
    assert any(isinstance(each, StartTask) for each in actions), "another one starts meanwhile"


@proves(rolling_update.no_move)
def test_percents_that_leave_no_move_are_said() -> None:
    bench = Bench(desired=1, hosts=2, least=100, most=150).settle()
    bench.deploy()
    bench.step()
    assert any("Update the minimumHealthyPercent or maximumPercent value" in each for each in bench.said)
    assert bench.live("ecs-svc/2") == []


def test_two_on_two_at_100_150_never_ends_and_says_why() -> None:
    bench = Bench(desired=2, hosts=2, least=100, most=150).settle()
    bench.deploy()
    for _ in range(20):
        bench.step()
        bench.serve()
    assert not bench.steady
    assert sum("is already using a port required by your task" in each for each in bench.said) == 1
    assert len(bench.live("ecs-svc/1")) == 2


@proves(services.updated)
def test_what_begins_a_deployment_and_what_does_not() -> None:
    service = Bench().settle().service
    same = updated(service, "ecs-svc/9", 1.0, revision=service.primary.revision, desired_count=5, settings=BREAKER)
    assert (len(same.deployments), same.desired_count, same.settings) == (1, 5, BREAKER)
    other = replace(service.primary.revision, load_balancers=())
    assert len(updated(service, "ecs-svc/9", 1.0, revision=other).deployments) == 2
    assert len(updated(service, "ecs-svc/9", 1.0, force_new_deployment=True).deployments) == 2


def test_several_deployments_are_side_by_side_and_the_newest_wins() -> None:
    bench = Bench(desired=4, hosts=8, least=100, most=150).settle()
    bench.deploy(NEXT)
    bench.step()
    bench.serve()
    bench.deploy(replace(APP, arn="app:3"))
    bench.step()
    assert [each.id for each in bench.service.deployments] == ["ecs-svc/3", "ecs-svc/2", "ecs-svc/1"]
    bench.settle()
    assert {each.definition.arn for each in bench.live()} == {"app:3"}
    assert [each.id for each in bench.service.deployments] == ["ecs-svc/3"]


@proves(services.deleted)
def test_a_deleted_service_ends_its_tasks() -> None:
    bench = Bench().settle()
    bench.cluster = bench.cluster.with_service(deleted(bench.service))
    for _ in range(4):
        bench.step()
        bench.serve()
    assert bench.service.status == "INACTIVE"
    assert bench.live() == []


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


@proves(circuit_breaker.failures_allowed)
def test_the_threshold_is_bounded_unless_configured_otherwise() -> None:
    assert [circuit_breaker.failures_allowed(CircuitBreaker(), n) for n in (1, 6, 7, 25, 500)] == [3, 3, 4, 13, 200]
    unbounded = CircuitBreaker(threshold=Threshold("UNBOUNDED_PERCENT", 10))
    assert [circuit_breaker.failures_allowed(unbounded, n) for n in (1, 100, 5000)] == [1, 10, 500]
    assert circuit_breaker.failures_allowed(CircuitBreaker(threshold=Threshold("COUNT", 2)), 50) == 2


@proves(circuit_breaker.counted)
def test_a_healthy_task_resets_the_count_unless_that_is_off() -> None:
    assert circuit_breaker.counted(CircuitBreaker(), 2, 0, healthy=True) == 0
    assert circuit_breaker.counted(CircuitBreaker(reset_on_healthy_task=False), 2, 1, healthy=True) == 3
    assert circuit_breaker.counted(CircuitBreaker(), 2, 1, healthy=False) == 3


@proves(
    circuit_breaker.is_failure,
    circuit_breaker.reason,
    deployments.failed,
    deployments.rollback_target,
    deployments.rolled_back,
)
def test_a_version_that_never_gets_healthy_is_rolled_back() -> None:
    bench = Bench(settings=BREAKER).settle()
    bench.deploy()
    for _ in range(40):
        bench.step()
        fail_new(bench)
        if bench.service.primary.id == "ecs-svc/1":
            break
    assert "(service app) (deployment ecs-svc/2) deployment failed: tasks failed to start." in bench.said
    assert "(service app) rolling back to deployment ecs-svc/1." in bench.said
    broken = next(each for each in bench.service.ended if each.id == "ecs-svc/2")
    assert (broken.rollout_state, broken.failed_tasks) == ("FAILED", 3)
    assert broken.rollout_reason == "ECS deployment circuit breaker: tasks failed to start."
    back = deployments.rolled_back(bench.service.primary, "circuit breaker", bench.now)
    assert back.rollout_reason == "ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/1."
    bench.settle()
    assert {each.definition for each in bench.live()} == {APP}


def test_without_rollback_the_old_tasks_stay_and_nothing_more_is_started() -> None:
    breaker = Settings(DeploymentConfiguration(100, 150, CircuitBreaker(enable=True)))
    bench = Bench(settings=breaker).settle()
    bench.deploy()
    for _ in range(40):
        bench.step()
        fail_new(bench)
    assert bench.service.primary.rollout_state == "FAILED"
    assert len(bench.live("ecs-svc/1")) == 2
    assert bench.live("ecs-svc/2") == []


def fail_new(bench: Bench) -> None:
    """The old tasks serve, those of the second deployment end before they run."""
    for task in list(bench.tasks.values()):
        if task.deployment == "ecs-svc/2" and task.last_status == "PENDING":
            bench.put(lifecycle.ended(task, bench.now, "CannotStartContainerError: no such command"))
    bench.serve()


def test_tasks_that_cannot_start_are_tried_less_and_less_often() -> None:
    bench = Bench(settings=Settings(DeploymentConfiguration(100, 150))).settle()
    bench.deploy()
    for _ in range(360):
        bench.step()
        fail_new(bench)
    tried = sorted(each.created_at for each in bench.tasks.values() if each.deployment == "ecs-svc/2")
    gaps = [after - before for before, after in itertools.pairwise(tried)]
    assert gaps == sorted(gaps)
    assert gaps[-1] >= 600
    assert sum("is unable to consistently start tasks" in each for each in bench.said) <= len(gaps)
    bench.deploy(replace(APP, arn="app:3"))
    bench.settle()


@proves(circuit_breaker.counts_as_launch_failure)
def test_a_task_without_room_opens_the_breaker_unless_room_is_on_its_way() -> None:
    settled = Bench(desired=2, hosts=2, settings=BREAKER).settle()
    settled.deploy()
    for _ in range(3):
        settled.step()
    settled.step()
    assert any(
        each.startswith("(service app) could not launch 1 tasks for deployment ecs-svc/2.") for each in settled.said
    )
    assert settled.service.primary.id == "ecs-svc/1"
    moving = Bench(settings=BREAKER).settle()
    moving.deploy()
    moving.settle()
    assert moving.service.primary.id == "ecs-svc/2"


ALARMS = Settings(DeploymentConfiguration(100, 150, alarms=Alarms(("errors",), rollback=True, bake_seconds=120.0)))


@proves(deployments.alarmed)
def test_an_alarm_takes_a_deployment_back() -> None:
    bench = Bench(settings=ALARMS).settle()
    bench.deploy()
    bench.step()
    bench.alarms = frozenset({"errors"})
    bench.step()
    assert "(service app) (deployment ecs-svc/2) deployment failed: alarm detected." in bench.said
    assert "(service app) rolling back to deployment ecs-svc/1." in bench.said
    bench.settle()
    assert {each.definition for each in bench.live()} == {APP}


def test_an_alarm_that_was_there_before_is_ignored_throughout() -> None:
    bench = Bench(settings=ALARMS).settle()
    bench.alarms = frozenset({"errors"})
    bench.deploy()
    bench.step()
    bench.alarms = frozenset()
    bench.step()
    bench.alarms = frozenset({"errors"})
    bench.settle(60)
    assert bench.service.primary.id == "ecs-svc/2"


@proves(rollout.baked, deployments.bake_seconds)
def test_a_deployment_with_alarms_bakes_before_it_is_completed() -> None:
    assert deployments.bake_seconds([(3, 60), (1, 300)]) == 300.0
    assert deployments.bake_seconds([]) == 0.0
    bench = Bench(settings=ALARMS).settle(40)
    bench.deploy()
    bench.settle(60)
    last = max(each.stopped_at or 0.0 for each in bench.tasks.values())
    assert bench.service.primary.updated_at - last >= 120.0


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


def test_the_balancer_of_a_task_is_that_of_its_own_revision() -> None:
    bench = Bench(desired=1, hosts=2, most=200, balancers=(ELB,)).settle()
    revision = replace(bench.service.primary.revision, load_balancers=(GROUP,))
    bench.cluster = bench.cluster.with_service(updated(bench.service, "ecs-svc/2", bench.now, revision=revision))
    bench.settle()
    assert "(service app) deregistered 1 instances in (elb web)" in bench.said
    assert "(service app) registered 1 targets in (target-group arn:tg)" in bench.said
