"""Task definitions, and the life cycle of tasks."""

from __future__ import annotations

from dataclasses import replace

from sim.cluster import task_definitions, tasks, throttle
from sim.cluster.container_instances import Remaining, drained, draining, remaining
from sim.cluster.scheduler import forgotten
from sim.cluster.task_definitions import PortMapping, TaskDefinition, registered, required_attributes, static_host_ports
from sim.cluster.tasks import LIFE_CYCLE, Task
from tests.unit.cluster.bench import APP, Bench, instances
from tests.unit.cluster.proves import proves

WAITING = Task("t", APP, 0.0, "service:app", "ecs-svc/1")
RUNNING = tasks.running(tasks.placed(WAITING, "i1"), 5.0)


@proves(tasks.advanced)
def test_the_last_status_never_goes_back() -> None:
    for before in LIFE_CYCLE:
        for after in LIFE_CYCLE:
            last = tasks.advanced(replace(WAITING, last_status=before), after).last_status
            assert last == max(before, after, key=LIFE_CYCLE.index)


@proves(tasks.placed)
def test_a_placed_task_is_pending_until_it_runs() -> None:
    assert tasks.placed(WAITING, "i1").last_status == "PENDING"
    assert (RUNNING.last_status, RUNNING.started_at) == ("RUNNING", 5.0)


@proves(tasks.ended)
def test_the_stop_code_says_whether_a_task_ran() -> None:
    assert tasks.ended(RUNNING, 9.0).stop_code == "EssentialContainerExited"
    assert tasks.ended(RUNNING, 9.0).stopped_reason == "Essential container in task exited"
    never = tasks.ended(tasks.placed(WAITING, "i1"), 9.0, "CannotPullContainerError: no such image")
    assert (never.stop_code, never.stopped_reason) == (
        "TaskFailedToStart",
        "CannotPullContainerError: no such image",
    )


@proves(tasks.host_terminated)
def test_a_terminated_host_ends_its_tasks() -> None:
    gone = tasks.host_terminated(RUNNING, "i-0123", 9.0)
    assert (gone.last_status, gone.stop_code) == ("STOPPED", "TerminationNotice")
    assert gone.stopped_reason == "Host EC2 (instance i-0123) terminated."


@proves(tasks.orphaned)
def test_the_tasks_of_an_instance_that_is_deregistered_by_force_count_no_more() -> None:
    orphan = tasks.orphaned(RUNNING, 9.0)
    assert (orphan.last_status, orphan.stop_code, orphan.stopped_at) == ("STOPPED", "TerminationNotice", 9.0)
    assert tasks.orphaned(orphan, 10.0) is orphan


@proves(tasks.stop_by_user, tasks.stopping)
def test_a_user_stops_a_task_at_once() -> None:
    stopped = tasks.stop_by_user(RUNNING, 9.0)
    assert (stopped.last_status, stopped.desired_status, stopped.stop_code) == ("STOPPING", "STOPPED", "UserInitiated")
    assert stopped.stopped_reason == "Task stopped by user"
    assert tasks.stop_by_user(RUNNING, 9.0, "because").stopped_reason == "because"
    assert not stopped.to_run
    assert tasks.ended(stopped, 12.0).stop_code == "UserInitiated"


def test_a_task_that_waits_for_capacity_is_over_when_it_is_stopped() -> None:
    assert tasks.stop_by_user(WAITING, 9.0).last_status == "STOPPED"


@proves(tasks.deactivating, tasks.status_for_agent)
def test_a_deactivating_task_is_wanted_no_longer_and_runs_on_until_it_is_sent_sigterm() -> None:
    leaving = tasks.deactivating(RUNNING, "ServiceSchedulerInitiated", "because", 9.0)
    assert (leaving.last_status, leaving.to_run) == ("DEACTIVATING", False)
    assert [tasks.status_for_agent(each) for each in (RUNNING, leaving)] == ["RUNNING", "RUNNING"]
    stopped = tasks.stopping(leaving, "ServiceSchedulerInitiated", "because", 19.0)
    assert tasks.status_for_agent(stopped) == "STOPPED"


@proves(tasks.scaling_reason, tasks.failed_balancer_reason, tasks.failed_container_reason)
def test_the_reasons_of_the_scheduler_are_to_the_letter() -> None:
    assert tasks.scaling_reason("ecs-svc/7") == "Scaling activity initiated by (deployment ecs-svc/7)"
    assert tasks.failed_balancer_reason("elb web") == "Task failed ELB health checks in (elb web)"
    assert tasks.failed_container_reason() == "Task failed container health checks"


