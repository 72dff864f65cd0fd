"""One deployment of a scenario, many times over: how long it takes, and what clients miss meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from sim.cluster import tasks as lifecycle
from sim.cluster.container_instances import remaining
from sim.cluster.placement import Room, choose
from sim.cluster.scheduler import Cluster, new_id
from sim.cluster.services import Settings, created, updated
from sim.cluster.target_health import RegisteredTarget
from sim.cluster.task_definitions import TaskDefinition
from sim.cluster.tasks import Task
from sim.errors import SimError
from sim.prediction.fleet import Classic, Fleet, Group, Kind
from sim.prediction.scenario import Application, Scenario

if TYPE_CHECKING:
    from random import Random

LONGEST_SECONDS: Final = 3600.0
"""A deployment that takes longer in virtual time never ends."""
_QUIET_SECONDS: Final = 60.0
_ENOUGH_THAT_NEVER_END: Final = 3
_LONG_AGO: Final = -1e6
_OLD: Final = "ecs-svc/1"
_NEW: Final = "ecs-svc/2"


class CannotBegin(SimError):
    """The service as it is does not fit on its instances, so there is nothing to deploy over."""


@dataclass(frozen=True, slots=True)
class Course:
    """One deployment. `seconds` is None where it does not end, `why` is AWS's reason or ours for that.

    `lowest` is the fewest tasks that served at any time, `missing` the task-seconds below the desired count, and
    `nothing` the seconds with no task serving.
    """

    seconds: float | None
    lowest: int
    missing: float
    nothing: float
    rolled_back: bool = False
    why: str = ""


@dataclass(frozen=True, slots=True)
class Forecast:
    """All deployments of one scenario."""

    courses: tuple[Course, ...]

    @property
    def ends(self) -> bool:
        """Whether every deployment ends with the new version."""
        return all(each.seconds is not None and not each.rolled_back for each in self.courses)

    @property
    def ended(self) -> list[Course]:
        """Those that end."""
        return [each for each in self.courses if each.seconds is not None]

    @property
    def why(self) -> str:
        """Why the first one that does not end in the new version does not."""
        return next((each.why for each in self.courses if each.seconds is None or each.rolled_back), "")

    @property
    def lowest(self) -> int:
        """The fewest tasks that served at any time of any deployment."""
        return min(each.lowest for each in self.courses)

    def mean(self, of: Callable[[Course], float | None]) -> float | None:
        """The mean of a figure over those that end; None where none does."""
        values = [value for each in self.ended if (value := of(each)) is not None]
        return sum(values) / len(values) if values else None

    def longest(self) -> float | None:
        """The seconds of the longest one, None where one does not end."""
        return max((each.seconds or 0.0 for each in self.courses), default=None) if self.ends else None


def forecast(scenario: Scenario, chances: Sequence[Random]) -> Forecast:
    """One deployment for each source of chance. Raises CannotBegin.

    Where the first few never end, all the others would not either, and are left out.
    """
    courses: list[Course] = []
    for chance in chances:
        courses.append(deploy(scenario, chance))
        if len(courses) == _ENOUGH_THAT_NEVER_END and all(each.seconds is None for each in courses):
            break
    return Forecast(tuple(courses))


def deploy(scenario: Scenario, chance: Random) -> Course:
    """Deploys a new revision over one that has been steady for long. Raises CannotBegin."""
    fleet = steady(scenario, chance)
    service = fleet.cluster.services[scenario.name]
    revision = scenario.revision
    changed = replace(revision, definition=replace(revision.definition, arn=f"{revision.definition.arn}/next"))
    fleet.cluster = fleet.cluster.with_service(updated(service, _NEW, 0.0, revision=changed))
    fleet.begin(chance.uniform(0.0, scenario.cadence.step_seconds))
    return _watched(fleet, scenario)


def _watched(fleet: Fleet, scenario: Scenario) -> Course:
    group = f"service:{scenario.name}"
    serving = lowest = fleet.serving(_own(fleet, group))
    missing = nothing = 0.0
    alarms = scenario.settings.configuration.alarms
    patience = _QUIET_SECONDS + (alarms.bake_seconds if alarms else 0.0)
    growing = _Growth(fleet, scenario)
    while fleet.now < LONGEST_SECONDS:
        passed = fleet.advance()
        missing += passed * max(scenario.desired - serving, 0)
        nothing += passed * (serving == 0)
        serving = fleet.serving(_own(fleet, group))
        lowest = min(lowest, serving)
        growing.look()
        primary = fleet.cluster.services[scenario.name].primary
        if primary.rollout_state == "COMPLETED":
            rolled_back = primary.id != _NEW
            why = _words(fleet, "deployment failed") if rolled_back else ""
            return Course(fleet.now, lowest, missing, nothing, rolled_back, why)
        if fleet.now - fleet.acted_at > patience and fleet.quiet() and fleet.now > primary.next_start_at:
            break
    return Course(None, lowest, missing, nothing, why=_stuck(fleet, scenario))


def _own(fleet: Fleet, group: str) -> list[Task]:
    return [each for each in fleet.cluster.tasks.values() if each.group == group and each.last_status == "RUNNING"]


class _Growth:
    """The capacity provider's managed scaling, as far as a deployment needs it: an instance for what waits."""

    def __init__(self, fleet: Fleet, scenario: Scenario) -> None:
        self._fleet = fleet
        self._capacity = scenario.capacity
        self._model = scenario.instances[0] if scenario.instances else None
        self._zones = sorted({each.zone for each in scenario.instances})
        self._ordered = len(scenario.instances)
        self._coming = 0

    def look(self) -> None:
        """Orders an instance where a task waits for one and the group may grow."""
        if not self._capacity or not self._model or self._coming or self._ordered >= self._capacity.most:
            return
        if any(each.instance is None and each.to_run for each in self._fleet.cluster.tasks.values()):
            self._coming += 1
            self._ordered += 1
            self._fleet.working(self._capacity.seconds, self._arrive)

    def _arrive(self) -> None:
        self._coming -= 1
        if self._model:
            number = self._ordered
            zone = self._zones[number % len(self._zones)]
            new = replace(self._model, id=f"instance-{number}", ec2_instance_id=f"i-{number}", zone=zone)
            self._fleet.cluster = self._fleet.cluster.with_instance(new)


