"""A cluster with a container instance and an agent that reports what a test asks for."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.cloud.shared import Client

CLUSTER = "c"
Values = dict[str, Any]


class Cluster:
    """One ECS cluster, with a stand-in for its scheduler and its agents."""

    def __init__(self, aws: Callable[[str], Client]) -> None:
        self.ecs = aws("ecs")
        self.ecs.create_cluster(clusterName=CLUSTER)
        self._instances = 0

    def define(self, image: str, family: str = "api", **more: Any) -> str:
        """A task definition with one container; its ARN."""
        container = {"name": family, "image": image, "memory": 64, **more}
        made = self.ecs.register_task_definition(family=family, containerDefinitions=[container])
        return str(made["taskDefinition"]["taskDefinitionArn"])

    def service(self, name: str = "api", **more: Any) -> Values:
        """A service of two tasks."""
        asked = {"taskDefinition": name, "desiredCount": 2, **more}
        made: Values = self.ecs.create_service(cluster=CLUSTER, serviceName=name, **asked)["service"]
        return made

    def described(self, name: str = "api") -> Values:
        """The service as it is now."""
        found: Values = self.ecs.describe_services(cluster=CLUSTER, services=[name])["services"][0]
        return found

    def join(self, *, memory: int = 1024, ports: tuple[int, ...] = (22,)) -> str:
        """A container instance registers; its ARN."""
        self._instances += 1
        identity = {"instanceId": f"i-{self._instances:017}", "availabilityZone": "eu-central-1a"}
        made = self.ecs.register_container_instance(
            cluster=CLUSTER,
            instanceIdentityDocument=json.dumps(identity),
            totalResources=[
                {"name": "CPU", "type": "INTEGER", "integerValue": 2048},
                {"name": "MEMORY", "type": "INTEGER", "integerValue": memory},
                {"name": "PORTS", "type": "STRINGSET", "stringSetValue": [str(port) for port in ports]},
            ],
        )
        return str(made["containerInstance"]["containerInstanceArn"])

    def start(self, instance: str, name: str = "api") -> str:
        """The scheduler starts a task of the service's primary deployment; the task's ARN."""
        primary = self.described(name)["deployments"][0]
        made = self.ecs.start_task(
            cluster=CLUSTER,
            containerInstances=[instance],
            startedBy=primary["id"],
            taskDefinition=primary["taskDefinition"],
        )
        return str(made["tasks"][0]["taskArn"])

    def submit(self, task: str, status: str, **more: Any) -> None:
        """The agent reports a change of a task."""
        self.ecs.submit_task_state_change(cluster=CLUSTER, task=task, status=status, **more)

    def run(self, instance: str, name: str = "api") -> str:
        """A task of the service that runs; its ARN."""
        task = self.start(instance, name)
        self.submit(task, "RUNNING")
        return task

    def task(self, arn: str) -> Values:
        """The task as it is now."""
        found: Values = self.ecs.describe_tasks(cluster=CLUSTER, tasks=[arn])["tasks"][0]
        return found
