"""Laws of the agent's core, over every order of desired states, events and restarts."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import settings as options
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from sim.agent import definition
from sim.agent.core import Action, Freeze, Kill, Remove, Signal, Start, ended, held_ports, step
from sim.agent.events import (
    Exited,
    HealthChanged,
    NotFound,
    NotFrozen,
    NotSignalled,
    Signalled,
    Started,
    StartFailed,
    applied,
)
from sim.agent.local import Local
from sim.agent.messages import Message, Outbox, TaskReport, due, wanted
from sim.cluster.desired import Desired, DesiredInstance, DesiredTask
from sim.cluster.tasks import HealthStatus
from tests.unit.agent.control_plane import a_task, an_instance

HEALTH: tuple[HealthStatus, ...] = ("HEALTHY", "UNHEALTHY")
Key = tuple[str, str]
"""A task and a container of it."""

STATIC = {"portMappings": [{"containerPort": 80, "hostPort": 8080}]}
DYNAMIC = {"portMappings": [{"containerPort": 80}, {"containerPort": 81}]}
SHAPES = st.sampled_from(
    [
        ({"stopTimeout": 2},),
        (STATIC,),
        (DYNAMIC, {"essential": False, **STATIC}),
        ({"dependsOn": [{"containerName": "c1", "condition": "SUCCESS"}]}, {"essential": False}),
        ({"dependsOn": [{"containerName": "c1", "condition": "HEALTHY"}]}, {"healthCheck": {"command": ["CMD", "x"]}}),
        ({"links": ["c1:other"], **DYNAMIC}, {"stopTimeout": 2}),
    ]
)


class AgentMachine(RuleBasedStateMachine):
    """An agent with a runtime that does what it is asked when a rule says so, and may be killed at any point."""

    @initialize()
    def begin(self) -> None:
        self.now = 1000.0
        self.instances: dict[str, DesiredInstance] = {f"i-{n}": an_instance(n) for n in (1, 2)}
        self.tasks: dict[str, DesiredTask] = {}
        self.local = Local()
        self.outbox = Outbox()
        self.pending: list[Action] = []
        self.flying: list[Message] = []
        self.running: dict[Key, float] = {}
        """What the runtime runs, and when SIGTERM came; 0 if it did not."""
        self.frozen: set[Key] = set()
        self.started: set[Key] = set()
        self.reported: dict[str, list[str]] = {}

    def look(self) -> None:
        """A step, whose state is in the journal before its actions are carried out."""
        desired = Desired(1, tuple(self.instances.values()), tuple(self.tasks.values()))
        self.local, actions = step(desired, self.local, self.now)
        self.outbox, messages = due(wanted(desired, self.local, self.outbox), self.outbox, self.now)
        self.pending += actions
        self.flying += messages

    @rule(shape=SHAPES, instance=st.sampled_from(["i-1", "i-2"]))
    @precondition(lambda self: len(self.tasks) < 4)
    def a_task_is_placed(self, shape: tuple[dict[str, object], ...], instance: str) -> None:
        number = int(instance[-1])
        task = a_task(f"t{len(self.started) + len(self.tasks) + int(self.now)}", *shape, instance=number)
        self.tasks.setdefault(task.arn, task)
        self.look()

    @rule(data=st.data())
    @precondition(lambda self: self.tasks)
    def a_task_is_to_stop(self, data: st.DataObject) -> None:
        arn = data.draw(st.sampled_from(sorted(self.tasks)))
        self.tasks[arn] = replace(self.tasks[arn], desired_status="STOPPED")
        self.look()

    @rule(instance=st.sampled_from(["i-1", "i-2"]), lost=st.booleans())
    def an_instance_is_lost_or_found(self, instance: str, lost: bool) -> None:
        if instance in self.instances:
            self.instances[instance] = replace(self.instances[instance], lost=lost)
        self.look()

    @rule(seconds=st.sampled_from([0.1, 1.0, 40.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds
        self.look()

    @rule(data=st.data(), works=st.booleans())
    @precondition(lambda self: self.pending)
    def an_action_is_carried_out(self, data: st.DataObject, works: bool) -> None:
        lanes = {(each.task.task.arn, getattr(each, "container", "")): each for each in reversed(self.pending)}
        action = data.draw(st.sampled_from(list(lanes.values())))
        self.pending.remove(action)
        self.carry_out(action, works=works)
        self.look()

    def carry_out(self, action: Action, *, works: bool) -> None:
        if isinstance(action, Remove):
            return
        key = (action.task.task.arn, action.container)
        match action:
            case Start() if works:
                assert key not in self.started, "a container was started twice"
                self.started.add(key)
                self.running[key] = 0
                asked = action.task.container(action.container).bindings
                bound = tuple(replace(each, address=f"127.0.0.1:{each.host_port}") for each in asked)
                self.local = applied(self.local, Started(*key, "id", bound), self.now)
            case Start():
                self.local = applied(self.local, StartFailed(*key, "CannotStartContainerError"), self.now)
            case Freeze() if key in self.running and not works:
                self.local = applied(self.local, NotFrozen(*key), self.now)
            case Freeze() if key in self.running:
                (self.frozen.add if action.frozen else self.frozen.discard)(key)
            case Signal() if works and key in self.running:
                self.running[key] = self.now
                self.local = applied(self.local, Signalled(*key), self.now)
            case Kill() if works and key in self.running:
                instance = self.instances.get(action.task.instance)
                timeout = definition.stop_timeout(definition.container(action.task.task, action.container), 30)
                assert instance is None or self.now >= self.running[key] + timeout
                assert instance is None or self.running[key], "a container was killed that was sent no SIGTERM"
                del self.running[key]
                self.local = applied(self.local, Exited(*key, 137), self.now)
            case Signal() | Kill() if key in self.running:
                self.local = applied(self.local, NotSignalled(*key, kill=isinstance(action, Kill)), self.now)
            case Freeze() | Signal() | Kill():
                pass

    @rule(data=st.data(), code=st.sampled_from([0, 1]))
    @precondition(lambda self: self.running)
    def a_container_ends(self, data: st.DataObject, code: int) -> None:
        key = data.draw(st.sampled_from(sorted(self.running)))
        del self.running[key]
        self.local = applied(self.local, Exited(*key, code), self.now)
        self.look()

    @rule(data=st.data(), health=st.sampled_from(HEALTH))
    @precondition(lambda self: self.running)
    def a_health_check_changes(self, data: st.DataObject, health: HealthStatus) -> None:
        key = data.draw(st.sampled_from(sorted(self.running)))
        self.local = applied(self.local, HealthChanged(*key, health), self.now)
        self.look()

    @rule(data=st.data(), arrives=st.booleans())
    @precondition(lambda self: self.flying)
    def a_message_arrives(self, data: st.DataObject, arrives: bool) -> None:
        message = data.draw(st.sampled_from(self.flying))
        self.flying.remove(message)
        self.deliver(message, arrives=arrives)
        self.look()

    def deliver(self, message: Message, *, arrives: bool) -> None:
        if arrives and isinstance(message, TaskReport):
            self.reported.setdefault(message.task, []).append(message.status)
            if message.status == "STOPPED":
                self.tasks.pop(message.task, None)
        self.outbox = self.outbox.answered(message, self.now, failed=not arrives)

    @rule()
    def the_agent_is_killed_and_started_again(self) -> None:
        """Actions that were not begun are lost, and so are messages. What runs, runs on."""
        self.pending, self.flying, self.outbox = [], [], Outbox()
        for arn, task in self.local.tasks.items():
            for each in task.containers:
                if each.status in {"STARTING", "RUNNING"}:
                    there = (arn, each.name) in self.running
                    frozen = (arn, each.name) in self.frozen
                    found = Started(arn, each.name, "id", each.bindings, frozen=frozen)
                    event = found if there else NotFound(arn, each.name)
                    self.local = applied(self.local, event, self.now)
        self.look()

    @invariant()
    def a_host_port_of_an_instance_belongs_to_one_container(self) -> None:
        holders = [
            (task.instance, port.protocol, port.host_port)
            for task in self.local.tasks.values()
            for each in task.containers
            if each.status in {"STARTING", "RUNNING"}
            for port in each.bindings
        ]
        assert len(holders) == len(set(holders)) == len(held_ports(self.local))

    @invariant()
    def what_runs_is_known(self) -> None:
        for arn, name in self.running:
            assert self.local.tasks[arn].container(name).status == "RUNNING"

    @invariant()
    def a_task_stays_on_its_instance(self) -> None:
        for arn, task in self.local.tasks.items():
            assert task.task.container_instance.endswith(f"/{task.instance[-1]}"), arn

    @invariant()
    def statuses_only_go_forward(self) -> None:
        for statuses in self.reported.values():
            assert statuses == sorted(statuses)

    @invariant()
    def nothing_runs_before_what_it_depends_on(self) -> None:
        for arn, task in self.local.tasks.items():
            for each in definition.containers(task.task):
                for on in definition.dependencies(each):
                    if (arn, each["name"]) in self.started:
                        assert (arn, on.container) in self.started

    def teardown(self) -> None:
        """Whatever happened, once everything works: tasks of lost instances are frozen, those of found ones are not,
        and tasks that are to stop end and are reported."""
        if not hasattr(self, "instances"):
            return
        for lost in (True, False):
            self.instances = {name: replace(each, lost=lost) for name, each in self.instances.items()}
            self.go_on(1, works=False)
            self.go_on(2)
            assert {key for key in self.frozen if key in self.running} == (set(self.running) if lost else set())
        ran = {task.task.arn for task in self.local.tasks.values() if task.ran}
        self.tasks = {arn: replace(each, desired_status="STOPPED") for arn, each in self.tasks.items()}
        self.go_on(60)
        assert not self.running
        assert not self.tasks
        assert all(ended(each) for each in self.local.tasks.values())
        for arn in ran:
            assert self.reported[arn][-2:] == ["RUNNING", "STOPPED"] or self.reported[arn][-1] == "STOPPED"

    def go_on(self, steps: int, *, works: bool = True) -> None:
        """As many steps with 5 s between them, in which every action works, or none does."""
        for _ in range(steps):
            self.now += 5
            self.look()
            pending, self.pending = self.pending, []
            for action in pending:
                self.carry_out(action, works=works)
            flying, self.flying = self.flying, []
            for message in flying:
                self.deliver(message, arrives=True)


TestAgentLaws = AgentMachine.TestCase
TestAgentLaws.settings = options(max_examples=60, stateful_step_count=40, deadline=None)
