"""One node of a load balancer: what it may route to, what each target has in hand, and the connections it keeps."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable
from typing import Protocol

from sim.cloud.edge.addresses import Addresses
from sim.cloud.edge.metrics import Minutes
from sim.cloud.edge.target import TargetConnection
from sim.cluster.balancer.routing import CONNECT_SECONDS, SURGE_SECONDS
from sim.cluster.target_health import instance_of


class Waiting(Protocol):
    """In the surge queue."""

    def ask_again(self) -> None:
        """Some target may take it now."""


class Cuttable(Protocol):
    """A connection that carries something to a target."""

    def cut(self) -> None:
        """Closes it at once, with what is in flight."""

    def silence(self) -> None:
        """Lets nothing through any more, and keeps it open."""


class Node:
    """Routes for one load balancer in one zone. `drained` is called when a target that drains has nothing in hand.

    A connection to a target may take `connect_seconds`.
    """

    def __init__(
        self,
        zone: str,
        addresses: Addresses,
        metrics: Minutes,
        drained: Callable[[str], None],
        connect_seconds: float = CONNECT_SECONDS,
    ) -> None:
        self.zone = zone
        self.metrics = metrics
        self.targets: tuple[str, ...] = ()
        self.outstanding: defaultdict[str, int] = defaultdict(int)
        self.turn = 0
        self.waiting: dict[Waiting, None] = {}
        """The surge queue, in the order of arrival."""
        self.connections: defaultdict[str, set[Cuttable]] = defaultdict(set)
        """All that are open, by their target."""
        self._addresses = addresses
        self._drained = drained
        self._connect_seconds = connect_seconds
        self._draining: set[str] = set()
        self._kept: defaultdict[tuple[str, int, bool], list[TargetConnection]] = defaultdict(list)
        self._retry: asyncio.TimerHandle | None = None

    def route_to(self, targets: tuple[str, ...]) -> None:
        """From now on these targets are in service. What is in hand of others goes on."""
        if targets != self.targets:
            self.targets = targets
            self._close_kept(lambda target: target not in targets)
            self._ask_again()

    def take(self, target: str) -> None:
        """One request or connection more is for this target."""
        self.turn += 1
        self.outstanding[target] += 1

    def release(self, target: str) -> None:
        """The target has one less in hand."""
        self.outstanding[target] -= 1
        if not self.outstanding[target]:
            del self.outstanding[target]
            if target in self._draining:
                self._draining.discard(target)
                self._drained(target)

    def drain(self, target: str) -> None:
        """Nothing new for a target; `drained` is called as soon as it has nothing in hand."""
        if self.outstanding.get(target, 0):
            self._draining.add(target)
        else:
            self._drained(target)

    def cut(self, target: str) -> None:
        """Closes all connections to a target."""
        self._draining.discard(target)
        for connection in list(self.connections[target]):
            connection.cut()

    def silence(self, instance: str) -> None:
        """The machine of targets is gone: nothing comes from it, and nothing arrives there."""
        for target, connections in self.connections.items():
            if instance_of(target) == instance:
                for connection in list(connections):
                    connection.silence()

    def close(self) -> None:
        """Ends everything."""
        if self._retry is not None:
            self._retry.cancel()
        for target in list(self.connections):
            self.cut(target)

    def kept(self, target: str, port: int, *, tls: bool) -> TargetConnection | None:
        """A connection to a port of a target that is open and has nothing to do, if there is one."""
        kept = self._kept.get((target, port, tls))
        return kept.pop() if kept else None

    def keep(self, connection: TargetConnection, *, tls: bool) -> None:
        """A connection has nothing to do. It stays open as long as its target is in service."""
        if connection.target in self.targets:
            self._kept[connection.target, connection.port, tls].append(connection)
        else:
            connection.close()

    def forget(self, connection: TargetConnection, *, tls: bool) -> None:
        """A connection was lost."""
        self.connections[connection.target].discard(connection)
        kept = self._kept.get((connection.target, connection.port, tls))
        if kept and connection in kept:
            kept.remove(connection)

    async def connect(self, target: str, port: int, make: Callable[[], asyncio.Protocol], *, tls: bool) -> None:
        """Opens a connection to a port of a target. Raises OSError, also if that takes too long."""
        try:
            async with asyncio.timeout(self._connect_seconds):
                await self._addresses.connect(instance_of(target), port, make, tls=tls)
        except OSError:
            self.metrics.connection_failed(self.zone)
            raise

    def wait(self, request: Waiting) -> None:
        """Puts a request into the surge queue."""
        self.waiting[request] = None
        self.metrics.sample(self.zone, "SurgeQueueLength", len(self.waiting))
        if self._retry is None:
            self._retry = asyncio.get_running_loop().call_later(SURGE_SECONDS, self._ask_again)

    def _ask_again(self) -> None:
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None
        waiting, self.waiting = self.waiting, {}
        for each in waiting:
            each.ask_again()

    def _close_kept(self, ends: Callable[[str], bool]) -> None:
        for (target, _, _), kept in self._kept.items():
            if ends(target):
                for connection in list(kept):
                    connection.close()
                kept.clear()
