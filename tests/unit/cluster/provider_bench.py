"""A service on the instances of a capacity provider: scheduler, group and provider together, in virtual time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sim.cluster import capacity_provider
from sim.cluster.autoscaling.group_turn import TerminateInstance
from sim.cluster.capacity_provider import CapacityProvider, ManagedScaling
from sim.cluster.container_instances import AGENT_PORTS, ContainerInstance, Remaining
from sim.cluster.services import Settings, updated
from sim.cluster.task_definitions import TaskDefinition
from sim.cluster.tasks import host_terminated
from tests.unit.cluster.autoscaling.group_bench import START, GroupBench
from tests.unit.cluster.bench import APP, Bench

SIZE = Remaining(2048, 1900, AGENT_PORTS)
SCALING = ManagedScaling(minimum_step=1, maximum_step=2, warmup_seconds=60.0)
PROVIDER = CapacityProvider("main", SIZE, SCALING, termination_protection=True)


class ProviderBench:
    """Tasks of the service take a static port, so that an instance has room for one."""

    def __init__(
        self,
        tasks: int = 2,
        *,
        provider: CapacityProvider = PROVIDER,
        definition: TaskDefinition = APP,
        settings: Settings | None = None,
        **group: Any,
    ) -> None:
        group = {"min_size": 1, "max_size": 6, "protect_new": True, **group}
        self.hosts = GroupBench(group["min_size"], **group)
        if provider.draining:
            settings_with_hook = capacity_provider.with_draining_hook(self.hosts.group.settings)
            self.hosts.group = replace(self.hosts.group, settings=settings_with_hook)
        self.service = Bench(
            tasks,
            hosts=0,
            balancers=(),
            definition=definition,
            providers=(provider.name,),
            settings=settings,
            now=START,
        )
        self.provider = provider
        self.ended_with_tasks: list[str] = []

    def step(self, seconds: float = 10.0, *, serve: bool = True) -> None:
        """A step of each, and the agents and EC2 do what they are to."""
        actions = self.hosts.step(seconds)
        for each in actions:
            if isinstance(each, TerminateInstance):
                self._terminated(each.instance)
        self._register()
        self.service.step(seconds)
        if serve:
            self.service.serve()
        self.provider, self.service.cluster, self.hosts.group = capacity_provider.step(
            self.provider, self.service.cluster, self.hosts.group, self.hosts.now
        )

    def run(self, minutes: float) -> ProviderBench:
        for _ in range(int(minutes * 6)):
            self.step()
        return self

    def want(self, tasks: int) -> None:
        """Another desired count of the service."""
        service = updated(self.service.service, "", self.hosts.now, desired_count=tasks)
        self.service.cluster = self.service.cluster.with_service(service)

    def _register(self) -> None:
        cluster = self.service.cluster
        known = {each.ec2_instance_id for each in cluster.instances.values()}
        for each in self.hosts.serving:
            if each.id not in known:
                cluster = cluster.with_instance(
                    ContainerInstance(each.id, each.id, each.zone, 2048, 1900, capacity_provider=self.provider.name)
                )
        self.service.cluster = cluster

    def _terminated(self, instance: str) -> None:
        cluster = self.service.cluster
        for task in list(cluster.tasks.values()):
            if task.instance == instance and not task.stopped:
                self.ended_with_tasks.append(task.id)
                cluster = cluster.with_task(host_terminated(task, instance, self.hosts.now))
        self.service.cluster = cluster.without_instance(instance)

    @property
    def running(self) -> int:
        return sum(each.last_status == "RUNNING" for each in self.service.live())

    @property
    def reading(self) -> float:
        return self.provider.readings[-1]
