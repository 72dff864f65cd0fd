"""What clients notice when a version rolls out, when one is bad, and when a task or an instance is lost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from release.deploy import Outcome
from services.pipeline.message import Email
from sim.client.load import publishing
from sim.client.tracker import EmailTracker
from sim.host.waiting import until
from sim.targets.cluster import ClusterTarget
from sim.targets.target import Capability, Target

pytestmark = pytest.mark.needs(Capability.DEPLOY)

_CLIENTS = 16
_SECONDS = 180


@pytest.fixture
def cluster(target: Target) -> ClusterTarget:
    assert isinstance(target, ClusterTarget)
    return target


@contextmanager
def _unharmed(cluster: ClusterTarget) -> Iterator[None]:
    """Clients publish meanwhile, and each of their requests succeeds."""
    with publishing(cluster.client(), _CLIENTS) as load:
        yield
    assert load.requests > _CLIENTS
    assert not load.failures, str(load)


def _tasks(cluster: ClusterTarget) -> set[str]:
    return {each["taskArn"] for each in cluster.service("api").tasks() if each["lastStatus"] == "RUNNING"}


def test_a_version_rolls_out_and_no_request_fails(cluster: ClusterTarget, tracker: EmailTracker, email: Email) -> None:
    before = _tasks(cluster)
    with _unharmed(cluster):
        verdict = cluster.deploy("api")
    assert verdict.outcome is Outcome.DEPLOYED, str(verdict)
    assert not before & _tasks(cluster)
    tracker.publish(email)
    tracker.verify()


def test_a_version_that_never_gets_healthy_is_taken_back_and_no_request_fails(cluster: ClusterTarget) -> None:
    def never_healthy(folder: Path) -> None:
        check = folder / "services" / "api" / "health.py"
        check.write_text("raise SystemExit(1)\n")

    version = cluster.deployment.made_of_checkout("api", never_healthy)
    with _unharmed(cluster):
        verdict = cluster.deploy("api", version)
    assert verdict.outcome is Outcome.ROLLED_BACK, str(verdict)


def test_a_service_scales_out_and_in_and_no_request_fails(cluster: ClusterTarget) -> None:
    api = cluster.service("api")
    count = api.described()["desiredCount"]
    with _unharmed(cluster):
        for wanted in (count + 1, count):
            api.scale(wanted)
            until(
                lambda wanted=wanted: len(cluster.acts.in_service()) == wanted,  # type: ignore[misc]  # bound now
                f"{wanted} tasks in service",
                seconds=_SECONDS,
                seen=api.summary,
            )


def test_a_task_that_is_lost_is_replaced(cluster: ClusterTarget, tracker: EmailTracker, email: Email) -> None:
    before = _tasks(cluster)
    cluster.acts.lose_task("api")
    until(
        lambda: len(_tasks(cluster) - before) == 1,
        "another task",
        seconds=_SECONDS,
        seen=cluster.service("api").summary,
    )
    cluster.service("api").await_healthy(_SECONDS)
    tracker.publish(email)
    tracker.verify()


def test_an_instance_that_drains_gives_its_tasks_away_and_no_request_fails(cluster: ClusterTarget) -> None:
    tasks = cluster.service("api").tasks()
    status = cluster.acts.instance_of(tasks[0])
    with _unharmed(cluster):
        cluster.acts.drain(status)
        until(
            lambda: tasks[0]["taskArn"] not in _tasks(cluster) and len(_tasks(cluster)) == len(tasks),
            "the task to have moved",
            seconds=_SECONDS,
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
        seconds=_SECONDS,
        seen=cluster.acts.in_service,
    )
    tracker.publish(email)
    cluster.acts.bring_back(instance)
    count = cluster.service("api").described()["desiredCount"]
    until(
        lambda: len(cluster.acts.in_service()) >= count,
        "all in service",
        seconds=_SECONDS,
        seen=cluster.acts.in_service,
    )
    tracker.verify()
