"""The status of a running stack."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from services.pipeline.aws import AWS_ERRORS
from services.worker.health import fresh
from sim.cloud.ecs import EcsService
from sim.cloud.localstack import settings
from sim.errors import SimError
from sim.stack.lifecycle import Stack
from sim.targets.settings import HEARTBEAT_SECONDS, PROCESSES, api_ready


@dataclass(frozen=True)
class PartStatus:
    """The status of one part. `state` is `ok`, or a word or two about the problem."""

    part: str
    state: str
    detail: str


@dataclass(frozen=True)
class Status:
    """The status of all parts."""

    parts: tuple[PartStatus, ...]

    @property
    def good(self) -> bool:
        """True if every part is ok."""
        return all(part.state == "ok" for part in self.parts)


def status_of(stack: Stack) -> Status:
    """Asks every part for its status."""
    parts = processes_of(stack, api_ready)
    services = stack.cluster.services if stack.cluster else {}
    tasks = map(_tasks, services.values())
    if stack.project:
        return Status((*parts, *tasks))
    # Without a cluster the API is one of the processes.
    api = [_part(stack, "api", ok=api_ready(stack.url), detail=stack.url)] if stack.cluster else []
    return Status((*parts, *api, *tasks, *_queues(stack)))


def processes_of(stack: Stack, api_ready: Callable[[str], bool]) -> tuple[PartStatus, ...]:
    """The status of the processes that the stack consists of. `api_ready` asks an API by its URL."""
    cloud = _part(stack, "localstack", ok=settings.is_ready(stack.endpoint), detail=stack.endpoint)
    others = [(name, *_runs(stack, name)) for name in ("gateway", "edge", "agent", "page") if name in stack.parts]
    if stack.cluster is None:
        others.append(("api", api_ready(stack.url), stack.url))
        others.append(("worker", _worker_works(stack), _runs(stack, "worker")[1]))
    return (cloud, *(_part(stack, name, ok=ok, detail=detail) for name, ok, detail in others))


def _part(stack: Stack, name: str, *, ok: bool, detail: str) -> PartStatus:
    return PartStatus(name, "ok" if ok else "ended" if _has_ended(stack, name) else "not ready", detail)


def _worker_works(stack: Stack) -> bool:
    """True if all processes of the worker have shown a sign of life lately: its container asks them by itself."""
    if "worker" not in stack.containers:
        return fresh(stack.heartbeat, PROCESSES, HEARTBEAT_SECONDS)
    # Not before there are containers: what it imports takes long.
    from sim.host.container import Container  # noqa: PLC0415

    worker = Container.named(stack.containers["worker"])
    return worker is not None and worker.works


def _runs(stack: Stack, name: str) -> tuple[bool, str]:
    part = stack.parts[name]
    again = f", started {part.starts} times" if part.starts > 1 else ""
    what = f"container {stack.containers[name]}" if name in stack.containers else f"process {part.pid or 'ended'}"
    return stack.part_runs(name), f"{what}{again}"


def _has_ended(stack: Stack, name: str) -> bool:
    return name in stack.parts and not stack.part_runs(name)


def _tasks(service: EcsService) -> PartStatus:
    name = f"tasks of {service.name}"
    try:
        described = service.described()
    except (*AWS_ERRORS, SimError) as error:
        return PartStatus(name, "unknown", str(error))
    running, desired = described["runningCount"], described["desiredCount"]
    detail = f"{running} of {desired} run, {len(described['deployments'])} deployment(s)"
    return PartStatus(name, "ok" if running >= desired else "too few", detail)


def _queues(stack: Stack) -> tuple[PartStatus, ...]:
    try:
        depth, dead = stack.data_plane.depth(), stack.data_plane.dead_letter_depth()
        stored = len(stack.data_plane.object_keys())
    except AWS_ERRORS as error:
        return (PartStatus("queue", "unknown", str(error)),)
    return (
        PartStatus("queue", "ok", f"{depth.visible} waiting, {depth.in_flight} in flight"),
        PartStatus("dead letters", "ok" if dead.empty else "not empty", str(dead.visible + dead.in_flight)),
        PartStatus("objects", "ok", str(stored)),
    )
