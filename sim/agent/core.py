"""What the agent does next: a function of what is desired, of what it knows of its tasks, and of the time.

A step looks at levels, never at changes. A task that is desired and not there is adopted; a container whose
dependencies are met is started; a task that is not to run any more, or has lost an essential container, is stopped:
SIGTERM, and SIGKILL after the stop timeout, dependents first. A container's next action depends on its own state, in
which a step marks each action as it asks for it; so no action is asked for twice, and an agent that is started again
goes on where the last one was.

The tasks of an instance that is lost are frozen, and those of one that is gone are killed.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-lifecycle-explanation.html
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from sim.agent import definition
from sim.agent.config import AgentConfig, config
from sim.agent.local import Local, LocalContainer, LocalTask
from sim.cluster.desired import Desired, DesiredInstance, DesiredTask

AGAIN_SECONDS: Final = 1.0
"""After an action that could not be carried out."""
Port = tuple[str, str, int]
"""An EC2 instance, a protocol and a host port of it."""


@dataclass(frozen=True, slots=True)
class Start:
    """Pull the image, create the container, and start it. `balancers` are the DNS names of all load balancers."""

    task: LocalTask
    container: str
    agent: AgentConfig
    balancers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Signal:
    """Send SIGTERM, or the signal that the image names, to the container's first process."""

    task: LocalTask
    container: str


@dataclass(frozen=True, slots=True)
class Kill:
    """Send SIGKILL to the container."""

    task: LocalTask
    container: str


@dataclass(frozen=True, slots=True)
class Freeze:
    """Cut the container off: no packet in or out, and no step of its processes. `frozen` is false to undo it."""

    task: LocalTask
    container: str
    frozen: bool


@dataclass(frozen=True, slots=True)
class Remove:
    """Remove what is left of a task that has ended."""

    task: LocalTask


Action = Start | Signal | Kill | Freeze | Remove


@dataclass(frozen=True, slots=True)
class _Scene:
    """What a step looks at beside the task itself: `instance` is None once the EC2 instance is gone."""

    desired: DesiredTask | None
    instance: DesiredInstance | None
    agent: AgentConfig
    balancers: tuple[str, ...]
    held: frozenset[Port]
    now: float


def step(desired: Desired, local: Local, now: float) -> tuple[Local, tuple[Action, ...]]:
    """The next actions, and what the agent knows once it has begun them."""
    by_id = {each.id: each for each in desired.instances}
    agents = {each.id: config(each.user_data) for each in desired.instances}
    wanted = {each.arn: each for each in desired.tasks}
    balancers = tuple(each.dns_name for each in desired.balancers)
    local = _adopted(desired, local, now)
    actions: list[Action] = []
    for arn, task in local.tasks.items():
        agent = agents.get(task.instance, AgentConfig())
        scene = _Scene(wanted.get(arn), by_id.get(task.instance), agent, balancers, held_ports(local), now)
        after, asked = _stepped(task, scene)
        actions += asked
        local = local.without(arn) if any(isinstance(each, Remove) for each in asked) else local.having(after)
    return local, tuple(actions)


def held_ports(local: Local) -> frozenset[Port]:
    """The host ports that containers hold. A container lets go of them when it has stopped."""
    return frozenset(
        (task.instance, port.protocol, port.host_port)
        for task in local.tasks.values()
        for each in task.containers
        if each.status in {"STARTING", "RUNNING"}
        for port in each.bindings
    )


def ended(task: LocalTask) -> bool:
    """Whether nothing of the task runs, or will."""
    return all(each.status == "STOPPED" for each in task.containers)


def stopping(task: LocalTask) -> bool:
    """Whether an essential container has stopped, so that the others must."""
    return any(
        task.container(each["name"]).status == "STOPPED"
        for each in definition.containers(task.task)
        if definition.essential(each)
    )


def _adopted(desired: Desired, local: Local, now: float) -> Local:
    instances = {each.container_instance: each.id for each in desired.instances if each.container_instance}
    for task in desired.tasks:
        if task.arn not in local.tasks and task.container_instance in instances:
            made = tuple(LocalContainer(each["name"]) for each in task.definition["containerDefinitions"])
            local = local.having(LocalTask(task, instances[task.container_instance], made, taken_at=now))
    return local


def _stepped(task: LocalTask, scene: _Scene) -> tuple[LocalTask, list[Action]]:
    if scene.instance is None:
        after, actions = _killed(task, scene.now)
    elif scene.instance.lost:
        return _frozen(task, scene.now, frozen=True)
    else:
        task, thawed = _frozen(task, scene.now, frozen=False)
        to_run = scene.desired is not None and scene.desired.desired_status == "RUNNING" and not stopping(task)
        after, actions = _started(task, scene) if to_run else _stopped(task, scene)
        actions = [*thawed, *actions]
    after = _progressed(after, scene.now)
    if _is_over(after, scene):
        actions.append(Remove(after))
    return after, actions


