"""The status of a running stack."""

from __future__ import annotations

from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError

from services.worker.health import fresh
from sim.cloud.localstack import settings
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
    states = {
        "localstack": (settings.is_ready(stack.endpoint), stack.endpoint),
        "gateway": (stack.part_runs("gateway"), f"process {stack.parts['gateway'].pid}"),
        "api": (api_ready(stack.url), stack.url),
        "worker": (fresh(stack.heartbeat, PROCESSES, HEARTBEAT_SECONDS), f"process {stack.parts['worker'].pid}"),
    }
    parts = [
        PartStatus(name, "ok" if ok else "not ready" if stack.part_runs(name) else "ended", detail)
        for name, (ok, detail) in states.items()
    ]
    return Status((*parts, *_queues(stack)))


def _queues(stack: Stack) -> tuple[PartStatus, ...]:
    try:
        depth, dead = stack.data_plane.depth(), stack.data_plane.dead_letter_depth()
        stored = len(stack.data_plane.object_keys())
    except (BotoCoreError, ClientError) as error:
        return (PartStatus("queue", "unknown", str(error)),)
    return (
        PartStatus("queue", "ok", f"{depth.visible} waiting, {depth.in_flight} in flight"),
        PartStatus("dead letters", "ok" if dead.empty else "not empty", str(dead.visible + dead.in_flight)),
        PartStatus("objects", "ok", str(stored)),
    )
