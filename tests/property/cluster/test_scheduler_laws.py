"""What holds for the ECS scheduler in any program of deployments, crashes and lost instances, in virtual time.

The fleet is that of a rehearsal, with load balancers as they are. The laws are checked at each step of the scheduler.
The mutants at the end are bugs of its rules, of which each breaks a law.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck as Suppressed
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from sim.cluster import container_instances, placement, rolling_update, scheduler, turn
from sim.cluster.balancer.checks import HealthCheck
from sim.cluster.balancer.nodes import Delays, Policy
from sim.cluster.balancer.target_group import GroupSettings
from sim.cluster.circuit_breaker import CircuitBreaker
from sim.cluster.container_instances import ContainerInstance, drained, draining
from sim.cluster.deployments import DeploymentConfiguration, LoadBalancer, Revision, least_healthy, most_running
from sim.cluster.rolling_update import Situation
from sim.cluster.scheduler import Cluster
from sim.cluster.services import Service, Settings, created, updated
from sim.cluster.task_definitions import PortMapping, TaskDefinition, static_host_ports
from sim.cluster.tasks import LIFE_CYCLE, Task
from sim.cluster.turn import Turn
from sim.prediction.fleet import Classic, Fleet, Group, Kind
from sim.prediction.scenario import Application, ContainerCheck, Seconds
from tests.property.cluster.planted import breaks_a_law
from tests.unit.cluster.proves import proves

GOOD = TaskDefinition("good:1", 512, 512, (PortMapping("app", 8080, 8080),), health_check=True)
ELB = LoadBalancer("elb", "web", "app", 8080)
GROUP = LoadBalancer("target-group", "arn:tg", "app", 8080)
CHECK = HealthCheck(interval=5.0, timeout=3.0, healthy=2, unhealthy=2)
DELAYS = Delays(registration=8.0, deregistration=3.0)
QUICK = Application(Seconds(1.0, 4.0), Seconds(0.0, 5.0), Seconds(0.0, 20.0), Seconds(0.0, 30.0))
CALM_SECONDS = 3600.0
REPLACED_SECONDS = 100.0
"""After so long the instances that were lost have others in their places."""


class Broken(AssertionError):
    """A law is broken."""


@dataclass(frozen=True)
class Program:
    """A service, and what happens to it: a deed every so often."""

    seed: int
    desired: int
    spare: int
    least: int
    more: int
    balancer: LoadBalancer | None
    breaker: bool
    deeds: tuple[str, ...]

    @property
    def settings(self) -> Settings:
        most = -(-100 * (self.desired + self.more) // self.desired)
        breaker = CircuitBreaker(enable=self.breaker, rollback=self.breaker)
        return Settings(DeploymentConfiguration(self.least, most, breaker), grace_seconds=60.0)

    @property
    def can_finish(self) -> bool:
        """Whether there is always a move: room for one more task beside all, or a task that may be missing."""
        fewest = least_healthy(self.desired, self.settings.configuration)
        return (self.more > 0 and self.spare > 0) or fewest < self.desired


DEEDS = ("deploy", "deploy", "deploy bad", "force", "scale", "stop", "crash", "lose", "drain", "wait", "wait")
programs = st.builds(
    Program,
    seed=st.integers(0, 2**32),
    desired=st.integers(1, 4),
    spare=st.integers(0, 2),
    least=st.sampled_from([0, 50, 100]),
    more=st.integers(0, 3),
    balancer=st.sampled_from([ELB, GROUP, None]),
    breaker=st.booleans(),
    deeds=st.lists(st.sampled_from(DEEDS), max_size=14).map(tuple),
)


stuck = st.builds(
    lambda program, lacking: replace(program, least=100, breaker=False, **{lacking: 0}),
    programs,
    st.sampled_from(["more", "spare"]),
)
"""No task may be missing, and there is no room for another one, or none is allowed."""


class Watched(Fleet):
    """A fleet that holds each step of the scheduler to the laws."""

    steps = 0

    def step(self) -> None:
        before, observed = self.cluster, self.observed()
        super().step()
        self.steps += 1
        service = self.cluster.services["app"]
        seen = Turn(service, dict(before.tasks), before.instances, {}, observed, self.now, Random(0))
        no_port_twice(self.cluster)
        nothing_goes_back(before, self.cluster)
        nothing_new_on_a_draining_instance(before, self.cluster)
        never_above_the_maximum(before, self.cluster, service)
        never_below_the_minimum(
            before, self.cluster, service, {key for key, each in before.tasks.items() if sound(seen, each)}
        )


def sound(seen: Turn, task: Task) -> bool:
    """Whether the task serves, said without the rules that the mutants change."""
    reports = seen.targets(task)
    return (
        task.to_run
        and task.last_status == "RUNNING"
        and not task.leaving
        and task.health == "HEALTHY"
        and all(each in reports and reports[each].state == "InService" for each in seen.balancers(task))
    )


def no_port_twice(cluster: Cluster) -> None:
    held = Counter(
        (each.instance, port)
        for each in cluster.tasks.values()
        if each.instance and not each.stopped
        for port in static_host_ports(each.definition)
    )
    if twice := [key for key, count in held.items() if count > 1]:
        raise Broken(f"two tasks have {twice}")


def nothing_goes_back(before: Cluster, after: Cluster) -> None:
    for key, task in before.tasks.items():
        now = after.tasks.get(key)
        if now and LIFE_CYCLE.index(now.last_status) < LIFE_CYCLE.index(task.last_status):
            raise Broken(f"task {key} went from {task.last_status} to {now.last_status}")


def nothing_new_on_a_draining_instance(before: Cluster, after: Cluster) -> None:
    for key, task in after.tasks.items():
        there = before.instances.get(task.instance or "")
        was = before.tasks.get(key)
        if there and there.status == "DRAINING" and (was is None or was.instance is None):
            raise Broken(f"task {key} was placed on {there.id}, which is DRAINING")


def never_above_the_maximum(before: Cluster, after: Cluster, service: Service) -> None:
    begun = after.tasks.keys() - before.tasks.keys()
    live = sum(each.to_run for each in after.tasks.values())
    most = most_running(service.desired_count, service.settings.configuration)
    if begun and live > most:
        raise Broken(f"{live} tasks run or are pending, {most} may")


def never_below_the_minimum(before: Cluster, after: Cluster, service: Service, healthy: set[str]) -> None:
    gone = {key for key in healthy if after.tasks[key].leaving or not after.tasks[key].to_run}
    least = least_healthy(service.desired_count, service.settings.configuration)
    if gone and len(healthy - gone) < least:
        raise Broken(f"{len(healthy - gone)} of {len(before.tasks)} tasks stay healthy, {least} must")


def fleet_of(program: Program) -> Watched:
    hosts = {each.id: each for each in (host(n) for n in range(program.desired + program.spare))}
    balancers = (program.balancer,) if program.balancer else ()
    service = created("app", Revision(GOOD, balancers), program.desired, program.settings, "ecs-svc/0", 0.0)
    kinds: dict[str, Kind] = {
        "web": Classic(Policy(("a", "b"), CHECK, 60.0, cross_zone=True, delays=DELAYS)),
        "arn:tg": Group(GroupSettings(("a", "b"), CHECK, deregistration_delay=30.0, delays=DELAYS)),
    }
    chosen = {each.name: kinds[each.name] for each in balancers}

    def application(task: Task) -> Application:
        return replace(QUICK, answers=not task.definition.arn.startswith("bad"))

    fleet = Watched(
        Cluster(hosts, {"app": service}, {}),
        chosen,
        application,
        ContainerCheck(5.0, 3, 10.0),
        10.0,
        Random(program.seed),
    )
    fleet.begin(1.0)
    return fleet


def host(number: int) -> ContainerInstance:
    return ContainerInstance(f"i{number}", f"i-{number}", "ab"[number % 2], 2048, 1900)


class Play:
    """A program on its fleet."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.fleet = fleet_of(program)
        self.chance = Random(program.seed + 1)
        self.hosts = program.desired + program.spare
        self.deployments = 0

    def run(self) -> Watched:
        for deed in self.program.deeds:
            self.pass_time(self.chance.expovariate(1 / 60))
            self.do(deed)
        return self.fleet

    def pass_time(self, seconds: float, until: Callable[[], bool] = lambda: False) -> None:
        end = self.fleet.now + seconds
        while self.fleet.now < end and not until():
            self.fleet.advance()

    def do(self, deed: str) -> None:
        tasks = sorted(
            (each for each in self.fleet.cluster.tasks.values() if each.to_run and each.instance),
            key=lambda each: each.id,
        )
        match deed:
            case "deploy" | "deploy bad" | "force":
                self.deploy(bad=deed == "deploy bad", force=deed == "force")
            case "scale":
                service = self.fleet.cluster.services["app"]
                count = self.chance.randint(1, self.program.desired)
                self.fleet.cluster = self.fleet.cluster.with_service(
                    updated(service, "", self.fleet.now, desired_count=count)
                )
            case "stop" if tasks:
                self.fleet.stop_by_user(self.chance.choice(tasks).id)
            case "crash" if tasks:
                self.fleet.end(self.chance.choice(tasks).id)
            case "lose" | "drain" if self.fleet.cluster.instances:
                self.lose(self.chance.choice(sorted(self.fleet.cluster.instances)), gently=deed == "drain")

    def deploy(self, *, bad: bool = False, force: bool = False) -> None:
        self.deployments += 1
        service = self.fleet.cluster.services["app"]
        definition = replace(GOOD, arn=f"{'bad' if bad else 'good'}:{self.deployments + 1}")
        revision = service.primary.revision if force else replace(service.primary.revision, definition=definition)
        changed = updated(
            service, f"ecs-svc/{self.deployments}", self.fleet.now, revision=revision, force_new_deployment=force
        )
        self.fleet.cluster = self.fleet.cluster.with_service(changed)

    def lose(self, instance: str, *, gently: bool) -> None:
        """An instance ends, at once or when it has drained; another one takes its place."""
        self.hosts += 1
        another = host(self.hosts + 10)
        fleet = self.fleet

        def end() -> None:
            there = fleet.cluster.instances.get(instance)
            if there and (not gently or drained(there, fleet.cluster.tasks.values())):
                fleet.lose_instance(instance)
            elif there:
                fleet.at(15.0, end)

        if gently:
            fleet.cluster = fleet.cluster.with_instance(draining(fleet.cluster.instances[instance]))
        end()
        fleet.at(self.chance.uniform(20, 90), lambda: arrive(fleet, another))

    def calm(self) -> bool:
        """A good version, the whole count, and no more disturbances: whether the service comes to its steady state."""
        self.pass_time(REPLACED_SECONDS)
        self.deploy()
        service = replace(self.fleet.cluster.services["app"], desired_count=self.program.desired)
        self.fleet.cluster = self.fleet.cluster.with_service(service)
        self.pass_time(CALM_SECONDS, self.steady)
        return self.steady()

    def steady(self) -> bool:
        service = self.fleet.cluster.services["app"]
        return service.primary.rollout_state == "COMPLETED" and any(
            "steady state" in each for each in service.conditions
        )


