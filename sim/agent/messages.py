"""What the control plane is to know, and what of it is still to be sent.

Each message has a subject. The control plane is to know the newest message of each subject, so one that differs from
the last that arrived is sent, and one that did not arrive is sent again. An agent that is started again sends all of
them; the control plane takes a message twice as once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from sim.agent import definition
from sim.agent.core import ended
from sim.agent.local import Binding, Local, LocalTask
from sim.cluster.aws_clock import AwsClock
from sim.cluster.desired import Desired, DesiredInstance, Place
from sim.cluster.tasks import HealthStatus

AGAIN_SECONDS: Final = 1.0
_ESSENTIAL_EXITED: Final = "Essential container in task exited"


@dataclass(frozen=True, slots=True)
class Register:
    """RegisterContainerInstance."""

    instance: DesiredInstance

    @property
    def subject(self) -> str:
        """What the message is about."""
        return f"register {self.instance.id}"


@dataclass(frozen=True, slots=True)
class Connected:
    """The agent of an instance that is registered runs."""

    instance: str
    place: Place

    @property
    def subject(self) -> str:
        """What the message is about."""
        return f"connected {self.instance}"


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the host ports of an instance really are: pairs of PROTOCOL:PORT and HOST:PORT."""

    instance: str
    place: Place
    table: tuple[tuple[str, str], ...]

    @property
    def subject(self) -> str:
        """What the message is about."""
        return f"ports {self.instance}"


@dataclass(frozen=True, slots=True)
class ContainerReport:
    """A container in a SubmitTaskStateChange. Its bindings have no addresses, which the port table has."""

    name: str
    status: str
    runtime_id: str
    image_digest: str
    exit_code: int | None
    reason: str
    bindings: tuple[Binding, ...]


@dataclass(frozen=True, slots=True)
class TaskReport:
    """SubmitTaskStateChange. `pull_started_at` is AWS's time in seconds since 1970."""

    task: str
    cluster: str
    place: Place
    instance: str
    status: Literal["RUNNING", "STOPPED"]
    reason: str
    containers: tuple[ContainerReport, ...]
    pull_started_at: float | None = None

    @property
    def subject(self) -> str:
        """What the message is about."""
        return f"task {self.task}"


@dataclass(frozen=True, slots=True)
class HealthReport:
    """The health of a task, of which an essential container has a health check, and of the containers with one."""

    task: str
    cluster: str
    place: Place
    health: HealthStatus
    containers: tuple[tuple[str, HealthStatus], ...]

    @property
    def subject(self) -> str:
        """What the message is about."""
        return f"health {self.task}"


Message = Register | Connected | Ports | TaskReport | HealthReport


@dataclass(frozen=True, slots=True)
class Delivery:
    """The last message of a subject: on its way, arrived, or to be sent again from `again_at` on."""

    message: Message
    state: Literal["SENT", "ARRIVED", "FAILED"] = "SENT"
    again_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Outbox:
    """The last message of each subject."""

    deliveries: Mapping[str, Delivery] = field(default_factory=dict)

    def arrived(self, message: Message) -> bool:
        """Whether this is the subject's last message, and has arrived."""
        last = self.deliveries.get(message.subject)
        return last is not None and last.state == "ARRIVED" and last.message == message

    def answered(self, message: Message, now: float, *, failed: bool) -> Outbox:
        """The outbox after a message arrived, or did not."""
        last = self.deliveries.get(message.subject)
        if last is None or last.message != message:
            return self
        after = replace(last, state="FAILED" if failed else "ARRIVED", again_at=now + AGAIN_SECONDS)
        return Outbox({**self.deliveries, message.subject: after})


def due(wanted: Iterable[Message], outbox: Outbox, now: float) -> tuple[Outbox, tuple[Message, ...]]:
    """The messages to send now, and the outbox once they are on their way. Of a subject, one at a time is."""
    kept: dict[str, Delivery] = {}
    sending: list[Message] = []
    for message in wanted:
        last = outbox.deliveries.get(message.subject)
        if last is None or _is_old(last, message, now):
            sending.append(message)
            last = Delivery(message)
        kept[message.subject] = last
    on_their_way = {name: each for name, each in outbox.deliveries.items() if each.state == "SENT"}
    return Outbox({**on_their_way, **kept}), tuple(sending)


