"""What AWS does by itself under load: it scales the workers, takes a deployment back, and calls for people.

AWS waits for minutes in all of it. So its clock runs faster here. All is as in production, but that workers are slow
and few messages are a backlog.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from release.deploy import Outcome
from services.pipeline.message import Email
from sim.client.load import publishing
from sim.client.tracker import EmailTracker
from sim.cloud.aws_client import local_session
from sim.host.waiting import until
from sim.targets.cluster import ClusterTarget
from sim.targets.target import Capability, Progress, Target, Tuning
from tests.e2e.deployments import SECONDS, cluster, defined_with, ecs_of, newest_deployment, unharmed
from tests.e2e.scaled import scaled_cluster

__all__ = ["cluster"]

pytestmark = pytest.mark.needs(Capability.DEPLOY)

CLIENTS: Final = 32
"""So many publish 60 e-mails in a minute of AWS, and fewer than 20 are no alarm."""
MOST_WORKERS: Final = 3
BACKLOG_PER_TASK: Final = 40
WORKERS: Final = {
    "services/worker": f"""
variable "min_tasks" {{
  default = 0
}}

variable "max_tasks" {{
  default = {MOST_WORKERS}
}}

variable "backlog_per_task" {{
  default = {BACKLOG_PER_TASK}
}}

variable "poll_interval_seconds" {{
  default = 1
}}
""",
}
"""Settings over the worker's own."""


@pytest.fixture(scope="session")
def chosen_target(
    request: pytest.FixtureRequest, tuning: Tuning, progress: Progress, tmp_path_factory: pytest.TempPathFactory
) -> Target:
    """A cluster with these settings."""
    if request.config.getoption("--target") != "cluster" or tuning.time_scale == 1:
        name = request.config.getoption("--target")
        pytest.skip(f"not applicable: target {name} waits as AWS does; --target cluster --time-scale 15 waits less")
    runtime = request.config.getoption("--runtime")
    return scaled_cluster(tuning, progress, runtime, tmp_path_factory.mktemp("roots"), WORKERS)


def test_a_flood_of_emails_has_more_workers_started(
    cluster: ClusterTarget, tracker: EmailTracker, emails: list[Email]
) -> None:
    tracker.publish_all(emails)
    _await_workers(cluster, MOST_WORKERS)
    assert f"Setting desired count to {MOST_WORKERS}." in _activities(cluster)[0]
    tracker.verify(drain_seconds=SECONDS)
    assert "emails-local-worker-failed-puts" not in _alarms(cluster), "every write was fine"


def test_a_version_that_never_gets_healthy_is_taken_back_and_no_request_fails(cluster: ClusterTarget) -> None:
    def never_healthy(folder: Path) -> None:
        check = folder / "services" / "api" / "health.py"
        check.write_text("raise SystemExit(1)\n")

    version = cluster.deployment.made_of_checkout("api", never_healthy)
    with unharmed(cluster):
        verdict = cluster.deploy("api", version)
    assert verdict.outcome is Outcome.ROLLED_BACK, str(verdict)


def test_a_version_that_answers_badly_is_taken_back_by_the_alarm(cluster: ClusterTarget) -> None:
    def fails(folder: Path) -> None:
        app = folder / "services" / "api" / "app.py"
        publishes = "def publish_email() -> Response:\n"
        assert publishes in app.read_text()
        app.write_text(app.read_text().replace(publishes, f"{publishes}        return Response(status=500)\n"))

    api, ecs = cluster.service("api"), ecs_of(cluster)
    bad = defined_with(cluster, cluster.deployment.made_of_checkout("api", fails))
    present = api.described()["taskDefinition"]
    with publishing(cluster.client(), CLIENTS) as load:
        ecs.update_service(cluster=api.cluster, service=api.name, taskDefinition=bad)
        ended = ("ROLLBACK_SUCCESSFUL", "ECS deployment failed: alarm detected.")
        until(lambda: _ending(cluster) == ended, "the rollback", seconds=SECONDS, seen=lambda: _ending(cluster))
    assert load.failures, "the bad version answered nobody"
    assert any(each.endswith("to ALARM") for each in _changes(cluster, "emails-local-services")), "people are notified"
    assert api.described()["taskDefinition"] == present
    assert {each["taskDefinitionArn"] for each in api.tasks()} == {present}


