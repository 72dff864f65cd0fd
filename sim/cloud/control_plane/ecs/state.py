"""What ECS keeps for one account and region, beside moto's clusters and capacity providers."""

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
    """What is in a cluster: services by name, tasks and container instances by ARN."""

    services: dict[str, Service] = field(default_factory=dict)
    tasks: dict[str, Task] = field(default_factory=dict)
    instances: dict[str, ContainerInstance] = field(default_factory=dict)

    def tasks_of(self, service: Service) -> list[Task]:
        """The service's tasks, of whatever deployment."""
        ids = {each.id for each in (*service.deployments, *service.ended)}
        return [each for each in self.tasks.values() if each.started_by in ids]

    def put_task(self, task: Task, change: Change) -> None:
        """Keeps the task as it is now, and lets its service see it."""
        self.tasks[task.arn] = task
        stopped = [arn for arn, each in self.tasks.items() if each.stopped]
        for arn in stopped[:-_MOST_STOPPED]:
            del self.tasks[arn]
        for service in self.services.values():
            if task.group == service.group:
                self.put_service(service, change)
                break

    def put_service(self, service: Service, change: Change) -> Service:
        """Keeps the service, seen in the light of its tasks."""
        self.services[service.name] = observe(service, self.tasks_of(service), change)
        return self.services[service.name]

    def service(self, name: str) -> Service:
        """By name or ARN, unless INACTIVE. Raises AwsError: ServiceNotFoundException, ServiceNotActiveException."""
        found = self.services.get(last_part(name))
        if found is None:
            raise AwsError("ServiceNotFoundException", "Service not found.")
        if found.status == "INACTIVE":
            raise AwsError("ServiceNotActiveException", "Service was not ACTIVE.")
        return found

    def task(self, name: str) -> Task:
        """By id or ARN. Raises AwsError: InvalidParameterException."""
        for task in self.tasks.values():
            if name in {task.id, task.arn}:
                return task
        raise AwsError("InvalidParameterException", "The referenced task was not found.")

    def instance(self, name: str) -> ContainerInstance:
        """By id or ARN. Raises AwsError: InvalidParameterException."""
        for instance in self.instances.values():
            if name in {last_part(instance.arn), instance.arn}:
                return instance
        raise AwsError("InvalidParameterException", "The referenced container instance was not found.")


@dataclass
class State:
    """All of an account and region."""

    definitions: TaskDefinitions = field(default_factory=TaskDefinitions)
    clusters: defaultdict[str, Cluster] = field(default_factory=lambda: defaultdict(Cluster))

    def cluster(self, call: Call) -> Cluster:
        """The one that the call names, whether moto has it or not."""
        return self.clusters[cluster_name(call)]


States = Regional[State]


def cluster_name(call: Call) -> str:
    """Of the cluster that the call names, or means."""
    return last_part(call.parameters.get("cluster") or "default")


def described_cluster(call: Call) -> Values:
    """The call's cluster as moto has it. Raises AwsError: ClusterNotFoundException."""
    found: list[Values] = call.forward("DescribeClusters", {"clusters": [cluster_name(call)]})["clusters"]
    if not found or found[0]["status"] != "ACTIVE":
        raise AwsError("ClusterNotFoundException", "Cluster not found.")
    return found[0]


def last_part(name: str) -> str:
    """Of an ARN; a name is its own."""
    return name.rpartition("/")[2]


def tags_of(tags: Iterable[Values] | None) -> dict[str, str]:
    """From the form in which ECS takes and gives them."""
    return {each["key"]: each.get("value") or "" for each in tags or ()}


def as_tags(tags: dict[str, str]) -> list[Values]:
    """In that form."""
    return [{"key": key, "value": value} for key, value in tags.items()]


def wants_tags(call: Call) -> bool:
    """Whether a Describe call asks for them."""
    return "TAGS" in (call.parameters.get("include") or ())


def page(call: Call, name: str, found: list[str]) -> Values:
    """One page of a List call's answer."""
    start = int(call.parameters.get("nextToken") or 0)
    end = start + int(call.parameters.get("maxResults") or 100)
    return {name: found[start:end]} | ({"nextToken": str(end)} if end < len(found) else {})
