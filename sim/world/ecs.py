"""The cluster in a world: the scheduler's core, and machines that come, drain and are lost.

The services are declared as in `terraform/services/`. What the core decides is in `sim.cluster.scheduler`; the fleet
plays the agents, which start and stop the tasks. The Auto Scaling group is a stand-in: in the place of a machine that
is lost or drains, another joins after a while.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Protocol

from sim.cluster import services, tasks
from sim.cluster.actions import Action, Deregister, PlaceTask, Register, StartTask, StopTask
from sim.cluster.balancer.classic import IN_SERVICE
from sim.cluster.circuit_breaker import CircuitBreaker
from sim.cluster.container_instances import ContainerInstance, drained, draining
from sim.cluster.deployments import (
    Alarms,
    Deployment,
    DeploymentConfiguration,
    LoadBalancer,
    Revision,
    bake_seconds,
    rollback_target,
)
from sim.cluster.events import steady
from sim.cluster.observed import Observed
from sim.cluster.placement import Strategy
from sim.cluster.scheduler import Cluster, step
from sim.cluster.services import Service
from sim.cluster.target_health import RegisteredTarget
from sim.cluster.task_definitions import PortMapping, TaskDefinition
from sim.cluster.tasks import Task
from sim.world.coverage import Encounter
from sim.world.elb import ZONES, Elb
from sim.world.versions import Version

if TYPE_CHECKING:
    from random import Random

    from sim.world.scheduler import Scheduler
    from sim.world.setup import Setup

PORT: Final = 8080
GRACE_SECONDS: Final = 60.0
_ELB: Final = LoadBalancer("elb", "elb", "api", PORT)
_ALARM: Final = "api-errors"
_ALARM_PERIODS: Final = ((2, 60),)
_DISCONNECTED_SECONDS: Final = 15.0
"""Until ECS knows at most that an agent is not connected, and places nothing there."""
_HOST_GONE_SECONDS: Final = (20.0, 120.0)
"""Until ECS knows that a machine is gone."""
_JOIN_SECONDS: Final = (30.0, 90.0)
"""Until another machine has joined."""
_STARTING_SECONDS: Final = (0.5, 3.0)
"""Until an agent has a task RUNNING."""
_CONTAINER_CHECK_SECONDS: Final = 5.0
_UNHEALTHY_SECONDS: Final = 45.0
"""Until a container whose check always fails is UNHEALTHY: its start period, and three checks."""


class Agents(Protocol):
    """What runs the tasks of machines."""

    def start_task(self, task: str, role: str, version: Version, ec2: str) -> None: ...
    def stop_task(self, task: str) -> None: ...
    def lose(self, ec2: str) -> None: ...


@dataclass(frozen=True)
class _Deployed:
    """A revision of a service, by the number in its task definition."""

    role: str
    version: Version


class Ecs:
    """One cluster of a world. `met` counts what coverage asks for, `deployed` the versions."""

    def __init__(
        self,
        setup: Setup,
        scheduler: Scheduler,
        draw: Random,
        agents: Agents,
        met: Callable[[Encounter], None],
        deployed: Callable[[Version], None],
    ) -> None:
        self.cluster = Cluster()
        self.lost: set[str] = set()
        """EC2 instance ids of machines that are gone."""
        self._setup = setup
        self._scheduler = scheduler
        self._draw = draw
        self._agents = agents
        self._met = met
        self._deployed = deployed
        self._elb: Elb | None = None
        self._made = 0
        self._joining = 0
        self._revisions: dict[str, _Deployed] = {}
        self._dark: set[str] = set()
        self._changed = True

    def up(self, elb: Elb) -> None:
        """Machines, services, and a step of the scheduler every so many seconds from now on."""
        self._elb = elb
        for _ in range(self._setup.machines):
            self._join()
        for role, count in self._setup.counts.items():
            revision = self._revision(role, Version.GOOD)
            service = services.created(role, revision, count, _settings(role, count), self._name(), self._now)
            self.cluster = self.cluster.with_service(service)
        self._tick()

    @property
    def steady(self) -> bool:
        """Whether every service has what it should, and the last step had nothing to do."""
        return not self._changed and all(steady() in each.conditions for each in self.cluster.services.values())

    def version(self, role: str) -> Version:
        """That of a service's PRIMARY deployment."""
        return self._version(self.cluster.services[role].primary)

    def version_kept(self, role: str) -> Version:
        """That which a service keeps if nobody does anything.

        One that is never healthy is rolled back, unless its deployment was COMPLETED: no task was desired.
        """
        service = self.cluster.services[role]
        kept = service.primary
        if self._version(kept) is Version.NEVER_HEALTHY and not kept.was_completed:
            kept = rollback_target((*service.deployments[1:], *service.ended)) or kept
        return self._version(kept)

    def deploying(self) -> bool:
        """Whether a deployment is under way."""
        return any(each.primary.rollout_state == "IN_PROGRESS" for each in self.cluster.services.values())

    def deploy(self, role: str, version: Version) -> None:
        """A new version of a service."""
        self._deployed(version)
        service = self.cluster.services[role]
        updated = services.updated(service, self._name(), self._now, revision=self._revision(role, version))
        self._change(self.cluster.with_service(updated))

    def scale(self, role: str, count: int) -> None:
        """Sets the desired count of a service."""
        service = self.cluster.services[role]
        if service.desired_count != count:
            updated = services.updated(service, self._name(), self._now, desired_count=count)
            self._change(self.cluster.with_service(updated))

    def changed(self) -> None:
        """Something that the scheduler looks at may have changed."""
        self._changed = True

    def zone(self, ec2: str) -> str:
        """Where a machine is."""
        return next(each.zone for each in self.cluster.instances.values() if each.ec2_instance_id == ec2)

    def machines(self, zone: str | None = None) -> list[str]:
        """EC2 instance ids of those that are not lost."""
        found = self.cluster.instances.values()
        return [
            each.ec2_instance_id
            for each in found
            if zone in {None, each.zone} and each.ec2_instance_id not in self.lost
        ]

    def serving(self) -> list[str]:
        """EC2 instance ids of those that the load balancer has in service."""
        return [target for target, health in self._balancer.health().items() if health == IN_SERVICE]

    def stop_by_user(self, task: str) -> None:
        """StopTask: the caller sends SIGTERM, the load balancer learns later."""
        if task in self.cluster.tasks:
            self._report(tasks.stop_by_user(self.cluster.tasks[task], self._now))

    def ended(self, task: str) -> None:
        """An agent reports that a task has ended."""
        if task in self.cluster.tasks:
            self._report(tasks.ended(self.cluster.tasks[task], self._now))

    def lose(self, ec2: str) -> None:
        """A machine is gone. ECS learns of it after a while, and another one joins."""
        if self.deploying():
            self._met(Encounter.INSTANCE_LOST_IN_DEPLOYMENT)
        self.lost.add(ec2)
        self._agents.lose(ec2)
        self._after(self._draw.uniform(0, _DISCONNECTED_SECONDS), lambda: self._disconnected(ec2))
        self._after(self._draw.uniform(*_HOST_GONE_SECONDS), lambda: self._host_gone(ec2))
        self._changed = True

    def drain(self, ec2: str) -> None:
        """A machine takes no more tasks; it leaves when the last has moved, and another joins meanwhile."""
        if self.deploying():
            self._met(Encounter.DRAIN_IN_DEPLOYMENT)
        instance = self._instance(ec2)
        if instance is not None and instance.status == "ACTIVE":
            self._change(self.cluster.with_instance(draining(instance)))

    def lose_zone(self, zone: str, seconds: float) -> None:
        """A zone has no power: its machines and nodes are gone. Another zone takes over until it is back."""
        if self._dark:
            return
        if self.deploying():
            self._met(Encounter.ZONE_LOST_IN_DEPLOYMENT)
        self._dark.add(zone)
        for ec2 in self.machines(zone):
            self.lose(ec2)
        self._balancer.lose_zone(zone)
        self._after(seconds, self.restore)

    def restore(self) -> None:
        """Power is back in every zone."""
        for zone in sorted(self._dark):
            self._balancer.restore_zone(zone)
        self._dark.clear()

    @property
    def _now(self) -> float:
        return self._scheduler.now

    @property
    def _balancer(self) -> Elb:
        if self._elb is None:
            raise RuntimeError("the cluster is not up")
        return self._elb

    def _tick(self) -> None:
        if self._changed or not self.steady:
            self._step()
        self._after(self._setup.cadence.step_seconds, self._tick)

    def _step(self) -> None:
        self._changed = False
        elb = self._balancer
        observed = Observed(
            {_ELB.name: elb.health()},
            frozenset((_ELB.name, target) for target in elb.drained),
            frozenset({_ALARM} if elb.in_alarm() else ()),
        )
        before = self.cluster
        self.cluster, actions = step(before, observed, self._now, self._draw)
        self._watch(before.services.values())
        for action in actions:
            self._do(action)
        left = [each.id for each in self.cluster.instances.values() if drained(each, self.cluster.tasks.values())]
        for identity in left:
            self.cluster = self.cluster.without_instance(identity)
        self._replenish()

    def _watch(self, before: Iterable[Service]) -> None:
        """Counts the rollbacks of a step."""
        for service in before:
            now = self.cluster.services[service.name]
            if now.primary.id == service.primary.id or now.primary.created_at >= service.primary.created_at:
                continue
            alarmed = "alarm" in now.primary.rollout_reason
            self._met(Encounter.ROLLBACK_BY_ALARM if alarmed else Encounter.ROLLBACK_BY_BREAKER)

    def _do(self, action: Action) -> None:
        match action:
            case StartTask(task) | PlaceTask(task):
                self._scheduler.spawn(lambda: self._start(task))
            case StopTask(task):
                self._changed = True
                self._agents.stop_task(task)
            case Register(_, target):
                self._balancer.register(RegisteredTarget(target.id, target.zone, target.id, target.port))
            case Deregister(_, target):
                self._balancer.deregister(target.id)

    def _start(self, identity: str) -> None:
        self._scheduler.park(self._draw.uniform(*_STARTING_SECONDS))
        task = self.cluster.tasks.get(identity)
        instance = self.cluster.instances.get(task.instance or "") if task else None
        if task is None or instance is None or not task.to_run or instance.ec2_instance_id in self.lost:
            return
        of = self._revisions[task.definition.arn]
        self._agents.start_task(identity, of.role, of.version, instance.ec2_instance_id)
        self._report(tasks.running(task, self._now))
        if of.version is Version.NEVER_HEALTHY:
            self._after(_UNHEALTHY_SECONDS, lambda: self._check_of_container(identity, "UNHEALTHY"))
        else:
            seconds = self._draw.uniform(0, _CONTAINER_CHECK_SECONDS)
            self._after(seconds, lambda: self._check_of_container(identity, "HEALTHY"))

    def _check_of_container(self, task: str, health: tasks.HealthStatus) -> None:
        if task in self.cluster.tasks:
            self._report(tasks.health_reported(self.cluster.tasks[task], health))

    def _disconnected(self, ec2: str) -> None:
        if (instance := self._instance(ec2)) is not None:
            self._change(self.cluster.with_instance(replace(instance, agent_connected=False)))

    def _host_gone(self, ec2: str) -> None:
        instance = self._instance(ec2)
        if instance is None:
            return
        self._disconnected(ec2)
        for task in [each for each in self.cluster.tasks.values() if each.instance == instance.id]:
            self._report(tasks.host_terminated(task, ec2, self._now))
        self._step()
        self._change(self.cluster.without_instance(instance.id))

    def _replenish(self) -> None:
        """As many machines as the group should have, of those that take tasks, join after a while."""
        active = [each for each in self.cluster.instances.values() if each.status == "ACTIVE"]
        here = sum(each.ec2_instance_id not in self.lost for each in active)
        for _ in range(self._setup.machines - here - self._joining):
            self._joining += 1
            self._after(self._draw.uniform(*_JOIN_SECONDS), self._arrive)

    def _arrive(self) -> None:
        self._joining -= 1
        self._join()

    def _join(self) -> None:
        """A machine joins, in the zone with the fewest, of those that have power."""
        count = Counter(self.zone(ec2) for ec2 in self.machines())
        zone = min((each for each in ZONES if each not in self._dark), key=lambda each: (count[each], each))
        self._made += 1
        name = f"i-{self._made}"
        machine = ContainerInstance(f"ci-{self._made}", name, zone, cpu=4096, memory=16384, registered_at=self._now)
        self._change(self.cluster.with_instance(replace(machine, capacity_provider="ec2")))

    def _instance(self, ec2: str) -> ContainerInstance | None:
        return next((each for each in self.cluster.instances.values() if each.ec2_instance_id == ec2), None)

    def _report(self, task: Task) -> None:
        self._change(self.cluster.with_task(task))

    def _change(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self._changed = True

    def _after(self, seconds: float, call: Callable[[], None]) -> None:
        self._scheduler.at(self._now + seconds, call)

    def _version(self, deployment: Deployment) -> Version:
        return self._revisions[deployment.revision.definition.arn].version

    def _name(self) -> str:
        return f"ecs-svc/{self._draw.getrandbits(60):019d}"

    def _revision(self, role: str, version: Version) -> Revision:
        arn = f"{role}:{len(self._revisions) + 1}"
        self._revisions[arn] = _Deployed(role, version)
        ports = (PortMapping("api", PORT, PORT),) if role == "api" else ()
        definition = TaskDefinition(arn, cpu=256, memory=512, ports=ports, health_check=True)
        return Revision(definition, (_ELB,) if role == "api" else (), ("ec2",))


def _settings(role: str, count: int) -> services.Settings:
    """As in Terraform: an API has one spare instance and so one task more, a worker may have twice as many."""
    most = math.ceil(100 * (count + 1) / count) if role == "api" else 200
    return services.Settings(
        DeploymentConfiguration(
            100,
            most,
            CircuitBreaker(enable=True, rollback=True),
            Alarms((_ALARM,), rollback=True, bake_seconds=bake_seconds(_ALARM_PERIODS)) if role == "api" else None,
        ),
        grace_seconds=GRACE_SECONDS if role == "api" else 0.0,
        strategies=(Strategy("spread", "attribute:ecs.availability-zone"),),
    )
