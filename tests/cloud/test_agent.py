"""The agent and the control plane together: services of the local cloud run, as processes."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from sim.cloud.aws_client import REGION, local_session
from sim.cloud.desired import parsed, path
from sim.cloud.local import LocalCloud
from sim.host.cleanup import Cleanup
from sim.host.loopback import answers, request
from sim.host.process import Process
from sim.host.waiting import until

SECONDS = 60
ACCOUNT = "300000000001"
CLUSTER = "mail"
SERVER = """
import http.server, os
print("it listens", flush=True)
class Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_): pass
http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""
USER_DATA = f"#!/bin/bash\ncat >> /etc/ecs/ecs.config <<'CONFIG'\nECS_CLUSTER={CLUSTER}\nCONFIG\n"


class Cloud:
    """A LocalStack with an agent, and a cluster with two EC2 instances."""

    def __init__(self, endpoint: str, cleanup: Cleanup) -> None:
        session: Any = local_session(ACCOUNT)
        self.ecs, self.ec2, self.logs = (session.client(each, endpoint_url=endpoint) for each in ("ecs", "ec2", "logs"))
        self.endpoint = endpoint
        self._start_agent(cleanup)
        self.ecs.create_cluster(clusterName=CLUSTER)
        image = self.ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
        for zone in "ab":
            self.ec2.run_instances(
                ImageId=image,
                MinCount=1,
                MaxCount=1,
                InstanceType="t3.small",
                Placement={"AvailabilityZone": f"{REGION}{zone}"},
                UserData=USER_DATA,
            )
        self.logs.create_log_group(logGroupName="/ecs/web")

    def _start_agent(self, cleanup: Cleanup) -> None:
        groups = cleanup.directory / "groups"
        groups.mkdir()
        cleanup.owns("groups", groups)
        environment = {"PATH": os.environ["PATH"], "PORT": "{port:8080}"}
        program = {"command": [sys.executable, "-c", SERVER], "directory": "/", "environment": environment}
        programs, settings = cleanup.directory / "programs.json", cleanup.directory / "agent.json"
        programs.write_text(json.dumps({"web": program}))
        settings.write_text(
            json.dumps(
                {
                    "control_plane": self.endpoint,
                    "state": str(cleanup.directory / "agent"),
                    "given": {"AWS_ENDPOINT_URL": self.endpoint},
                    "runtime": {"kind": "processes", "programs": str(programs), "groups": str(groups)},
                }
            )
        )
        self.agent = Process("agent", [sys.executable, "-m", "sim.agent", str(settings)], dict(os.environ), cleanup)
        self.agent.start()

    def until(self, condition: Any, what: str) -> Any:
        """Waits; what was seen instead is the agent's log."""
        return until(condition, what, seconds=SECONDS, seen=lambda: self.agent.tail(40))

    def instances(self) -> list[dict[str, Any]]:
        """The container instances."""
        arns = self.ecs.list_container_instances(cluster=CLUSTER)["containerInstanceArns"]
        if not arns:
            return []
        asked = self.ecs.describe_container_instances(cluster=CLUSTER, containerInstances=arns)
        return list(asked["containerInstances"])

    def define(self, image: str) -> str:
        """A revision of `web` with this image."""
        options = {"awslogs-group": "/ecs/web", "awslogs-region": REGION, "awslogs-stream-prefix": "web"}
        container = {
            "name": "web",
            "image": image,
            "memory": 64,
            "portMappings": [{"containerPort": 8080, "hostPort": 8080}],
            "logConfiguration": {"logDriver": "awslogs", "options": options},
        }
        made = self.ecs.register_task_definition(family="web", containerDefinitions=[container])
        return str(made["taskDefinition"]["taskDefinitionArn"])

    def service(self) -> dict[str, Any]:
        """The service `web`."""
        described: dict[str, Any] = self.ecs.describe_services(cluster=CLUSTER, services=["web"])["services"][0]
        return described

    def reasons(self) -> list[str]:
        """Why tasks have stopped."""
        arns = self.ecs.list_tasks(cluster=CLUSTER, desiredStatus="STOPPED")["taskArns"]
        found = self.ecs.describe_tasks(cluster=CLUSTER, tasks=arns)["tasks"] if arns else []
        return [each["stoppedReason"] for each in found]

    def addresses(self) -> list[str]:
        """Where the host ports of the instances are."""
        found = parsed(request("GET", self.endpoint + path(None), seconds=SECONDS).data)
        return [each.address for each in found.host_ports]


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with Cleanup() as cleanup:
        local = LocalCloud(cleanup, (), print)
        try:
            local.open()
            local.await_ready()
            cloud = Cloud(local.endpoint, cleanup)
            yield cloud
            cloud.agent.kill()
        finally:
            local.stop()


def test_a_service_runs_on_two_instances_and_a_version_that_cannot_start_is_named(cloud: Cloud) -> None:
    cloud.until(lambda: len(cloud.instances()) == 2, "both instances to register")
    assert all(each["agentConnected"] for each in cloud.instances())
    cloud.define("web:1")
    cloud.ecs.create_service(
        cluster=CLUSTER,
        serviceName="web",
        taskDefinition="web",
        desiredCount=2,
        launchType="EC2",
        deploymentConfiguration={
            "minimumHealthyPercent": 50,
            "maximumPercent": 100,
            "deploymentCircuitBreaker": {"enable": True, "rollback": True},
        },
    )
    cloud.until(lambda: cloud.service()["runningCount"] == 2, "both tasks to run")
    for address in cloud.until(cloud.addresses, "the port tables"):
        cloud.until(partial(answers, f"http://{address}/", seconds=1), "an answer")
    [stream, _] = cloud.until(
        lambda: cloud.logs.describe_log_streams(logGroupName="/ecs/web")["logStreams"], "the log streams"
    )
    assert stream["logStreamName"].startswith("web/web/")

    arns = cloud.ecs.list_tasks(cluster=CLUSTER)["taskArns"]
    cloud.ecs.stop_task(cluster=CLUSTER, task=arns[0], reason="a test")
    stopped = cloud.until(partial(stopped_task, cloud, arns[0]), "the task to stop")
    assert (stopped["stopCode"], stopped["stoppedReason"]) == ("UserInitiated", "a test")
    assert stopped["containers"][0]["exitCode"] == 143
    cloud.until(lambda: cloud.service()["runningCount"] == 2, "another task to run")

    cloud.ecs.update_service(cluster=CLUSTER, service="web", taskDefinition=cloud.define("nobody/knows:2"))
    cloud.until(lambda: any(each.startswith("CannotPullContainerError") for each in cloud.reasons()), "it to fail")


def stopped_task(cloud: Cloud, arn: str) -> dict[str, Any] | None:
    """The task, once it is STOPPED."""
    task: dict[str, Any] = cloud.ecs.describe_tasks(cluster=CLUSTER, tasks=[arn])["tasks"][0]
    return task if task["lastStatus"] == "STOPPED" else None