def arrive(fleet: Fleet, instance: ContainerInstance) -> None:
    fleet.cluster = fleet.cluster.with_instance(instance)


@settings(max_examples=60, deadline=None, suppress_health_check=[Suppressed.too_slow])
@given(programs)
def test_no_program_breaks_a_law(program: Program) -> None:
    Play(program).run()


@settings(max_examples=40, deadline=None, suppress_health_check=[Suppressed.too_slow])
@given(programs.filter(lambda program: program.can_finish))
def test_a_deployment_that_can_finish_finishes_once_disturbances_end(program: Program) -> None:
    play = Play(program)
    play.run()
    assert play.calm(), play.fleet.said[-10:]


@settings(max_examples=20, deadline=None, suppress_health_check=[Suppressed.too_slow])
@given(stuck)
def test_a_deployment_that_cannot_finish_says_so_in_the_words_of_aws(program: Program) -> None:
    assert not program.can_finish
    play = Play(replace(program, deeds=()))
    play.pass_time(300.0)
    play.deploy()
    play.pass_time(300.0)
    standing = play.fleet.cluster.services["app"].conditions
    assert not play.steady()
    assert any("was unable to place a task" in each or "was unable to stop or start tasks" in each for each in standing)


def broken_by(program: Program) -> bool:
    """Whether the program breaks a law, or never comes to rest though it could."""
    play = Play(program)
    try:
        play.run()
        return program.can_finish and not play.calm()
    except Broken:
        return True


