"""The AWS CLI for a test: as a person has it, and for an Auto Scaling group."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

from sim.cloud.aws_client import CREDENTIALS, NO_FILES, REGION
from sim.host.waiting import until
from tests.cloud.running import CLUSTER, RunningCluster

AWS = Path(sysconfig.get_path("scripts")) / "aws"
STEADY_SECONDS = 60


class CommandLine:
    """`aws`, as a person has it who works on the test's account."""

    def __init__(self, cluster: RunningCluster) -> None:
        self.cluster = cluster
        self.environment = {
            **CREDENTIALS,
            **NO_FILES,
            "AWS_ACCESS_KEY_ID": cluster.account,
            "AWS_ENDPOINT_URL": cluster.cloud.endpoint,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "PATH": os.environ.get("PATH", os.defpath),
        }

    def __call__(self, service: str, *words: str) -> Any:
        """The document that a command prints; {} where it prints nothing."""
        done = self._run(service, *words)
        assert done.returncode == 0, f"{done}; {self.cluster.service()['events'][:5]}"
        return json.loads(done.stdout or "{}")

    def refused(self, service: str, *words: str) -> str:
        """What a command prints that AWS refuses."""
        done = self._run(service, *words)
        assert done.returncode, f"{done} was not refused"
        return done.stderr

    def _run(self, service: str, *words: str) -> subprocess.CompletedProcess[str]:
        command = [str(AWS), service, *words, "--output", "json"]
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)

    def ecs(self, *words: str) -> Any:
        """A command of `aws ecs` for the cluster."""
        return self("ecs", *words, "--cluster", CLUSTER)

    def described(self) -> dict[str, Any]:
        """The service `web`."""
        [service] = self.ecs("describe-services", "--services", "web")["services"]
        described: dict[str, Any] = service
        return described

    def stable(self) -> dict[str, Any]:
        """Waits until the service `web` is stable; the service."""
        self.ecs("wait", "services-stable", "--services", "web")
        described = self.described()
        assert (described["runningCount"], len(described["deployments"])) == (2, 1)
        return described


class CommandedGroup:
    """An Auto Scaling group of one instance, two at most, by the command line.

    Its instances join a cluster of its name, so that they do not take the tasks of others.
    """

    def __init__(self, aws: CommandLine, name: str) -> None:
        self.aws, self.name = aws, name
        self.client, self.ecs = aws.cluster.client("autoscaling"), aws.cluster.ecs

    def create(self) -> None:
        """The group, with its launch template."""
        self.ecs.create_cluster(clusterName=self.name)
        user_data = base64.b64encode(
            f"#!/bin/sh\necho ECS_CLUSTER={self.name} >> /etc/ecs/ecs.config\n".encode()
        ).decode()
        image = self.aws.cluster.ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
        data = json.dumps({"ImageId": image, "InstanceType": "t3.small", "UserData": user_data})
        self.aws("ec2", "create-launch-template", "--launch-template-name", self.name, "--launch-template-data", data)
        template = ("--launch-template", f"LaunchTemplateName={self.name},Version=$Latest")
        limits = ("--min-size", "1", "--max-size", "2", "--availability-zones", f"{REGION}a")
        self("create-auto-scaling-group", *template, *limits)

    def __call__(self, command: str, *words: str) -> Any:
        """A command of `aws autoscaling` for the group."""
        return self.aws("autoscaling", command, "--auto-scaling-group-name", self.name, *words)

    def joined(self, count: int) -> set[str]:
        """Waits until so many instances are in service and in the cluster, and no others."""

        def seen() -> tuple[dict[str, str], set[str]]:
            [group] = self.client.describe_auto_scaling_groups(AutoScalingGroupNames=[self.name])["AutoScalingGroups"]
            states = {each["InstanceId"]: each["LifecycleState"] for each in group["Instances"]}
            arns = self.ecs.list_container_instances(cluster=self.name)["containerInstanceArns"]
            asked = self.ecs.describe_container_instances(cluster=self.name, containerInstances=arns) if arns else {}
            return states, {each["ec2InstanceId"] for each in asked.get("containerInstances", [])}

        def joined() -> set[str]:
            states, members = seen()
            return members if list(states.values()) == ["InService"] * count and members == states.keys() else set()

        return until(joined, f"{count} instances in the cluster", seconds=STEADY_SECONDS, seen=seen)
