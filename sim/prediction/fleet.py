"""A cluster in virtual time: the scheduler and the load balancers as they are, agents and applications played.

One heap of what happens when. The scheduler's step comes at its cadence; each load balancer's when it is due; agents
start and stop tasks after the times of the application. Everything that happens by chance is drawn from one `Random`.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING

from sim.cluster import tasks as lifecycle
from sim.cluster.actions import Action, Deregister, PlaceTask, Register, Said, StartTask, StopTask
from sim.cluster.balancer import classic, nodes, target_group
from sim.cluster.balancer.checks import CheckResult, Phase
from sim.cluster.balancer.nodes import Balancer, Check, Deregistered, Drain, Policy
from sim.cluster.balancer.target_group import GroupSettings
from sim.cluster.observed import Observed
from sim.cluster.scheduler import Cluster, step
from sim.cluster.target_health import RegisteredTarget, TargetHealth
from sim.cluster.tasks import Task
from sim.prediction.scenario import Application, ContainerCheck, Seconds

if TYPE_CHECKING:
    from random import Random

_PASSED = CheckResult(passed=True, status=200)
_REFUSED = CheckResult(passed=False)
_BETWEEN = frozenset({Phase.REGISTERING, Phase.INITIAL, Phase.DRAINING})


@dataclass(frozen=True, slots=True)
class Classic:
    """A Classic ELB."""

    policy: Policy

    def health(self, state: Balancer, target: str) -> TargetHealth:
        """What the API reports of a target."""
        return classic.health(state, target)

    def routable(self, state: Balancer, node: str) -> tuple[str, ...]:
        """The targets that a node sends requests to."""
        return classic.routable(state, node)


@dataclass(frozen=True, slots=True)
class Group:
    """A target group of an ALB."""

    settings: GroupSettings

    @property
    def policy(self) -> Policy:
        """The settings of the health machine."""
        return self.settings.policy

    def health(self, state: Balancer, target: str) -> TargetHealth:
        """What the API reports of a target."""
        return target_group.health(state, target)

    def routable(self, state: Balancer, node: str) -> tuple[str, ...]:
        """The targets that a node sends requests to."""
        return target_group.routable(self.settings, state, node)


Kind = Classic | Group


class Fleet:
    """Everything that runs; `advance` moves it on."""

    def __init__(
        self,
        cluster: Cluster,
        balancers: dict[str, Kind],
        application: Callable[[Task], Application],
        check: ContainerCheck | None,
        step_seconds: float,
        chance: Random,
    ) -> None:
        self.cluster = cluster
        self.now = 0.0
        self.said: list[str] = []
        self.acted_at = 0.0
        self.alarms: frozenset[str] = frozenset()
        self._kinds = balancers
        self._states = {name: nodes.start(kind.policy) for name, kind in balancers.items()}
        self._application = application
        self._check = check
        self._step_seconds = step_seconds
        self._chance = chance
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()
        self._due: dict[str, float] = {}
        self._drained: set[tuple[str, str]] = set()
        self._behind: dict[tuple[str, str], str] = {}
        """The task that a target stands for, by balancer and target."""
        self._answers: dict[str, float] = {}
        """From when each task's application answers."""
        self._gone: set[str] = set()
        self._busy = 0

    def at(self, seconds: float, act: Callable[[], None]) -> None:
        """Something happens so many seconds from now."""
        self._push(self.now + seconds, act)

    def _push(self, at: float, act: Callable[[], None]) -> None:
        heapq.heappush(self._heap, (at, next(self._numbers), act))

    def begin(self, first_step: float) -> None:
        """The scheduler looks for the first time so many seconds from now."""
        self.at(first_step, self._step)

    def advance(self) -> float:
        """The next thing happens; returns how many seconds passed before it."""
        before = self.now
        at, _, act = heapq.heappop(self._heap)
        self.now = at
        act()
        return at - before

    def quiet(self) -> bool:
        """Whether no agent, no application and no load balancer is in the middle of anything."""
        return not self._busy and not any(
            watch.phase in _BETWEEN
            for state in self._states.values()
            for member in state.members.values()
            for watch in member.watches.values()
        )

    def serving(self, tasks: Iterable[Task]) -> int:
        """How many of the tasks answer clients: behind a load balancer, those that every node of it routes to."""
        up = {each.id for each in tasks if self._up(each.id)}
        for name, state in self._states.items():
            kind = self._kinds[name]
            for node in state.nodes:
                known = {target for target, member in state.members.items() if node.id in member.watches}
                routed = set(kind.routable(state, node.id))
                up -= {self._behind[name, target] for target in known - routed}
            reached = {self._behind[name, target] for target in state.members}
            up &= reached
        return len(up)

    # What the scheduler has done.

    def _step(self) -> None:
        self.step()
        self.at(self._step_seconds, self._step)

    def step(self) -> None:
        """One step of the scheduler, and what follows from it."""
        self.cluster, actions = step(self.cluster, self.observed(), self.now, self._chance)
        for action in actions:
            self._do(action)

    def observed(self) -> Observed:
        """What the scheduler is handed of load balancers and alarms."""
        targets = {
            name: {target: self._kinds[name].health(state, target) for target in state.members}
            for name, state in self._states.items()
        }
        return Observed(targets, self._drained, self.alarms)

    def _do(self, action: Action) -> None:
        match action:
            case Said(message=message):
                self.said.append(message)
                return
            case StartTask(task=task) | PlaceTask(task=task):
                self.working(self._times(task).launch, lambda: self._run(task))
            case StopTask(task=task):
                self.working(self._stop_seconds(task), lambda: self.end(task))
            case Register(balancer, target):
                self._behind[balancer.name, target.id] = target.task
                self._drained.discard((balancer.name, target.id))
                there = RegisteredTarget(target.id, target.zone, target.id, target.port)
                self._turn(balancer.name, nodes.register(self._states[balancer.name], there, self.now, self._chance))
            case Deregister(balancer, target):
                state = nodes.deregister(self._states[balancer.name], target.id, self.now, self._chance)
                if target.id not in state.members:
                    self._drained.add((balancer.name, target.id))
                self._turn(balancer.name, state)
        self.acted_at = self.now

    def working(self, takes: Seconds, then: Callable[[], None]) -> None:
        """Something that is under way until it is done."""
        self._busy += 1

        def done() -> None:
            self._busy -= 1
            self.acted_at = self.now
            then()

        self.at(takes.draw(self._chance), done)

    # Agents and applications.

    def _times(self, task: str) -> Application:
        return self._application(self.cluster.tasks[task])

    def _stop_seconds(self, task: str) -> Seconds:
        asked, limit = self._times(task).stop, self.cluster.tasks[task].definition.stop_timeout
        return Seconds(min(asked.least, limit), min(asked.most, limit))

    def _up(self, task: str) -> bool:
        return task not in self._gone and self._answers.get(task, self.now + 1) <= self.now

    def _run(self, identity: str) -> None:
        task = self.cluster.tasks.get(identity)
        if task is None or not task.to_run or task.last_status != "PENDING":
            return
        times = self._application(task)
        self.put(lifecycle.running(task, self.now, self.bindings(task)))
        if times.answers:
            seconds = times.start.draw(self._chance)
            self._answers[identity] = self.now + seconds
            self.working(Seconds(seconds, seconds), lambda: None)
        if task.definition.health_check:
            check = self._check or ContainerCheck()
            self.at(check.interval, lambda: self._container_check(identity, check, 0, self.now))

    def bindings(self, task: Task) -> dict[int, int]:
        """A free host port for each dynamic one."""
        taken = {
            host
            for each in self.cluster.tasks.values()
            if each.instance == task.instance and not each.stopped
            for _, host in each.bindings
        }
        free = (port for port in count(32768) if port not in taken)
        return {each.container_port: each.host_port or next(free) for each in task.definition.ports}

    def _container_check(self, identity: str, check: ContainerCheck, failures: int, started: float) -> None:
        task = self.cluster.tasks.get(identity)
        if task is None or task.last_status != "RUNNING" or identity in self._gone:
            return
        if self._up(identity):
            failures = 0
            self._report(task, "HEALTHY")
        elif self.now - started > check.start_period:
            failures += 1
            if failures >= check.retries:
                self._report(task, "UNHEALTHY")
        if task.health != "HEALTHY" or not self._up(identity):
            self.at(check.interval, lambda: self._container_check(identity, check, failures, started))

    def _report(self, task: Task, health: lifecycle.HealthStatus) -> None:
        if task.health != health:
            self.acted_at = self.now
            self.put(lifecycle.health_reported(task, health))

    def put(self, task: Task) -> None:
        """Another state of a task, as its agent or its user reports it."""
        self.cluster = self.cluster.with_task(task)

    def stop_by_user(self, identity: str) -> None:
        """StopTask: the agent is ordered at once."""
        task = self.cluster.tasks[identity]
        if task.instance is not None and task.to_run:
            self.put(lifecycle.stop_by_user(task, self.now))
            self.working(self._stop_seconds(identity), lambda: self.end(identity))

    def end(self, identity: str, reason: str = "") -> None:
        """The containers of a task have ended, asked or not."""
        task = self.cluster.tasks.get(identity)
        self._silence(identity)
        if task is not None:
            self.put(lifecycle.ended(task, self.now, reason))

    def lose_instance(self, identity: str) -> None:
        """An EC2 instance is terminated, with all that it runs."""
        instance = self.cluster.instances[identity]
        for task in [each for each in self.cluster.tasks.values() if each.instance == identity]:
            self._silence(task.id)
            self.put(lifecycle.host_terminated(task, instance.ec2_instance_id, self.now))
        self.cluster = self.cluster.without_instance(identity)

    # Load balancers.

    def adopt(self, name: str, target: RegisteredTarget, task: str) -> None:
        """A target that has been in service for long, and answers."""
        state = nodes.register(self._states[name], target, self.now, self._chance)
        member = state.members[target.id]
        watches = {
            node: replace(watch, phase=Phase.IN_SERVICE, check_at=nodes.NEVER, passes=1)
            for node, watch in member.watches.items()
        }
        self._behind[name, target.id] = task
        self._answers[task] = self.now
        members = {**state.members, target.id: replace(member, watches=watches)}
        self._turn(name, replace(state, members=members))

    def answers_now(self, task: str) -> None:
        """A task that has been up for long."""
        self._answers[task] = self.now

    def _silence(self, task: str) -> None:
        """The application of a task answers no more: the checks of its targets count again."""
        self._gone.add(task)
        for (name, target), behind in self._behind.items():
            if behind == task and target in self._states[name].members:
                self._turn(name, _unparked(self._states[name], target, self.now, self._chance))

    def _turn(self, name: str, state: Balancer) -> None:
        """Brings a load balancer to the present, and comes back when it is due again."""
        state, actions = nodes.step(state, self.now, self._chance)
        for action in actions:
            match action:
                case Check(node, target, number):
                    answer = _PASSED if self._up(self._behind[name, target.id]) else _REFUSED
                    state, _ = nodes.checked(state, node, target.id, number, answer, self.now)
                    state = _parked(state, node, target.id) if answer.passed else state
                case Drain(node, target=leaving):
                    seconds = self._times(self._behind[name, leaving]).drain.draw(self._chance)
                    self.at(seconds, self._drain(name, node, leaving))
                case Deregistered(target=gone):
                    self._drained.add((name, gone))
                    self.acted_at = self.now
        self._states[name] = state
        due = nodes.due(state)
        if due not in {self._due.get(name), nodes.NEVER}:
            self._push(due, lambda: self._turn(name, self._states[name]) if self._due[name] == due else None)
        self._due[name] = due

    def _drain(self, name: str, node: str, target: str) -> Callable[[], None]:
        return lambda: self._turn(name, nodes.drained(self._states[name], node, target))


def _parked(state: Balancer, node: str, target: str) -> Balancer:
    """A target in service that answers: more checks of it change nothing, so none is made until it falls silent."""
    member = state.members[target]
    watch = member.watches[node]
    if watch.phase is not Phase.IN_SERVICE:
        return state
    watches = {**member.watches, node: replace(watch, check_at=nodes.NEVER)}
    return replace(state, members={**state.members, target: replace(member, watches=watches)})


def _unparked(state: Balancer, target: str, now: float, chance: Random) -> Balancer:
    """The checks of a target go on, each node's at some moment of its interval."""
    member = state.members[target]
    interval = state.policy.check.interval
    watches = {
        node: replace(watch, check_at=now + chance.uniform(0, interval)) if watch.check_at == nodes.NEVER else watch
        for node, watch in member.watches.items()
    }
    return replace(state, members={**state.members, target: replace(member, watches=watches)})
