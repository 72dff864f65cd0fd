"""The state of ECS in one account and region, without the clusters and capacity providers, which moto keeps."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from sim.cloud.control_plane.call import AwsError, Call, Regional, Values
from sim.cloud.control_plane.ecs.container_instances import ContainerInstance
from sim.cloud.control_plane.ecs.services import Change, Service, observe
from sim.cloud.control_plane.ecs.task_definitions import TaskDefinitions
from sim.cloud.control_plane.ecs.tasks import Task

_MOST_STOPPED = 1000


@dataclass
class Cluster:
    """The contents of a cluster: services by name, tasks and container instances by ARN."""

    services: dict[str, Service] = field(default_factory=dict)
    tasks: dict[str, Task] = field(default_factory=dict)
    instances: dict[str, ContainerInstance] = field(default_factory=dict)

    def tasks_of(self, service: Service) -> list[Task]:
        """The tasks of all the service's deployments."""
        ids = {each.id for each in (*service.deployments, *service.ended)}
        return [each for each in self.tasks.values() if each.started_by in ids]

    def put_task(self, task: Task, change: Change) -> None:
        """Stores the task and updates its service."""
        self.tasks[task.arn] = task
        stopped = [arn for arn, each in self.tasks.items() if each.stopped]
        for arn in stopped[:-_MOST_STOPPED]:
            del self.tasks[arn]
        for service in self.services.values():
            if task.group == service.group:
                self.put_service(service, change)
                break

    def put_service(self, service: Service, change: Change) -> Service:
        """Updates the service from its tasks and stores it. Returns the updated service."""
        self.services[service.name] = observe(service, self.tasks_of(service), change)
        return self.services[service.name]

    def service(self, name: str) -> Service:
        """Finds a service by name or ARN, unless it is INACTIVE.

        Raises AwsError: ServiceNotFoundException, ServiceNotActiveException.
        """
        found = self.services.get(last_part(name))
        if found is None:
            raise AwsError("ServiceNotFoundException", "Service not found.")
        if found.status == "INACTIVE":
            raise AwsError("ServiceNotActiveException", "Service was not ACTIVE.")
        return found

    def task(self, name: str) -> Task:
        """Finds a task by id or ARN. Raises AwsError: InvalidParameterException."""
        for task in self.tasks.values():
            if name in {task.id, task.arn}:
                return task
        raise AwsError("InvalidParameterException", "The referenced task was not found.")

    def instance(self, name: str) -> ContainerInstance:
        """Finds a container instance by id or ARN. Raises AwsError: InvalidParameterException."""
        for instance in self.instances.values():
            if name in {last_part(instance.arn), instance.arn}:
                return instance
        raise AwsError("InvalidParameterException", "The referenced container instance was not found.")


@dataclass
class State:
    """Everything that the plugin keeps of ECS in one account and region."""

    definitions: TaskDefinitions = field(default_factory=TaskDefinitions)
    clusters: defaultdict[str, Cluster] = field(default_factory=lambda: defaultdict(Cluster))

    def cluster(self, call: Call) -> Cluster:
        """The contents of the cluster that the call names. Does not check that the cluster exists."""
        return self.clusters[cluster_name(call)]


States = Regional[State]


def cluster_name(call: Call) -> str:
    """The name of the call's cluster, which is `default` if the call names none."""
    return last_part(call.parameters.get("cluster") or "default")


def described_cluster(call: Call) -> Values:
    """moto's description of the call's cluster. Raises AwsError: ClusterNotFoundException."""
    found: list[Values] = call.forward("DescribeClusters", {"clusters": [cluster_name(call)]})["clusters"]
    if not found or found[0]["status"] != "ACTIVE":
        raise AwsError("ClusterNotFoundException", "Cluster not found.")
    return found[0]


def last_part(name: str) -> str:
    """The last part of an ARN, or the name itself if it is no ARN."""
    return name.rpartition("/")[2]


def tags_of(tags: Iterable[Values] | None) -> dict[str, str]:
    """Tags as a dictionary, from ECS's list of keys and values."""
    return {each["key"]: each.get("value") or "" for each in tags or ()}


def as_tags(tags: dict[str, str]) -> list[Values]:
    """Tags as ECS's list of keys and values."""
    return [{"key": key, "value": value} for key, value in tags.items()]


def wants_tags(call: Call) -> bool:
    """True if a Describe call asks for tags."""
    return "TAGS" in (call.parameters.get("include") or ())


def page(call: Call, name: str, found: list[str]) -> Values:
    """One page of a List call's answer, with a `nextToken` if more follow."""
    start = int(call.parameters.get("nextToken") or 0)
    end = start + int(call.parameters.get("maxResults") or 100)
    return {name: found[start:end]} | ({"nextToken": str(end)} if end < len(found) else {})
