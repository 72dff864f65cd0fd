"""What becomes of the agent's containers, and what the agent knows after it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sim.agent.core import AGAIN_SECONDS
from sim.agent.local import Binding, Local, LocalContainer
from sim.cluster.tasks import HealthStatus


@dataclass(frozen=True, slots=True)
class Started:
    """The container runs. `bindings` have the addresses at which its ports really listen.

    Also of a container that is found. What the agent before this one had asked for may not have been done.
    """

    task: str
    container: str
    runtime_id: str
    bindings: tuple[Binding, ...]
    image_digest: str = ""
    frozen: bool = False


@dataclass(frozen=True, slots=True)
class StartFailed:
    """The container could not be started. The reason begins with the agent's name of the error."""

    task: str
    container: str
    reason: str


@dataclass(frozen=True, slots=True)
class Exited:
    """The container's first process has ended."""

    task: str
    container: str
    exit_code: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class HealthChanged:
    """The container's health check has another result."""

    task: str
    container: str
    health: HealthStatus


@dataclass(frozen=True, slots=True)
class Moved:
    """The container has other addresses, since it was connected to its network again."""

    task: str
    container: str
    bindings: tuple[Binding, ...]


@dataclass(frozen=True, slots=True)
class NotFound:
    """Nothing is there of a container that an agent before this one began to start."""

    task: str
    container: str


@dataclass(frozen=True, slots=True)
class Signalled:
    """SIGTERM was sent. The stop timeout begins now."""

    task: str
    container: str


@dataclass(frozen=True, slots=True)
class NotSignalled:
    """SIGTERM, or SIGKILL, could not be sent, and is to be sent again."""

    task: str
    container: str
    kill: bool


@dataclass(frozen=True, slots=True)
class NotFrozen:
    """The container could not be frozen or thawed. It is to be tried again."""

    task: str
    container: str


Event = Started | StartFailed | Exited | HealthChanged | Moved | NotFound | Signalled | NotSignalled | NotFrozen


def applied(local: Local, event: Event, now: float) -> Local:
    """What the agent knows after the event. An event of a task that is gone changes nothing."""
    task = local.tasks.get(event.task)
    if task is None:
        return local
    return local.having(task.having(_after(task.container(event.container), event, now)))


def _after(container: LocalContainer, event: Event, now: float) -> LocalContainer:  # noqa: PLR0911 - one an event
    if container.status == "STOPPED":
        return container
    match event:
        case Started():
            return replace(
                container,
                status="RUNNING",
                runtime_id=event.runtime_id,
                bindings=event.bindings,
                image_digest=event.image_digest,
                started_at=container.started_at or now,
                frozen=event.frozen,
                signalling=False,
                signalled_at=None,
                killed_at=None,
            )
        case StartFailed():
            return replace(container, status="STOPPED", reason=event.reason)
        case Exited():
            started = container.started_at or now
            return replace(
                container, status="STOPPED", exit_code=event.exit_code, reason=event.reason, started_at=started
            )
        case HealthChanged():
            return replace(container, health=event.health)
        case Moved():
            return replace(container, bindings=event.bindings)
        case NotFound():
            return replace(container, status="PENDING", bindings=())
        case Signalled():
            return replace(container, signalling=False, signalled_at=now)
        case NotSignalled(kill=True):
            return replace(container, killed_at=None, wait_until=now + AGAIN_SECONDS)
        case NotSignalled():
            return replace(container, signalling=False, wait_until=now + AGAIN_SECONDS)
        case NotFrozen():
            return replace(container, frozen=None, wait_until=now + AGAIN_SECONDS)