def _progressed(task: LocalTask, now: float) -> LocalTask:
    ran = task.ran or all(each.started_at is not None for each in task.containers)
    return replace(task, ran=ran, ended_at=task.ended_at or (now if ended(task) else None))


def _is_over(task: LocalTask, scene: _Scene) -> bool:
    if task.ended_at is None or scene.desired is not None:
        return False
    return scene.instance is None or scene.now >= task.ended_at + scene.agent.cleanup_wait


def _frozen(task: LocalTask, now: float, *, frozen: bool) -> tuple[LocalTask, list[Action]]:
    actions: list[Action] = []
    for each in task.containers:
        if each.status == "RUNNING" and each.frozen != frozen and now >= each.wait_until:
            task = task.having(replace(each, frozen=frozen))
            actions.append(Freeze(task, each.name, frozen))
    return task, actions


def _killed(task: LocalTask, now: float) -> tuple[LocalTask, list[Action]]:
    actions: list[Action] = []
    for each in task.containers:
        if each.status == "PENDING":
            task = task.having(replace(each, status="STOPPED"))
        elif each.status == "RUNNING" and each.killed_at is None and now >= each.wait_until:
            task = task.having(replace(each, killed_at=now))
            actions.append(Kill(task, each.name))
    return task, actions


def _stopped(task: LocalTask, scene: _Scene) -> tuple[LocalTask, list[Action]]:
    actions: list[Action] = []
    definitions = definition.containers(task.task)
    for each in definitions:
        container = task.container(each["name"])
        if container.status == "PENDING":
            task = task.having(replace(container, status="STOPPED"))
    for each in definitions:
        container = task.container(each["name"])
        if container.status != "RUNNING" or scene.now < container.wait_until or _is_needed(task, each["name"]):
            continue
        if container.signalled_at is None:
            if not container.signalling:
                task = task.having(replace(container, signalling=True))
                actions.append(Signal(task, container.name))
        elif container.killed_at is None and scene.now >= container.signalled_at + definition.stop_timeout(
            each, scene.agent.stop_timeout
        ):
            task = task.having(replace(container, killed_at=scene.now))
            actions.append(Kill(task, container.name))
    return task, actions


def _is_needed(task: LocalTask, name: str) -> bool:
    """Whether a container that depends on this one is still there: containers stop in the reverse of their order."""
    return any(
        name in {on.container for on in definition.dependencies(each)}
        and task.container(each["name"]).status != "STOPPED"
        for each in definition.containers(task.task)
    )


def _started(task: LocalTask, scene: _Scene) -> tuple[LocalTask, list[Action]]:
    actions: list[Action] = []
    held = scene.held
    for each in definition.containers(task.task):
        container = task.container(each["name"])
        if container.status != "PENDING" or scene.now < container.wait_until:
            continue
        if problem := _unmet_for_good(task, each, scene.now):
            task = task.having(replace(container, status="STOPPED", reason=problem))
        elif all(_is_met(task.container(on.container), on.condition) for on in definition.dependencies(each)):
            taken = [(protocol, port) for instance, protocol, port in held if instance == task.instance]
            bound = definition.bindings(task.task, each, taken)
            if clash := next((on for on in bound if (on.protocol, on.host_port) in taken), None):
                task = task.having(replace(container, status="STOPPED", reason=_allocated(clash.host_port)))
                continue
            held |= {(task.instance, on.protocol, on.host_port) for on in bound}
            task = task.having(replace(container, status="STARTING", bindings=bound))
            actions.append(Start(task, container.name, scene.agent, scene.balancers))
    return task, actions


def _allocated(port: int) -> str:
    """Docker's words, as the agent reports them, for a host port that another container holds."""
    return (
        "CannotStartContainerError: Error response from daemon: driver failed programming external connectivity: "
        f"Bind for 0.0.0.0:{port} failed: port is already allocated"
    )


def _is_met(container: LocalContainer, condition: definition.Condition) -> bool:
    started = container.started_at is not None
    match condition:
        case "START":
            return started
        case "COMPLETE":
            return started and container.status == "STOPPED"
        case "SUCCESS":
            return started and container.status == "STOPPED" and container.exit_code == 0
        case "HEALTHY":
            return container.status == "RUNNING" and container.health == "HEALTHY"


def _unmet_for_good(task: LocalTask, container: definition.Values, now: float) -> str:
    """Why a container can never start: a dependency that has ended otherwise, or one past its `startTimeout`."""
    for on in definition.dependencies(container):
        other = task.container(on.container)
        if _is_met(other, on.condition):
            continue
        limit = definition.container(task.task, on.container).get("startTimeout")
        late = limit and other.started_at is not None and now >= other.started_at + float(limit)
        if late or other.status == "STOPPED":
            return f"dependency {on.container} did not reach the condition {on.condition}"
    return ""
