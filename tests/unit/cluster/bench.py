"""One service on a few instances, driven step by step: the test plays the agents and the load balancer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from random import Random

from sim.cluster import tasks as lifecycle
from sim.cluster.actions import Action, Deregister, Register, Said
from sim.cluster.circuit_breaker import CircuitBreaker
from sim.cluster.container_instances import ContainerInstance
from sim.cluster.deployments import DeploymentConfiguration, LoadBalancer, Revision
from sim.cluster.observed import Observed
from sim.cluster.scheduler import Cluster, step
from sim.cluster.services import Service, Settings, created, updated
from sim.cluster.target_health import TargetHealth
from sim.cluster.task_definitions import PortMapping, TaskDefinition
from sim.cluster.tasks import Task

IN_SERVICE = TargetHealth("InService", "N/A", "N/A")
FAILING = TargetHealth(
    "OutOfService",
    "Instance",
    "Instance has failed at least the UnhealthyThreshold number of health checks consecutively.",
)
REGISTERING = TargetHealth("OutOfService", "ELB", "Instance registration is still in progress.")
ELB = LoadBalancer("elb", "web", "app", 8080)
GROUP = LoadBalancer("target-group", "arn:tg", "app", 8080)
APP = TaskDefinition("app:1", 512, 512, (PortMapping("app", 8080, 8080),))
NEXT = replace(APP, arn="app:2")
BREAKER = Settings(DeploymentConfiguration(100, 150, CircuitBreaker(enable=True, rollback=True)))


def instances(count: int, **settings: object) -> dict[str, ContainerInstance]:
    """Instances i1, i2, ... in the zones a and b in turn, each with 2,048 CPU units and 1,900 MiB."""
    made = (
        ContainerInstance(f"i{n}", f"i-{n}", "ab"[(n - 1) % 2], 2048, 1900, **settings)  # type: ignore[arg-type]  # any field
        for n in range(1, count + 1)
    )
    return {each.id: each for each in made}


class Bench:
    """The cluster with one service `app`."""

    def __init__(
        self,
        desired: int = 2,
        hosts: int = 3,
        least: int = 100,
        most: int = 150,
        *,
        balancers: tuple[LoadBalancer, ...] = (ELB,),
        definition: TaskDefinition = APP,
        settings: Settings | None = None,
        providers: tuple[str, ...] = (),
        now: float = 0.0,
    ) -> None:
        configuration = DeploymentConfiguration(least, most)
        settings = settings or Settings()
        if settings.configuration == DeploymentConfiguration():
            settings = replace(settings, configuration=configuration)
        service = created("app", Revision(definition, balancers, providers), desired, settings, "ecs-svc/1", now)
        self.cluster = Cluster(instances(hosts), {"app": service}, {})
        self.now = now
        self.health: dict[str, dict[str, TargetHealth]] = {}
        self.drained: set[tuple[str, str]] = set()
        self.alarms: frozenset[str] = frozenset()
        self.closed_roles: frozenset[str] = frozenset()
        self.chance = Random(1)
        self.said: list[str] = []

    @property
    def service(self) -> Service:
        """As it is now."""
        return self.cluster.services["app"]

    @property
    def tasks(self) -> Mapping[str, Task]:
        """Those of the cluster."""
        return self.cluster.tasks

    def step(self, seconds: float = 10.0) -> list[Action]:
        """Some time, and a step of the scheduler."""
        self.now += seconds
        observed = Observed(self.health, self.drained, self.alarms, self.closed_roles)
        self.cluster, actions = step(self.cluster, observed, self.now, self.chance)
        for each in actions:
            match each:
                case Register(balancer, target):
                    self.health.setdefault(balancer.name, {})[target.id] = REGISTERING
                    self.drained.discard((balancer.name, target.id))
                case Deregister(balancer, target):
                    self.health.get(balancer.name, {}).pop(target.id, None)
                case Said(message=message):
                    self.said.append(message)
        return actions

    def serve(self, *, healthy: bool = True) -> None:
        """The agents start and stop all that they are to, the balancer lets go, and has its verdict on the rest."""
        for task in list(self.tasks.values()):
            if task.desired_status == "STOPPED" and task.last_status == "STOPPING":
                self.put(lifecycle.ended(task, self.now))
            elif task.last_status == "PENDING":
                self.put(lifecycle.health_reported(lifecycle.running(task, self.now), "HEALTHY"))
            if task.leaving:
                for name, target in self.targets(task):
                    self.drained.add((name, target))
        for of in self.health.values():
            of.update(dict.fromkeys(of, IN_SERVICE if healthy else FAILING))

    def targets(self, task: Task) -> list[tuple[str, str]]:
        """The names of the balancers, each with the id of the task's target."""
        host = self.cluster.instances[task.instance or ""].ec2_instance_id
        service = self.service
        deployments = (*service.deployments, *service.ended)
        found = next(each for each in deployments if each.id == task.deployment).revision.load_balancers
        return [(each.name, host if each.kind == "elb" else f"{host}:8080") for each in found]

    def put(self, task: Task) -> None:
        """Another state of a task, as its agent reports it."""
        self.cluster = self.cluster.with_task(task)

    def deploy(self, definition: TaskDefinition = NEXT, *, force: bool = False) -> None:
        """UpdateService with another task definition."""
        revision = replace(self.service.primary.revision, definition=definition)
        number = len(self.service.deployments) + len(self.service.ended) + 1
        service = updated(self.service, f"ecs-svc/{number}", self.now, revision=revision, force_new_deployment=force)
        self.cluster = self.cluster.with_service(service)

    def settle(self, steps: int = 30) -> Bench:
        """Steps until the service has its steady state."""
        for _ in range(steps):
            self.step()
            self.serve()
            if self.steady:
                return self
        raise AssertionError(f"not steady after {steps} steps: {self.said}")

    @property
    def steady(self) -> bool:
        """Whether the PRIMARY deployment is completed, alone, and the service in its steady state."""
        return (
            self.service.primary.rollout_state == "COMPLETED"
            and "has reached a steady state." in self.service.conditions
        )

    def live(self, deployment: str = "") -> list[Task]:
        """The tasks that are to run, of one deployment or of all."""
        return [each for each in self.tasks.values() if each.to_run and deployment in {"", each.deployment}]
