"""The state of deployments follows from their tasks, in whatever order agents report changes."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.cloud.control_plane.call import AwsError, Values, moment
from sim.cloud.control_plane.ecs import descriptions
from sim.cloud.control_plane.ecs.services import create, delete, update
from sim.cloud.control_plane.ecs.state import Contents
from sim.cloud.control_plane.ecs.task_definitions import TaskDefinitions
from sim.cloud.control_plane.ecs.tasks import change, record, stop
from sim.cluster.scheduler import follow
from sim.cluster.services import Service
from sim.cluster.tasks import LIFE_CYCLE, Task

NOW = 1.0e9
CLUSTER = "arn:aws:ecs:r:1:cluster/c"
STATUSES = ("PENDING", "RUNNING", "STOPPED")
FIRST, SECOND = "ecs-svc/1", "ecs-svc/2"
# Pairs of a task's number and its reported status; None is a request to stop the task.
reports = st.lists(st.tuples(st.integers(0, 5), st.sampled_from([*STATUSES, None])), max_size=40)


class Fleet:
    """A service `api` with two versions, and tasks that a test starts, stops and reports on."""

    def __init__(self, desired: int) -> None:
        self.definitions = TaskDefinitions()
        container = {"name": "api", "image": "api:1", "memory": 64}
        asked = {"family": "api", "containerDefinitions": [container]}
        old, self.new = (
            self.definitions.register("arn:aws:ecs:r:1:task-definition/", asked, {}, moment(NOW)) for _ in range(2)
        )
        self.contents = Contents()
        breaker = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}
        self.contents.put_service(
            *create(
                f"{CLUSTER.replace(':cluster', ':service')}/api",
                {"clusterArn": CLUSTER},
                {"serviceName": "api", "desiredCount": desired, "deploymentConfiguration": breaker},
                old.scheduled(),
                FIRST,
                NOW,
                tags={},
                bake_seconds=lambda _: 0.0,
            )
        )

    @property
    def service(self) -> Service:
        return self.contents.service("api")

    def roll_out(self) -> None:
        made = update(
            self.service,
            self.contents.services["api"],
            {},
            self.new.scheduled(),
            SECOND,
            NOW,
            bake_seconds=lambda _: 0.0,
        )
        self.contents.put_service(*made)

    def start(self, number: int, deployment: str) -> None:
        task = Task(str(number), self.new.scheduled(), NOW, "service:api", deployment, "i", "PENDING")
        settings: Values = {"launchType": "EC2", "overrides": {}}
        of = record(f"arn:task/{number}", CLUSTER, self.new, settings, started_by=deployment, tags={})
        self.contents.put_task(task, of)

    def report(self, number: int, status: str | None, reason: str = "") -> None:
        task, of = self.contents.task(str(number)), self.contents.tasks[str(number)]
        if status is None:
            self.contents.put_task(stop(task, "by hand", NOW, by_scheduler=True), of)
        else:
            self.contents.put_task(*change(task, of, {"status": status, "reason": reason}, NOW))
        self.follow()

    def follow(self) -> None:
        cluster, _ = follow(self.contents.cluster, NOW, Random(0))
        self.contents.advance(cluster, self.definitions)

    def described(self) -> Values:
        service = self.service
        return descriptions.service(service, self.contents.services["api"], self.contents.tasks_of(service))


@given(reports, st.integers(0, 4))
def test_the_description_of_a_service_matches_its_tasks(reports: list[tuple[int, str | None]], desired: int) -> None:
    fleet = Fleet(desired)
    fleet.roll_out()
    for number in range(6):
        fleet.start(number, FIRST if number < 3 else SECOND)
    for number, status in reports:
        fleet.report(number, status)
        described, tasks = fleet.described(), fleet.contents.cluster.tasks.values()
        assert described["runningCount"] == sum(each.last_status == "RUNNING" for each in tasks)
        assert [each["status"] for each in described["deployments"]].count("PRIMARY") == 1
        known = {each["id"] for each in described["deployments"]}
        assert {each.deployment for each in tasks if not each.stopped} <= known
        assert sum(each["runningCount"] for each in described["deployments"]) == described["runningCount"]


@given(reports, st.integers(0, 5))
def test_a_task_never_goes_backwards(reports: list[tuple[int, str | None]], number: int) -> None:
    fleet = Fleet(1)
    for each in range(6):
        fleet.start(each, FIRST)
    order = [fleet.contents.task(str(number)).last_status]
    for one, status in reports:
        fleet.report(one, status)
        order.append(fleet.contents.task(str(number)).last_status)
    assert order == sorted(order, key=LIFE_CYCLE.index)


def test_a_service_deployment_names_the_revision_that_it_replaces_with_the_tasks_of_both() -> None:
    fleet = Fleet(2)
    for number in range(2):
        fleet.start(number, FIRST)
        fleet.report(number, "RUNNING")
    fleet.roll_out()
    fleet.start(2, SECOND)
    new, old = descriptions.service_deployments(
        fleet.service, fleet.contents.services["api"], fleet.contents.tasks_of(fleet.service)
    )
    counts = ("requestedTaskCount", "runningTaskCount", "pendingTaskCount")
    [source] = new["sourceServiceRevisions"]
    assert [new["targetServiceRevision"][name] for name in counts] == [2, 0, 1]
    assert [source[name] for name in counts] == [0, 2, 0]
    assert (source["arn"], []) == (old["targetServiceRevision"]["arn"], old["sourceServiceRevisions"])


def test_a_failed_deployment_without_an_earlier_good_one_stays_failed() -> None:
    fleet = Fleet(1)
    for number in range(3):
        assert (fleet.service.primary.rollout_state, fleet.service.primary.failed_tasks) == ("IN_PROGRESS", number)
        fleet.start(number, FIRST)
        fleet.report(number, "STOPPED", "CannotPullContainerError: not found")
    failed = fleet.service
    assert (failed.primary.rollout_state, failed.primary.failed_tasks) == ("FAILED", 3)
    fleet.follow()
    assert fleet.service == failed


def test_a_rollback_brings_back_what_the_service_revision_had() -> None:
    fleet = Fleet(1)
    fleet.start(0, FIRST)
    fleet.report(0, "RUNNING")
    network = {"awsvpcConfiguration": {"subnets": ["s"]}}
    service, of = update(
        fleet.service,
        fleet.contents.services["api"],
        {"networkConfiguration": network, "healthCheckGracePeriodSeconds": 9},
        None,
        SECOND,
        NOW,
        bake_seconds=lambda _: 0.0,
    )
    fleet.contents.put_service(service, of)
    assert fleet.described()["networkConfiguration"] == network
    for number in range(1, 4):
        fleet.start(number, SECOND)
        fleet.report(number, "STOPPED", "no")
    described = fleet.described()
    assert described["deployments"][0]["id"] == FIRST
    assert "networkConfiguration" not in described
    assert described["healthCheckGracePeriodSeconds"] == 9


def test_a_service_that_is_scaled_above_zero_is_deleted_by_force_alone() -> None:
    with pytest.raises(AwsError, match="scaled above 0"):
        delete(Fleet(1).service, force=False)