def test_the_alarm_of_the_dead_letters_reaches_its_topic(cluster: ClusterTarget) -> None:
    with _subscribed(cluster) as received:
        cluster.data_plane.send("no e-mail")
        [alarm] = until(lambda: received("ALARM"), "the topic's message", seconds=SECONDS)
        assert alarm["AlarmName"].endswith("-dead-letters")
        cluster.data_plane.sqs.purge_queue(QueueUrl=cluster.data_plane.resources.dead_letter_queue_url)
        until(lambda: received("OK"), "the topic's message that all is well", seconds=SECONDS)


def test_a_quiet_time_takes_every_worker_away_and_the_first_email_brings_one_back(
    cluster: ClusterTarget, tracker: EmailTracker, email: Email
) -> None:
    _await_workers(cluster, 0)
    tracker.publish(email)
    # Once it is stored, the worker may be taken away again at any moment.
    tracker.verify(drain_seconds=SECONDS)
    assert [each for each in _activities(cluster) if each.startswith("Setting desired count to 1.") and "-wake" in each]


def _await_workers(cluster: ClusterTarget, count: int) -> None:
    """Waits until so many workers run, and no others."""
    worker = cluster.service("worker")

    def seen() -> list[Any]:
        return [worker.summary(), _activities(cluster), cluster.data_plane.depth()]

    def run() -> bool:
        described = worker.described()
        return (described["desiredCount"], described["runningCount"]) == (count, count)

    until(run, f"{count} workers", seconds=SECONDS, seen=seen)


def _activities(cluster: ClusterTarget) -> list[str]:
    """The scaling activities, the newest first: what was done, and why."""
    client: Any = local_session().client("application-autoscaling", endpoint_url=cluster.data_plane.endpoint)
    found = client.describe_scaling_activities(ServiceNamespace="ecs")["ScalingActivities"]
    return [f"{each['Description']} {each['Cause']}" for each in found]


def _alarms(cluster: ClusterTarget) -> list[str]:
    """The names of the alarms in ALARM."""
    cloudwatch: Any = local_session().client("cloudwatch", endpoint_url=cluster.data_plane.endpoint)
    return [each["AlarmName"] for each in cloudwatch.describe_alarms(StateValue="ALARM")["MetricAlarms"]]


def _changes(cluster: ClusterTarget, alarm: str) -> list[str]:
    """What the history of an alarm says of its state."""
    cloudwatch: Any = local_session().client("cloudwatch", endpoint_url=cluster.data_plane.endpoint)
    return [each["HistorySummary"] for each in cloudwatch.describe_alarm_history(AlarmName=alarm)["AlarmHistoryItems"]]


def _ending(cluster: ClusterTarget) -> tuple[str, str]:
    """Status and reason of the API's newest deployment."""
    newest = newest_deployment(cluster)
    return newest["status"], newest["statusReason"]


@contextmanager
def _subscribed(cluster: ClusterTarget) -> Iterator[Callable[[str], list[dict[str, Any]]]]:
    """A subscriber of the topic: the messages since it was asked last, about the dead letters in a state."""
    sns: Any = local_session().client("sns", endpoint_url=cluster.data_plane.endpoint)
    sqs = cluster.data_plane.sqs
    queue = sqs.create_queue(QueueName="alarms")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    topic = cluster.local_roots.root("monitoring").outputs()["topic_arn"]
    subscribed = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, ReturnSubscriptionArn=True)

    def received(state: str) -> list[dict[str, Any]]:
        answer = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=1)
        messages = [json.loads(json.loads(each["Body"])["Message"]) for each in answer.get("Messages", [])]
        mine = [each for each in messages if each.get("AlarmName", "").endswith("-dead-letters")]
        return [each for each in mine if each["NewStateValue"] == state]

    try:
        yield received
    finally:
        sns.unsubscribe(SubscriptionArn=subscribed["SubscriptionArn"])
        sqs.delete_queue(QueueUrl=queue)