SEARCH = settings(
    max_examples=200,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=[Suppressed.too_slow],
)


def runs(task: Task, *_: object) -> bool:
    """A task that runs, whatever its checks say."""
    return task.last_status == "RUNNING" and task.to_run and not task.leaving


def never_replaced(at: Situation) -> list[Task]:
    """Old tasks that run are left alone."""
    return [each for each in at.staying if at.old(each) and each.pending]


MUTANTS: list[tuple[object, str, Callable[..., Any]]] = [
    (scheduler, "least_healthy", lambda count, percents: max(least_healthy(count, percents) - 1, 0)),
    (scheduler, "most_running", lambda count, percents: most_running(count, percents) + 1),
    (rolling_update, "may_stop", lambda *_: True),
    (placement, "ports_taken", lambda *_: False),
    (container_instances, "holds_ports", lambda task: task.instance is not None and task.to_run),
    (placement, "takes_new_tasks", lambda _: True),
    (turn, "healthy", runs),
    (rolling_update, "replaced", never_replaced),
]


@proves(rolling_update.may_stop, rolling_update.starts, placement.ports_taken, container_instances.remaining)
@pytest.mark.parametrize(("module", "name", "bug"), MUTANTS, ids=[name for _, name, _ in MUTANTS])
def test_a_bug_in_a_rule_breaks_a_law(
    monkeypatch: pytest.MonkeyPatch, module: object, name: str, bug: Callable[..., Any]
) -> None:
    monkeypatch.setattr(module, name, bug)
    breaks_a_law(name, programs, broken_by, SEARCH)
