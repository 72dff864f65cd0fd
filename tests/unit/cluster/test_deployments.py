"""Rolling updates, as the events and tasks of a service show them."""

from __future__ import annotations

from dataclasses import replace

from sim.cluster import cadence, deployments, rolling_update, scheduler, services
from sim.cluster import tasks as lifecycle
from sim.cluster.actions import Deregister, StartTask, StopTask
from sim.cluster.deployments import DeploymentConfiguration, least_healthy, most_running
from sim.cluster.services import updated
from tests.unit.cluster.bench import APP, BREAKER, ELB, GROUP, NEXT, Bench
from tests.unit.cluster.proves import proves


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


@proves(deployments.superseded)
def test_a_deployment_in_progress_ends_when_a_newer_one_begins() -> None:
    bench = Bench(desired=1, hosts=2).settle()
    completed = bench.service.primary
    bench.step()
    bench.deploy()
    bench.step()
    began = bench.now
    bench.deploy(force=True)
    _, second, first = bench.service.deployments
    assert first == completed
    assert second.updated_at == began > second.created_at


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


def test_the_balancer_of_a_task_is_that_of_its_own_revision() -> None:
    bench = Bench(desired=1, hosts=2, most=200, balancers=(ELB,)).settle()
    revision = replace(bench.service.primary.revision, load_balancers=(GROUP,))
    bench.cluster = bench.cluster.with_service(updated(bench.service, "ecs-svc/2", bench.now, revision=revision))
    bench.settle()
    assert "(service app) deregistered 1 instances in (elb web)" in bench.said
    assert "(service app) registered 1 targets in (target-group arn:tg)" in bench.said
