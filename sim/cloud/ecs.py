"""An ECS service of the local cloud, as its owner sees it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Literal

from sim.aws.arn import last_part
from sim.cloud.aws_client import REGION, local_session
from sim.errors import SimError
from sim.host.waiting import until

_MOST: Final = 100
"""Tasks or container instances that one call describes.
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeTasks.html"""
_MOST_SERVICES: Final = 10
"""Services that one call describes."""
_GOES_ON: Final = frozenset({"PENDING", "IN_PROGRESS", "STOP_REQUESTED", "ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS"})
"""https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ServiceDeployment.html"""


class NoSuchService(SimError):
    """The cluster has no service of this name."""


@dataclass(frozen=True)
class EcsService:
    """One service, by the local cloud's endpoint, the cluster's name, its own, and its region."""

    endpoint: str
    cluster: str
    name: str
    region: str = REGION

    @cached_property
    def _ecs(self) -> Any:
        return _client(self.endpoint, self.region)

    def described(self) -> dict[str, Any]:
        """What DescribeServices returns of it. Raises NoSuchService."""
        found = self._ecs.describe_services(cluster=self.cluster, services=[self.name])["services"]
        if not found or found[0]["status"] != "ACTIVE":
            raise NoSuchService(
                f"the cluster {self.cluster} has no service {self.name}; `sim cluster status` shows all"
            )
        service: dict[str, Any] = found[0]
        return service

    def tasks(self, status: Literal["RUNNING", "STOPPED"] = "RUNNING") -> list[dict[str, Any]]:
        """What DescribeTasks returns of its tasks with this desired status."""
        pages = self._ecs.get_paginator("list_tasks").paginate(
            cluster=self.cluster, serviceName=self.name, desiredStatus=status
        )
        return self._describe([arn for page in pages for arn in page["taskArns"]])

    def scale(self, count: int) -> None:
        """Sets the desired count."""
        self._ecs.update_service(cluster=self.cluster, service=self.name, desiredCount=count)

    def update(self, **changes: Any) -> None:
        """Calls UpdateService with these parameters."""
        self._ecs.update_service(cluster=self.cluster, service=self.name, **changes)

    def deployments(self) -> list[dict[str, Any]]:
        """What ListServiceDeployments returns of it, the newest first.

        AWS leaves the rollout state of a service behind a Classic ELB out of DescribeServices.
        """
        listed: list[dict[str, Any]] = self._ecs.list_service_deployments(cluster=self.cluster, service=self.name)[
            "serviceDeployments"
        ]
        return listed

    def deploys(self) -> bool:
        """True while its newest deployment goes on. Its tasks may run by then, and not yet serve."""
        return self.deployments()[0]["status"] in _GOES_ON

    def definition(self) -> dict[str, Any]:
        """Its task definition, as DescribeTaskDefinition returns it."""
        present = self.described()["taskDefinition"]
        found: dict[str, Any] = self._ecs.describe_task_definition(taskDefinition=present)["taskDefinition"]
        return found

    def revised(self, definition: Mapping[str, Any]) -> str:
        """Registers a task definition in the form of `definition` as a new revision. Returns its ARN."""
        taken = self._ecs.meta.service_model.operation_model("RegisterTaskDefinition").input_shape.members
        given = {name: value for name, value in definition.items() if name in taken}
        return str(self._ecs.register_task_definition(**given)["taskDefinition"]["taskDefinitionArn"])

    def await_healthy(self, seconds: float) -> None:
        """Waits until as many tasks as desired run and are healthy. Raises TimedOut."""
        until(self._is_healthy, f"the tasks of {self.name} to be healthy", seconds=seconds, seen=self.summary)

    def await_ended(self, tasks: Sequence[dict[str, Any]], seconds: float) -> list[dict[str, Any]]:
        """Waits until these tasks are STOPPED, and describes them again. Raises TimedOut."""
        arns = [each["taskArn"] for each in tasks]

        def ended() -> list[dict[str, Any]]:
            described = self._describe(arns)
            return described if all(each["lastStatus"] == "STOPPED" for each in described) else []

        return until(ended, f"the tasks of {self.name} to end", seconds=seconds, seen=self.summary) if arns else []

    def summary(self) -> list[tuple[str, str, str]]:
        """Last status, health and reason of each of its tasks."""
        return [
            (each["lastStatus"], each.get("healthStatus", "UNKNOWN"), each.get("stoppedReason", ""))
            for each in (*self.tasks(), *self.tasks("STOPPED"))
        ]

    def _is_healthy(self) -> bool:
        healthy = [each for each in self.tasks() if each.get("healthStatus") == "HEALTHY"]
        return len(healthy) >= int(self.described()["desiredCount"])

    def _describe(self, arns: Sequence[str]) -> list[dict[str, Any]]:
        return [
            task
            for batch in _batches(arns)
            for task in self._ecs.describe_tasks(cluster=self.cluster, tasks=batch)["tasks"]
        ]


def container_instances(ecs: Any, cluster: str) -> list[dict[str, Any]]:
    """What DescribeContainerInstances returns of all instances of a cluster. `ecs` is a client of boto3."""
    pages = ecs.get_paginator("list_container_instances").paginate(cluster=cluster)
    arns = [arn for page in pages for arn in page["containerInstanceArns"]]
    answers = [ecs.describe_container_instances(cluster=cluster, containerInstances=each) for each in _batches(arns)]
    return [instance for answer in answers for instance in answer["containerInstances"]]


def _batches(arns: Sequence[str]) -> Iterator[list[str]]:
    for first in range(0, len(arns), _MOST):
        yield list(arns[first : first + _MOST])


def services_of(endpoint: str, region: str) -> dict[str, EcsService]:
    """All services of a region of the local cloud that are active, by name; of several of one name the last."""
    ecs = _client(endpoint, region)
    found = (
        EcsService(endpoint, last_part(cluster), service["serviceName"], region)
        for cluster in _active_clusters(ecs)
        for page in ecs.get_paginator("list_services").paginate(
            cluster=cluster, PaginationConfig={"PageSize": _MOST_SERVICES}
        )
        if page["serviceArns"]
        for service in ecs.describe_services(cluster=cluster, services=page["serviceArns"])["services"]
        if service["status"] == "ACTIVE"
    )
    return {each.name: each for each in found}


def _active_clusters(ecs: Any) -> list[str]:
    """The ARNs of the clusters that were not deleted: a deleted one stays listed as INACTIVE."""
    arns = ecs.list_clusters()["clusterArns"]
    found = ecs.describe_clusters(clusters=arns)["clusters"] if arns else []
    return [each["clusterArn"] for each in found if each["status"] == "ACTIVE"]


def _client(endpoint: str, region: str) -> Any:
    return local_session(region=region).client("ecs", endpoint_url=endpoint)


def zone_of(instance: Mapping[str, Any]) -> str:
    """The zone of a container instance, as DescribeContainerInstances returns it."""
    attributes: dict[str, str] = {each["name"]: each.get("value", "") for each in instance["attributes"]}
    return attributes.get("ecs.availability-zone", "")
