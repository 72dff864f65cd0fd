"""The agent and the control plane together: services of the local cloud run, as processes."""

from __future__ import annotations

import time
from functools import partial

import pytest

from sim.host.loopback import answers
from tests.cloud.running import CLUSTER, RunningCloud, RunningCluster


@pytest.fixture(scope="module")
def cluster(running_cloud: RunningCloud) -> RunningCluster:
    """One that runs nothing yet."""
    cluster = RunningCluster(running_cloud, "300000000001")
    cluster.make()
    return cluster


def _run(cluster: RunningCluster) -> None:
    """The service runs its two tasks, and each of them answers."""
    cluster.until(lambda: cluster.service()["runningCount"] == 2, "both tasks to run")
    for address in cluster.until(cluster.addresses, "the port tables"):
        cluster.until(partial(answers, f"http://{address}/", seconds=1), "an answer")


def _stop_one(cluster: RunningCluster) -> None:
    """A task that is stopped by hand ends by SIGTERM, with the caller's reason."""
    [task, _] = cluster.tasks()
    cluster.ecs.stop_task(cluster=CLUSTER, task=task, reason="a test")
    stopped = cluster.until(partial(cluster.stopped, task), "the task to stop")
    assert (stopped["stopCode"], stopped["stoppedReason"]) == ("UserInitiated", "a test")
    assert stopped["containers"][0]["exitCode"] == 143


def test_a_service_runs_on_two_instances(cluster: RunningCluster) -> None:
    assert all(each["agentConnected"] for each in cluster.instances())
    cluster.define("web:1")
    cluster.serve()
    _run(cluster)
    [stream, _] = cluster.until(
        lambda: cluster.logs.describe_log_streams(logGroupName="/ecs/web")["logStreams"], "the log streams"
    )
    assert stream["logStreamName"].startswith("web/web/")
    _stop_one(cluster)
    _run(cluster)


def test_an_agent_that_is_started_again_goes_on_with_the_tasks(cluster: RunningCluster) -> None:
    tasks = cluster.tasks()
    cluster.cloud.agent.kill()
    for address in cluster.addresses():
        assert answers(f"http://{address}/", seconds=1)
    assert cluster.cloud.parts.start_again(time.monotonic())
    cluster.until(lambda: all(each["agentConnected"] for each in cluster.instances()), "the agent to be connected")
    assert cluster.tasks() == tasks
    _stop_one(cluster)
    _run(cluster)
    assert tasks[1] in cluster.tasks()


def test_a_version_that_cannot_start_is_named(cluster: RunningCluster) -> None:
    cluster.ecs.update_service(cluster=CLUSTER, service="web", taskDefinition=cluster.define("nobody/knows:2"))
    cluster.until(lambda: any(each.startswith("CannotPullContainerError") for each in cluster.reasons()), "it to fail")
