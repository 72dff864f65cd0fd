"""What clients notice of a deployment, and of what goes wrong in one: nothing, or no more than a stated bound.

Four probes a second ask for something or publish an e-mail, each once, whatever the others do. The settings are those
of `terraform/`, at AWS's own cadence and at the local one.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus

import pytest

from sim.cluster.cadence import AWS, LOCAL, Cadence
from sim.faults.plan import FaultPlan
from sim.history.events import PublishOutcome
from sim.world import bounds
from sim.world.client_pool import Pool
from sim.world.clients import Habit
from sim.world.coverage import Coverage, Encounter
from sim.world.instances import Exchange, Request
from sim.world.run import staged
from sim.world.setup import Setup
from sim.world.versions import Version
from sim.world.world import World

POOL = Pool()
PROBE_SECONDS = 0.25
PUBLISHES = 12
"""Of so many probes one publishes an e-mail; the others ask for what needs no AWS."""
CADENCES = pytest.mark.parametrize("cadence", [LOCAL, AWS], ids=["local", "aws"])


@dataclass
class Noticed:
    """What the probes found, in seconds since the scenario began."""

    lasted: float
    sent: int
    failed: list[float] = field(default_factory=list)
    coverage: Coverage = field(default_factory=Coverage)
    version: Version = Version.GOOD
    good: bool = True
    """Whether the checker's verdict over the history is."""

    @property
    def last_failed(self) -> float:
        return max(self.failed, default=0.0)


def notice(
    begin: Callable[[World], None], cadence: Cadence, seed: int, apis: int = 2, at_least: float = 0.0
) -> Noticed:
    """Lets a scenario begin in a steady cluster, and probes until it is steady again."""
    found = Noticed(0.0, 0)

    def probe(world: World) -> None:
        began = world.scheduler.now
        open_ = 0

        def look() -> None:
            """A request that needs nothing but an API."""
            nonlocal open_
            at, exchange = (
                world.scheduler.now - began,
                Exchange(Request("/openapi.json", method="GET"), world.runtime.event()),
            )
            world.elb.route(exchange)
            exchange.over.wait(30.0)
            if exchange.status != HTTPStatus.OK:
                found.failed.append(at)
            open_ -= 1

        def publish(number: int) -> None:
            nonlocal open_
            at = world.scheduler.now - began
            if world.client(f"probe-{number}", Habit.PATIENT).publish() is not PublishOutcome.OK:
                found.failed.append(at)
            open_ -= 1

        begin(world)
        while not world.ecs.steady or world.scheduler.now - began < at_least:
            found.sent, open_ = found.sent + 1, open_ + 1
            number = found.sent
            world.scheduler.spawn(look if number % PUBLISHES else partial(publish, number))
            world.scheduler.park(PROBE_SECONDS)
            assert world.scheduler.now - began < bounds.STEADY_SECONDS, "the cluster does not become steady"
        found.lasted = world.scheduler.now - began
        while open_:
            world.scheduler.park(1.0)
        found.version = world.ecs.version("api")
        found.coverage += world.coverage
        world.drain("the drain after the scenario", 120.0)

    setup = Setup(apis=apis, workers=1, habits=(), storm=1.0, cadence=cadence)
    world = World(seed, setup, FaultPlan(), POOL)
    with staged(), closing(world.episodes(probe)) as episodes:
        found.good = next(episodes).verdict.good
    return found


def deploy(version: Version) -> Callable[[World], None]:
    return lambda world: world.ecs.deploy("api", version)


@CADENCES
@pytest.mark.parametrize("apis", [1, 2, 3])
def test_a_deployment_fails_no_request(cadence: Cadence, apis: int) -> None:
    noticed = [notice(deploy(Version.GOOD), cadence, seed, apis) for seed in (1, 2)]
    assert [each.failed for each in noticed] == [[], []]
    assert all(each.good and each.sent > 400 for each in noticed)
    assert sum(each.coverage.encounters[Encounter.ROUTED_WHILE_LEAVING] for each in noticed), (
        "some node learned of a deregistration later than another, and still sent requests"
    )


@CADENCES
def test_a_version_that_is_never_healthy_fails_no_request_and_is_rolled_back(cadence: Cadence) -> None:
    noticed = notice(deploy(Version.NEVER_HEALTHY), cadence, 3)
    assert noticed.failed == []
    assert noticed.version is Version.GOOD
    assert noticed.coverage.encounters[Encounter.ROLLBACK_BY_BREAKER] == 1
    assert noticed.lasted < bounds.ROLLED_BACK_SECONDS
    assert noticed.good