def _is_old(last: Delivery, message: Message, now: float) -> bool:
    if last.state == "FAILED":
        return now >= last.again_at
    return last.state == "ARRIVED" and last.message != message


def wanted(desired: Desired, local: Local, outbox: Outbox) -> tuple[Message, ...]:
    """What the control plane is to know now. Of an instance that is lost, nothing."""
    found: list[Message] = []
    heard = {each.id: each for each in desired.instances if not each.lost}
    published = {each.instance for each in desired.host_ports}
    ports: dict[str, Ports] = {}
    for each in heard.values():
        if not each.container_instance:
            found.append(Register(each))
            continue
        found.append(Connected(each.id, each.place))
        ports[each.id] = Ports(each.id, each.place, _table(local, each.id))
        if ports[each.id].table or each.id in published or ports[each.id].subject in outbox.deliveries:
            found.append(ports[each.id])
    for want in desired.tasks:
        task = local.tasks.get(want.arn)
        if task is not None and task.instance in heard:
            table = ports.get(task.instance)
            reachable = table is None or not table.table or outbox.arrived(table)
            found += _of_task(task, outbox, desired.clock, reachable=reachable)
    return tuple(found)


def task_health(task: LocalTask) -> HealthStatus | None:
    """The health of a task; None if no essential container has a health check.

    UNHEALTHY if one of those containers is, else UNKNOWN if one is, else HEALTHY.
    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/healthcheck.html
    """
    checked = {
        task.container(each["name"]).health
        for each in definition.containers(task.task)
        if definition.essential(each) and each.get("healthCheck")
    }
    ranked: tuple[HealthStatus, ...] = ("UNHEALTHY", "UNKNOWN", "HEALTHY")
    return next((each for each in ranked if each in checked), None)


def _table(local: Local, instance: str) -> tuple[tuple[str, str], ...]:
    return tuple(
        sorted(
            (f"{port.protocol}:{port.host_port}", port.address)
            for task in local.tasks.values()
            if task.instance == instance
            for each in task.containers
            if each.status == "RUNNING"
            for port in each.bindings
        )
    )


def _of_task(task: LocalTask, outbox: Outbox, clock: AwsClock, *, reachable: bool) -> Iterable[Message]:
    """A task is RUNNING once its host ports can be reached. One that ran is RUNNING before it is STOPPED."""
    last = outbox.deliveries.get(f"task {task.task.arn}")
    known = last is not None and last.state == "ARRIVED"
    if ended(task):
        yield _report(task, "RUNNING" if task.ran and not known else "STOPPED", clock)
    elif task.ran and (reachable or known):
        yield _report(task, "RUNNING", clock)
        if health := task_health(task):
            checked = (each["name"] for each in definition.containers(task.task) if each.get("healthCheck"))
            containers = tuple((name, task.container(name).health) for name in checked)
            yield HealthReport(task.task.arn, task.task.cluster, task.task.place, health, containers)


def _report(task: LocalTask, status: Literal["RUNNING", "STOPPED"], clock: AwsClock) -> TaskReport:
    stopped = status == "STOPPED"
    return TaskReport(
        task.task.arn,
        task.task.cluster,
        task.task.place,
        task.instance,
        status,
        _reason(task) if stopped else "",
        tuple(
            ContainerReport(
                each.name,
                each.status,
                each.runtime_id,
                each.image_digest,
                each.exit_code,
                each.reason,
                tuple(replace(port, address="") for port in each.bindings),
            )
            for each in task.containers
        ),
        None if task.taken_at is None else clock.at(task.taken_at),
    )


def _reason(task: LocalTask) -> str:
    """Why the task ended by itself: what kept a container from starting, or that an essential one ended."""
    failed = (each.reason for each in task.containers if each.started_at is None and each.reason)
    return next(failed, _ESSENTIAL_EXITED)