@proves(forgotten)
def test_a_stopped_task_is_there_for_an_hour() -> None:
    stopped = tasks.ended(RUNNING, 10.0)
    assert not forgotten(stopped, 3610.0)
    assert forgotten(stopped, 3611.0)
    assert not forgotten(RUNNING, 1e9)
    bench = Bench().settle()
    task = next(iter(bench.tasks.values()))
    bench.put(tasks.ended(task, bench.now))
    bench.step(3000.0)
    assert task.id in bench.tasks
    bench.step(601.0)
    assert task.id not in bench.tasks


@proves(task_definitions.reserved_memory)
def test_a_task_takes_its_reservation_of_memory_and_the_sum_of_cpu() -> None:
    containers = [
        {"name": "a", "cpu": 100, "memory": 512, "memoryReservation": 128},
        {"name": "b", "cpu": 28, "memory": 64, "essential": False, "healthCheck": {"command": ["true"]}},
    ]
    definition = registered("arn", {"containerDefinitions": containers})
    assert (definition.cpu, definition.memory, definition.health_check) == (128, 192, False)
    whole = registered("arn", {"containerDefinitions": containers, "cpu": "256", "memory": "1024"})
    assert (whole.cpu, whole.memory) == (256, 1024)


@proves(required_attributes)
def test_a_definition_requires_what_the_agent_must_be_capable_of() -> None:
    plain = {"name": "web", "image": "web:1"}
    ours = {
        "name": "api",
        "image": "123456789012.dkr.ecr.eu-central-1.amazonaws.com/emails/api@sha256:0",
        "logConfiguration": {"logDriver": "awslogs"},
        "healthCheck": {"command": ["CMD", "true"]},
        "dependsOn": [{"containerName": "web", "condition": "START"}],
        "secrets": [{"name": "a", "valueFrom": "arn:aws:ssm:eu-central-1:1:parameter/a"}],
    }
    roles = {"executionRoleArn": "arn:aws:iam::1:role/e", "taskRoleArn": "arn:aws:iam::1:role/t"}
    assert required_attributes({"containerDefinitions": [plain]}) == []
    assert required_attributes({"containerDefinitions": [plain, ours], **roles}) == [
        "com.amazonaws.ecs.capability.ecr-auth",
        "com.amazonaws.ecs.capability.logging-driver.awslogs",
        "com.amazonaws.ecs.capability.task-iam-role",
        "ecs.capability.container-health-check",
        "ecs.capability.container-ordering",
        "ecs.capability.execution-role-awslogs",
        "ecs.capability.execution-role-ecr-pull",
        "ecs.capability.secrets.ssm.environment-variables",
    ]


@proves(static_host_ports)
def test_the_network_decides_which_host_ports_a_task_holds() -> None:
    ports = (PortMapping("a", 80), PortMapping("a", 8080, 80), PortMapping("a", 53, 53, "udp"))
    assert static_host_ports(TaskDefinition("x", ports=ports)) == {("tcp", 80), ("udp", 53)}
    assert static_host_ports(TaskDefinition("x", ports=(ports[0],), network_mode="host")) == {("tcp", 80)}
    assert static_host_ports(TaskDefinition("x", ports=ports, network_mode="awsvpc")) == frozenset()


@proves(remaining)
def test_a_task_holds_its_share_until_it_is_stopped() -> None:
    (host,) = instances(1).values()
    held = Remaining(2048 - 512, 1900 - 512, host.ports | {("tcp", 8080)})
    for task in (tasks.placed(WAITING, "i1"), RUNNING, tasks.stop_by_user(RUNNING, 9.0)):
        assert remaining([host], [task]) == {"i1": held}
    assert remaining([host], [tasks.ended(RUNNING, 9.0), WAITING])["i1"].cpu == 2048
    dynamic = tasks.running(tasks.placed(replace(WAITING, definition=TaskDefinition("x")), "i1"), 1.0, {80: 32768})
    assert ("tcp", 32768) in remaining([host], [dynamic])["i1"].ports


@proves(draining, drained)
def test_an_instance_has_drained_when_nothing_on_it_is_left_to_stop() -> None:
    (host,) = instances(1).values()
    assert not drained(host, [])
    assert not drained(draining(host), [tasks.stop_by_user(RUNNING, 9.0)])
    assert drained(draining(host), [tasks.ended(RUNNING, 9.0)])


@proves(throttle.failed_to_start)
def test_only_a_task_that_never_ran_slows_the_next_one() -> None:
    assert throttle.failed_to_start(tasks.ended(tasks.placed(WAITING, "i1"), 9.0))
    assert not throttle.failed_to_start(tasks.ended(RUNNING, 5.1))
    assert not throttle.failed_to_start(tasks.stop_by_user(WAITING, 9.0))


@proves(throttle.delay_seconds)
def test_the_delay_grows_to_fifteen_minutes() -> None:
    delays = [throttle.delay_seconds(n) for n in range(12)]
    assert delays[:3] == [0.0, 0.0, 0.0]
    assert delays == sorted(delays)
    assert delays[-1] == 900.0
