"""A world: a pipeline in a storm, episode after episode, each judged by its history.

An episode is a storm, in which clients publish and the plan's faults happen; then calm, in which everything must be
stored within a bound; then an examination in calm weather, of what must hold however the storm was. What was found is
recorded and forgotten, and the next episode meets the same instances: so memory does not grow with simulated time.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from sim.aws.account import Account
from sim.faults.decide import moments
from sim.faults.plan import Fault
from sim.history.checker import Verdict, check
from sim.history.events import Drained, Event, Observed, Planted, PublishOutcome
from sim.history.observed import dead, fingerprint, stored
from sim.world.bounds import STEADY_SECONDS
from sim.world.chance import stream
from sim.world.client_pool import Pool, botocore_sleeps
from sim.world.clients import WRONG, Habit, WorldClient
from sim.world.ecs import Ecs
from sim.world.elb import ZONES, Elb
from sim.world.fleet import Fleet
from sim.world.nemesis import Nemesis
from sim.world.network import Network
from sim.world.observer import Observer
from sim.world.scheduler import Scheduler
from sim.world.versions import OF_ROLE, Version
from sim.world.virtual_time import EPOCH, WorldRuntime

if TYPE_CHECKING:
    from sim.faults.decide import Hit
    from sim.faults.plan import FaultPlan
    from sim.world.coverage import Coverage
    from sim.world.setup import Setup

_BURSTS = (1, 1, 1, 4, 12)
"""How many e-mails a client sends at once."""
_STEP_SECONDS = 0.25
_BACKLOG_SECONDS = 120.0
"""For what is in the queue when a storm ends: the longest backoff, a delayed delivery, the storing itself."""


@dataclass(frozen=True)
class Episode:
    """What was recorded of one, and the judgement over it."""

    history: tuple[Event, ...]
    verdict: Verdict


class World:
    """One seed's world. `trail` records every call, which changes nothing else."""

    def __init__(self, seed: int, setup: Setup, plan: FaultPlan, pool: Pool, *, trail: bool = False) -> None:
        self.setup = setup
        self.history: list[Event] = []
        self.errors = 0
        """Exceptions that ended a task of a service."""
        self.scheduler = Scheduler(stream(seed, "order"))
        self.runtime = WorldRuntime(self.scheduler, stream(seed, "world"))
        self.account = Account(setup.max_receive_count)
        self.nemesis = Nemesis(plan, lambda: self.scheduler.now)
        self.observer = Observer(lambda: self.scheduler.now, self.history.append, trail=trail)
        self.network = Network(self.scheduler, self.nemesis, stream(seed, "network"), self.account, self.observer)
        self.fleet = Fleet(seed, setup, self.scheduler, self.network, pool, self.observer.crashed, self._failed)
        self.ecs = Ecs(
            setup,
            self.scheduler,
            stream(seed, "ecs"),
            self.fleet,
            self.observer.met,
            self.observer.deployed,
        )
        self.elb = Elb(
            self.runtime,
            stream(seed, "balancer"),
            setup.delays,
            self.fleet.behind,
            self.ecs.lost.__contains__,
            self.ecs.changed,
            self.observer.met,
        )
        self.token = "token-0"  # noqa: S105 - there is nothing behind it
        self._seed = seed
        self._clients = [self.client(f"c{n + 1}", habit) for n, habit in enumerate(setup.habits)]
        self._wrongly_accepted = 0
        self._rotations = 0
        self._poisons = 0

    def episodes(self, examine: Callable[[World], None]) -> Generator[Episode]:
        """The episodes, one after the other, without end; `examine` is the examination."""
        with ExitStack() as stack:
            stack.enter_context(botocore_sleeps(self._nap))
            stack.callback(self._end)
            self.fleet.up(self.ecs)
            self.ecs.up(self.elb)
            while not self.ecs.steady:
                self.scheduler.park(1.0)
            while True:
                yield self._episode(examine)

    @property
    def coverage(self) -> Coverage:
        """What was met so far."""
        coverage = self.observer.coverage
        coverage.seconds = self.scheduler.now
        coverage.restarts = self.fleet.restarts
        return coverage

    def client(self, name: str, habit: Habit) -> WorldClient:
        """A client with a machine of its own."""
        runtime = WorldRuntime(self.scheduler, stream(self._seed, "client", name))
        return WorldClient(name, habit, lambda: self.token, self.elb, runtime, self.history.append)

    def publish(self, clients: Sequence[WorldClient]) -> list[PublishOutcome]:
        """An e-mail of each at once; how they ended, once all have."""
        ended: list[PublishOutcome] = []
        for client in clients:
            self.scheduler.spawn(lambda client=client: ended.append(client.publish()))  # type: ignore[misc]  # bound now
        while len(ended) < len(clients):
            self.scheduler.park(_STEP_SECONDS)
        if any(client.habit in WRONG for client in clients):
            self._wrongly_accepted += ended.count(PublishOutcome.OK)
        return ended

    def rotate(self) -> None:
        """Another token, which every client has at once."""
        self._rotations += 1
        self.token = f"token-{self._rotations}"
        self.account.rotate(self.token, now=EPOCH + self.scheduler.now)

    def drain(self, what: str, bound: float) -> bool:
        """Waits for the queue to be empty; records how long that took, and against which bound."""
        began = self.scheduler.now
        while self.account.queue.messages and self.scheduler.now - began <= bound:
            self.scheduler.park(1.0)
        self.observe(what, self.scheduler.now - began, bound)
        return not self.account.queue.messages

    def settle(self, what: str, bound: float) -> None:
        """Waits for every service to have its healthy tasks and nothing else; records how long that took."""
        began = self.scheduler.now
        while not self.ecs.steady and self.scheduler.now - began <= bound:
            self.scheduler.park(1.0)
        self.observe(what, self.scheduler.now - began, bound)

    def observe(self, what: str, measured: float, limit: float) -> None:
        """Records a measurement."""
        self.history.append(Observed(self.scheduler.now, what, measured, limit))

    def _episode(self, examine: Callable[[World], None]) -> Episode:
        self.history.clear()
        self._wrongly_accepted = 0
        self.observer.forget()
        self._storm()
        drained = self.drain("the drain after the storm", self._drain_bound())
        if drained:
            examine(self)
            drained = not self.account.queue.messages
        self.observe("e-mails accepted that had to be refused", self._wrongly_accepted, 0)
        self.history.append(Drained(self.scheduler.now, drained))
        now = self.scheduler.now
        self.history += [stored(now, key, each.body) for key, each in self.account.bucket.objects.items()]
        self.history += [dead(now, message.body) for message in self.account.dead_letters.messages.values()]
        self.observer.coverage.stored += len(self.account.bucket.objects)
        self.observer.coverage.publishes += sum(event.event == "invoked" for event in self.history)
        self.account.forget()
        return Episode(tuple(self.history), check(self.history))

    def _storm(self) -> None:
        self.nemesis.start()
        self._poison()
        ends = self.scheduler.now + self.setup.storm
        over = lambda: self.scheduler.now >= ends  # noqa: E731 - a condition that three tasks share
        busy = {client.name: client for client in self._clients}
        for client in self._clients:
            self.scheduler.spawn(partial(self._publish_until, client, over, busy))
        for moment in moments(self.nemesis.plan, self.setup.storm):
            self.scheduler.at(self.scheduler.now + moment.at, partial(self._inject, moment.hit))
        self.scheduler.spawn(lambda: self._now_and_then(self.setup.rotation, self.rotate, over))
        self.scheduler.spawn(lambda: self._now_and_then(self.setup.poison, self._poison, over))
        if self.setup.deployments is not None:
            every = self.setup.deployments
            self.scheduler.spawn(lambda: self._now_and_then(every, self._deploy, over))
        self.scheduler.park(self.setup.storm)
        self.nemesis.stop()
        self.network.calm()
        # The clients' last tries end in their time.
        while busy:
            self.scheduler.park(1.0)
        self.ecs.restore()
        for role, count in self.setup.counts.items():
            self.ecs.scale(role, count)
        self._mend()
        self.settle("the cluster's way back after the storm", STEADY_SECONDS)
        if self._mend():
            self.settle("the cluster's way back to a good version", STEADY_SECONDS)

    def _mend(self) -> bool:
        """As an operator would: in the place of a version that harms, and that nothing rolls back, a good one again.

        True if there was one.
        """
        harmful = [role for role in OF_ROLE if self.ecs.version_kept(role) is not Version.GOOD]
        for role in harmful:
            self.ecs.deploy(role, Version.GOOD)
        return bool(harmful)

    def _deploy(self) -> None:
        role = self.runtime.random.choice(list(OF_ROLE))
        self.ecs.deploy(role, self.runtime.random.choice(OF_ROLE[role]))

    def _inject(self, hit: Hit) -> None:
        rule = hit.rule
        role = rule.caller or hit.choice("caller", tuple(OF_ROLE))
        match rule.fault:
            case Fault.PARTITION:
                self.nemesis.part(hit)
                self.observer.on_fault(rule.fault, rule.caller or "any", rule.service or "AWS")
            case Fault.LOSE_ZONE:
                zone = hit.choice("zone", ZONES)
                self.observer.on_fault(rule.fault, zone, "")
                self.ecs.lose_zone(zone, rule.seconds or 0.0)
            case Fault.DEPLOY:
                self.observer.on_fault(rule.fault, role, "")
                self.ecs.deploy(role, hit.choice("version", OF_ROLE[role]))
            case Fault.SCALE:
                self.observer.on_fault(rule.fault, role, "")
                self.ecs.scale(role, rule.count or 0)
            case _:
                self.fleet.inject(hit, lambda fault, name: self.observer.on_fault(fault, name, ""))

    def _publish_until(self, client: WorldClient, over: Callable[[], bool], busy: dict[str, WorldClient]) -> None:
        while not over():
            client.runtime.sleep(client.runtime.random.expovariate(1 / self.setup.pause))
            self.publish([client] * client.runtime.random.choice(_BURSTS))
        del busy[client.name]

    def _now_and_then(self, pause: float, act: Callable[[], None], over: Callable[[], bool]) -> None:
        while True:
            self.scheduler.park(self.runtime.random.expovariate(1 / pause))
            if over():
                return
            act()

    def _poison(self) -> None:
        self._poisons += 1
        body = self.runtime.random.choice(["poison {}", '{{"id": "poison {}"}}', '["poison {}"]']).format(self._poisons)
        self.history.append(Planted(self.scheduler.now, f"poison-{self._poisons}", fingerprint(body)))
        self.account.plant(body, now=EPOCH + self.scheduler.now)

    def _drain_bound(self) -> float:
        """Poison takes longest: it must be received more often than it may be."""
        return (self.setup.max_receive_count + 1) * (self.setup.visibility_timeout + 1) + _BACKLOG_SECONDS

    def _failed(self, _error: Exception) -> None:
        self.errors += 1

    def _nap(self) -> None:
        self.scheduler.park(self.runtime.random.uniform(0, 1))

    def _end(self) -> None:
        self.fleet.end()
        self.scheduler.close()