def steady(scenario: Scenario, chance: Random) -> Fleet:
    """The service as it has been for long: all tasks in service. Raises CannotBegin."""
    service = created(scenario.name, scenario.revision, scenario.desired, scenario.settings, _OLD, 0.0)
    done = replace(service.primary, rollout_state="COMPLETED", was_completed=True)
    instances = {each.id: each for each in scenario.instances}
    cluster = Cluster(instances, {scenario.name: service.with_primary(done)})
    kinds: dict[str, Kind] = {balancer.name: Classic(policy) for balancer, policy in scenario.classic}
    kinds |= {balancer.name: Group(settings) for balancer, settings in scenario.groups}
    usual = replace(scenario.application, answers=True)

    def application(task: Task) -> Application:
        return scenario.application if task.deployment == _NEW else usual

    fleet = Fleet(cluster, kinds, application, scenario.container_check, scenario.cadence.step_seconds, chance)
    for _ in range(scenario.desired):
        _place_own(fleet, scenario, chance)
    for each in scenario.neighbours:
        for _ in range(each.desired):
            _placed(fleet, each.name, each.definition, each.settings, chance)
    return fleet


def _place_own(fleet: Fleet, scenario: Scenario, chance: Random) -> None:
    """One task of the service in service. Raises CannotBegin."""
    task = _placed(fleet, scenario.name, scenario.revision.definition, scenario.settings, chance)
    if task is None or task.instance is None:
        raise CannotBegin(f"service {scenario.name}: {scenario.desired} tasks do not fit on its instances")
    instance = fleet.cluster.instances[task.instance]
    fleet.put(replace(task, registered=bool(scenario.revision.load_balancers)))
    fleet.answers_now(task.id)
    for balancer in scenario.revision.load_balancers:
        port = lifecycle.registered_port(task, balancer.container_port)
        identity = instance.ec2_instance_id if balancer.kind == "elb" else f"{instance.ec2_instance_id}:{port}"
        fleet.adopt(balancer.name, RegisteredTarget(identity, instance.zone, identity, port), task.id)


def _placed(fleet: Fleet, service: str, definition: TaskDefinition, settings: Settings, chance: Random) -> Task | None:
    """A task that has run for long; None where no instance has room for it."""
    cluster, group = fleet.cluster, f"service:{service}"
    left = remaining(cluster.instances.values(), cluster.tasks.values())
    on: dict[str, list[Task]] = {}
    for each in cluster.tasks.values():
        on.setdefault(each.instance or "", []).append(each)
    room = Room(tuple(cluster.instances.values()), left, on, group)
    spot = choose(definition, settings.constraints, settings.strategies, room, chance)
    if spot is None:
        return None
    task = lifecycle.placed(Task(new_id(chance), definition, _LONG_AGO, group, _OLD), spot.id)
    task = replace(lifecycle.running(task, _LONG_AGO, fleet.bindings(task)), health="HEALTHY", was_healthy=True)
    fleet.put(task)
    return task


def _stuck(fleet: Fleet, scenario: Scenario) -> str:
    """Why a deployment does not end: in AWS's words where it has any."""
    service = fleet.cluster.services[scenario.name]
    standing = [each for each in service.conditions if "steady state." not in each or "unable" in each]
    if standing:
        return f"(service {scenario.name}) {standing[0]}"
    if any(each.instance is None and each.to_run for each in fleet.cluster.tasks.values()):
        return (
            "A task waits in PROVISIONING: no instance of the capacity provider has room for it, "
            "and the Auto Scaling group has its largest size."
        )
    return _words(fleet, "unhealthy") or "The new tasks never become healthy."


def _words(fleet: Fleet, about: str) -> str:
    return next((each for each in reversed(fleet.said) if about in each), "")
