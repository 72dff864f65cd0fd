"""The state of ECS in one account and region, without the clusters and capacity providers, which moto keeps.

The state of a cluster is that of `sim.cluster.scheduler`. Beside it are records of what AWS's API knows besides.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from random import Random

from sim.aws.arn import last_part
from sim.cloud.control_plane.call import AwsError, Call, Regional, Values
from sim.cloud.control_plane.ecs.container_instances import InstanceRecord
from sim.cloud.control_plane.ecs.services import BakeSeconds, ServiceRecord
from sim.cloud.control_plane.ecs.task_definitions import TaskDefinitions
from sim.cloud.control_plane.ecs.tasks import TaskRecord, arn_in, placed, record
from sim.cluster.aws_clock import THIS_MACHINES, AwsClock
from sim.cluster.container_instances import ContainerInstance
from sim.cluster.scheduler import Cluster, new_id
from sim.cluster.services import Service
from sim.cluster.tasks import Task


@dataclass(frozen=True)
class Surroundings:
    """What the operations are handed: AWS's time in seconds since 1970, and randomness.

    `driven` says whether the service scheduler runs (`sim.cloud.control_plane.cluster.driver`).
    """

    now: Callable[[], float]
    chance: Random
    driven: Callable[[], bool]
    bake_seconds: Callable[[str, str, tuple[str, ...]], float]
    """The bake time of deployments with the alarms of these names, in an account and a region."""
    clock: AwsClock = THIS_MACHINES
    assumable: Callable[[str, str], bool] = lambda role, task: True  # noqa: ARG005 - for state without IAM
    """Whether ECS can assume a role for a task, by their ARNs."""

    def new_id(self) -> str:
        """The id of a task or a container instance."""
        return new_id(self.chance)

    def new_deployment(self) -> str:
        """The id of a deployment: its number has 19 digits."""
        return f"ecs-svc/{self.chance.randrange(10**18, 10**19)}"

    def bake_for(self, call: Call) -> BakeSeconds:
        """The bake time for services of the caller."""
        return lambda names: self.bake_seconds(call.account, call.region, names)


@dataclass
class Contents:
    """The contents of a cluster, and a record for each: of services by name, of tasks and container instances by id."""

    cluster: Cluster = field(default_factory=Cluster)
    services: dict[str, ServiceRecord] = field(default_factory=dict)
    tasks: dict[str, TaskRecord] = field(default_factory=dict)
    instances: dict[str, InstanceRecord] = field(default_factory=dict)
    dropped: set[str] = field(default_factory=set)
    """The EC2 instances that are container instances no more, and may still be registered with load balancers."""

    def tasks_of(self, service: Service) -> list[Task]:
        """The tasks of all the service's deployments."""
        return [each for each in self.cluster.tasks.values() if each.group == service.group]

    def put_service(self, service: Service, of: ServiceRecord) -> None:
        """Keeps a service, and what AWS's API knows of it."""
        self.cluster = self.cluster.with_service(service)
        self.services[service.name] = of

    def put_task(self, task: Task, of: TaskRecord) -> None:
        """Keeps a task, and what AWS's API knows of it."""
        known = self.tasks.get(task.id)
        self.cluster = self.cluster.with_task(task)
        self.tasks[task.id] = replace(of, version=known.version + 1) if known else of

    def put_instance(self, instance: ContainerInstance, of: InstanceRecord | None = None) -> None:
        """Keeps a container instance. Without a record, AWS's API knows the same of it as before."""
        known = self.instances.get(instance.id)
        self.cluster = self.cluster.with_instance(instance)
        kept = of or self.instances[instance.id]
        self.instances[instance.id] = replace(kept, version=known.version + 1) if known else kept

    def drop_instance(self, instance: ContainerInstance) -> None:
        """Forgets a container instance."""
        self.dropped.add(instance.ec2_instance_id)
        self.cluster = self.cluster.without_instance(instance.id)
        del self.instances[instance.id]

    def advance(self, cluster: Cluster, definitions: TaskDefinitions) -> None:
        """Keeps what a step has made of the cluster, with a record of each task that it has started."""
        before, self.cluster = self.cluster, cluster
        for task in cluster.tasks.values():
            if before.tasks.get(task.id) is not task:
                self._follow(task, definitions)
        for gone in self.tasks.keys() - cluster.tasks.keys():
            del self.tasks[gone]

    def _follow(self, task: Task, definitions: TaskDefinitions) -> None:
        known = self.tasks.get(task.id)
        of = replace(known, version=known.version + 1) if known else self._started(task, definitions)
        instance = self.cluster.instances.get(task.instance or "")
        if instance and "containerInstanceArn" not in of.settings:
            of = placed(of, instance)
        self.tasks[task.id] = of

    def _started(self, task: Task, definitions: TaskDefinitions) -> TaskRecord:
        service = self.services[task.group.partition(":")[2]]
        definition = definitions.find(task.definition.arn)
        return record(
            arn_in(service.cluster_arn, "task", task.id),
            service.cluster_arn,
            definition,
            {
                "launchType": "EC2",
                "overrides": {},
                "enableExecuteCommand": service.settings["enableExecuteCommand"],
            },
            started_by=task.deployment,
            tags=propagated(service.settings["propagateTags"], service.tags, definition.tags),
        )

    def service(self, name: str) -> Service:
        """Finds a service by name or ARN, unless it is INACTIVE.

        Raises AwsError: ServiceNotFoundException, ServiceNotActiveException.
        """
        found = self.cluster.services.get(last_part(name))
        if found is None:
            raise AwsError("ServiceNotFoundException", "Service not found.")
        if found.status == "INACTIVE":
            raise AwsError("ServiceNotActiveException", "Service was not ACTIVE.")
        return found

    def task(self, name: str) -> Task:
        """Finds a task by id or ARN. Raises AwsError: InvalidParameterException."""
        found = self.cluster.tasks.get(last_part(name))
        if found is None or (name.startswith("arn:") and self.tasks[found.id].arn != name):
            raise AwsError("InvalidParameterException", "The referenced task was not found.")
        return found

    def instance(self, name: str) -> ContainerInstance:
        """Finds a container instance by id or ARN. Raises AwsError: InvalidParameterException."""
        found = self.cluster.instances.get(last_part(name))
        if found is None or (name.startswith("arn:") and self.instances[found.id].arn != name):
            raise AwsError("InvalidParameterException", "The referenced container instance was not found.")
        return found


@dataclass
class State:
    """Everything that the plugin keeps of ECS in one account and region."""

    definitions: TaskDefinitions = field(default_factory=TaskDefinitions)
    clusters: defaultdict[str, Contents] = field(default_factory=lambda: defaultdict(Contents))

    def contents(self, call: Call) -> Contents:
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


def propagated(source: str | None, of_service: dict[str, str], of_definition: dict[str, str]) -> dict[str, str]:
    """The tags that a task gets from its service or its task definition, as `propagateTags` names them."""
    return {"SERVICE": of_service, "TASK_DEFINITION": of_definition}.get(source or "NONE", {})


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