@CADENCES
def test_a_version_whose_check_lies_fails_requests_until_the_alarm_rolls_it_back(cadence: Cadence) -> None:
    noticed = notice(deploy(Version.LIES), cadence, 4)
    assert noticed.failed, "it fails every request that it gets"
    assert noticed.version is Version.GOOD
    assert noticed.coverage.encounters[Encounter.ROLLBACK_BY_ALARM] == 1
    assert noticed.last_failed - min(noticed.failed) < bounds.LYING_SECONDS
    assert noticed.good


@CADENCES
def test_a_version_that_crashes_fails_what_is_in_flight_and_no_more(cadence: Cadence) -> None:
    def crash_for_a_while(world: World) -> None:
        world.ecs.deploy("api", Version.CRASHES)
        world.scheduler.at(world.scheduler.now + 240.0, lambda: world.ecs.deploy("api", Version.GOOD))

    noticed = notice(crash_for_a_while, cadence, 5, at_least=300.0)
    crashes = sum(noticed.coverage.crashes.values())
    assert crashes >= 2
    assert len(noticed.failed) <= crashes * bounds.IN_FLIGHT
    assert noticed.good


@CADENCES
@pytest.mark.parametrize("seed", [6, 7])
def test_an_instance_lost_in_a_deployment_fails_what_it_had_in_hand(cadence: Cadence, seed: int) -> None:
    def lose(world: World) -> None:
        world.ecs.deploy("api", Version.GOOD)
        world.scheduler.at(world.scheduler.now + 20.0, lambda: world.ecs.lose(world.ecs.serving()[0]))

    noticed = notice(lose, cadence, seed)
    assert noticed.coverage.encounters[Encounter.INSTANCE_LOST_IN_DEPLOYMENT] == 1
    assert len(noticed.failed) <= bounds.IN_FLIGHT
    assert noticed.good


@CADENCES
@pytest.mark.parametrize("seed", [8, 9])
def test_a_zone_lost_in_a_deployment_fails_requests_until_dns_forgets_its_node(cadence: Cadence, seed: int) -> None:
    def lose(world: World) -> None:
        world.ecs.deploy("api", Version.GOOD)
        world.scheduler.at(world.scheduler.now + 20.0, lambda: world.ecs.lose_zone("a", 120.0))

    noticed = notice(lose, cadence, seed)
    assert noticed.failed
    assert noticed.coverage.encounters[Encounter.ZONE_LOST_IN_DEPLOYMENT] == 1
    assert noticed.last_failed - 20.0 < bounds.ZONE_SECONDS
    assert len(noticed.failed) < 0.6 * bounds.ZONE_SECONDS / PROBE_SECONDS
    assert noticed.good


@CADENCES
def test_a_machine_that_drains_in_a_deployment_fails_no_request(cadence: Cadence) -> None:
    def drain(world: World) -> None:
        world.ecs.deploy("api", Version.GOOD)
        world.scheduler.at(world.scheduler.now + 20.0, lambda: world.ecs.drain(world.ecs.serving()[0]))

    noticed = notice(drain, cadence, 10)
    assert noticed.failed == []
    assert noticed.coverage.encounters[Encounter.DRAIN_IN_DEPLOYMENT] == 1
    assert noticed.good


@CADENCES
def test_a_task_that_a_user_stops_fails_no_request(cadence: Cadence) -> None:
    """The balancer learns only afterwards; the API answers until its checks must have failed."""

    def stop(world: World) -> None:
        api = world.fleet.behind(world.ecs.serving()[0])
        assert api is not None
        world.scheduler.spawn(lambda: world.fleet.stop(api))

    noticed = notice(stop, cadence, 11, at_least=30.0)
    assert noticed.failed == []
    assert noticed.good


@CADENCES
def test_a_service_that_scales_out_and_in_fails_no_request(cadence: Cadence) -> None:
    served: list[int] = []

    def scale(world: World) -> None:
        def scale_in() -> None:
            served.append(len(world.ecs.serving()))
            world.ecs.scale("api", 1)

        world.ecs.scale("api", 3)
        world.scheduler.at(world.scheduler.now + 60.0, scale_in)

    noticed = notice(scale, cadence, 12, at_least=90.0)
    assert served == [3]
    assert noticed.failed == []
    assert noticed.good
