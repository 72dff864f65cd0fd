"""What clients notice when a version rolls out, when one is bad, and when a task or an instance is lost."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from release.deploy import Outcome
from services.pipeline.message import Email
from sim.client.load import CLIENTS
from sim.client.tracker import EmailTracker
from sim.host.waiting import until
from sim.targets.cluster import ClusterTarget
from sim.targets.target import Capability
from tests.e2e.deployments import SECONDS, cluster, defined_with, deploy_role, ecs_of, percents_held, running, unharmed

__all__ = ["cluster"]

pytestmark = pytest.mark.needs(Capability.DEPLOY)


def test_a_version_rolls_out_and_no_request_fails(cluster: ClusterTarget, tracker: EmailTracker, email: Email) -> None:
    """As from GitHub: the deploy role is denied nothing that it takes."""
    before = running(cluster)
    with unharmed(cluster, CLIENTS), percents_held(cluster), deploy_role(cluster) as deployment:
        verdict = deployment.deploy("api")
    assert verdict.outcome is Outcome.DEPLOYED, str(verdict)
    assert not before & running(cluster)
    tracker.publish(email)
    tracker.verify()


def test_a_version_that_crashes_after_it_has_started_replaces_nothing_and_no_request_fails(
    cluster: ClusterTarget,
) -> None:
    def crashes(folder: Path) -> None:
        # It never answers. One that does for a moment may pass its first checks, and then counts as healthy on AWS too.
        (folder / "services" / "api" / "__main__.py").write_text("import os, time\ntime.sleep(2)\nos._exit(3)\n")

    api, ecs, before = cluster.service("api"), ecs_of(cluster), running(cluster)
    version = cluster.deployment.made_of_checkout("api", crashes)
    present = api.described()["taskDefinition"]
    bad = defined_with(cluster, version)
    with unharmed(cluster):
        ecs.update_service(cluster=api.cluster, service=api.name, taskDefinition=bad)
        until(lambda: len(_crashed(cluster, bad)) > 1, "two tasks to crash", seconds=SECONDS, seen=api.summary)
        assert before <= running(cluster)
        ecs.update_service(cluster=api.cluster, service=api.name, taskDefinition=present)
        until(lambda: len(api.described()["deployments"]) == 1, "no bad task", seconds=SECONDS, seen=api.summary)


def _crashed(cluster: ClusterTarget, definition: str) -> list[str]:
    """The tasks of a definition that ended by themselves after they had run."""
    return [
        each["taskArn"]
        for each in cluster.service("api").tasks("STOPPED")
        if each["taskDefinitionArn"] == definition
        and (each["stopCode"], each["containers"][0]["exitCode"]) == ("EssentialContainerExited", 3)
        and "startedAt" in each
    ]


def test_a_deployment_that_is_forced_replaces_every_task_and_no_request_fails(cluster: ClusterTarget) -> None:
    api, before = cluster.service("api"), running(cluster)
    with unharmed(cluster):
        ecs_of(cluster).update_service(cluster=api.cluster, service=api.name, forceNewDeployment=True)
        until(lambda: not before & running(cluster), "other tasks", seconds=SECONDS, seen=api.summary)
        api.await_healthy(SECONDS)


def test_a_host_port_that_is_taken_is_an_event_of_the_service_that_wants_it(cluster: ClusterTarget) -> None:
    api, ecs = cluster.service("api"), ecs_of(cluster)
    asked = {"cluster": api.cluster, "service": "wants-the-port"}
    # One for each container instance, and the API has the port on two of them.
    instances = ecs.list_container_instances(cluster=api.cluster)["containerInstanceArns"]
    ecs.create_service(
        cluster=api.cluster,
        serviceName=asked["service"],
        taskDefinition=api.described()["taskDefinition"],
        launchType="EC2",
        desiredCount=len(instances),
    )

    def events() -> list[str]:
        [service] = ecs.describe_services(cluster=api.cluster, services=[asked["service"]])["services"]
        return [each["message"] for each in service["events"]]

    taken = re.compile(
        r"\(service wants-the-port\) was unable to place a task because no container instance met all of its "
        r"requirements\. The closest matching \(container-instance \w+\) is already using a port required by your "
        r"task\."
    )
    try:
        until(
            lambda: any(map(taken.match, events())),
            "the event",
            seconds=SECONDS,
            seen=events,
        )
    finally:
        ecs.delete_service(**asked, force=True)


def test_a_service_scales_out_and_in_and_no_request_fails(cluster: ClusterTarget) -> None:
    api = cluster.service("api")
    count = api.described()["desiredCount"]
    with unharmed(cluster):
        for wanted in (count + 1, count):
            api.scale(wanted)
            until(
                lambda wanted=wanted: len(cluster.acts.in_service()) == wanted,  # type: ignore[misc]  # bound now
                f"{wanted} tasks in service",
                seconds=SECONDS,
                seen=api.summary,
            )


def test_a_task_that_is_lost_is_replaced(cluster: ClusterTarget, tracker: EmailTracker, email: Email) -> None:
    before = running(cluster)
    cluster.acts.lose_task("api")
    until(
        lambda: len(running(cluster) - before) == 1,
        "another task",
        seconds=SECONDS,
        seen=cluster.service("api").summary,
    )
    cluster.service("api").await_healthy(SECONDS)
    tracker.publish(email)
    tracker.verify()


def test_an_instance_that_drains_gives_its_tasks_away_and_no_request_fails(cluster: ClusterTarget) -> None:
    tasks = cluster.service("api").tasks()
    status = cluster.acts.instance_of(tasks[0])
    with unharmed(cluster):
        cluster.acts.drain(status)
        until(
            lambda: tasks[0]["taskArn"] not in running(cluster) and len(running(cluster)) == len(tasks),
            "the task to have moved",
            seconds=SECONDS,
            seen=cluster.service("api").summary,
        )
        cluster.acts.activate(status)


def test_the_load_balancer_leaves_out_an_instance_that_is_lost_until_it_is_back(
    cluster: ClusterTarget, tracker: EmailTracker, email: Email
) -> None:
    [task, *_] = cluster.service("api").tasks()
    instance = cluster.acts.instance_of(task)
    cluster.acts.lose_instance(instance)
    until(
        lambda: instance not in cluster.acts.in_service(),
        "it to be out",
        seconds=SECONDS,
        seen=cluster.acts.in_service,
    )
    # Each node of the load balancer finds out by itself.
    tracker.publish_all([email])
    cluster.acts.bring_back(instance)
    count = cluster.service("api").described()["desiredCount"]
    until(
        lambda: len(cluster.acts.in_service()) >= count,
        "all in service",
        seconds=SECONDS,
        seen=cluster.acts.in_service,
    )
    tracker.verify()
