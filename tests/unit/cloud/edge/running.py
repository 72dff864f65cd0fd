"""An edge in a thread of its own, desired states for it, and instances that answer as a test asks."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import uvloop

from sim.cloud.edge.access_log import Seen
from sim.cloud.edge.certificate import context
from sim.cloud.edge.classic import ClassicBalancer
from sim.cloud.edge.server import Edge
from sim.cloud.edge.sockets import Sockets
from sim.cluster.aws_clock import THIS_MACHINES, AwsClock
from sim.cluster.balancer.checks import HealthCheck
from sim.cluster.balancer.classic import Settings
from sim.cluster.balancer.nodes import Delays, Policy
from sim.cluster.desired import (
    CheckTarget,
    Desired,
    DesiredApplicationBalancer,
    DesiredBalancer,
    DesiredInstance,
    DesiredListener,
    DesiredTarget,
    HostPort,
    ListenerProtocol,
    Place,
)
from sim.cluster.target_health import TargetHealth
from sim.host.waiting import until

SECONDS = 5.0
"""Longer than anything here takes; a socket that is silent for so long fails its test."""
PLACE = Place("000000000000", "eu-central-1")
NAME = "web"
CHECK = HealthCheck(interval=0.05, timeout=0.5, healthy=2, unhealthy=2)
HTTP_PORT, INSTANCE_PORT = 80, 8080
HTTP = DesiredListener("HTTP", HTTP_PORT, "HTTP", INSTANCE_PORT)
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def policy(**more: Any) -> Policy:
    """One zone, no delays."""
    return replace(Policy(("a",), CHECK, drain=SECONDS, cross_zone=True, delays=Delays()), **more)


def settings(**more: Any) -> Settings:
    """Strictest, as production's."""
    return replace(Settings(policy(), idle_timeout=SECONDS, desync="strictest"), **more)


def balancer(*members: str, **more: Any) -> DesiredBalancer:
    """A load balancer with these instances registered; checks are of TCP, so that tests see only what they send."""
    check = CheckTarget("TCP", INSTANCE_PORT)
    registered = tuple(DesiredTarget(each, 1) for each in members)
    return replace(
        DesiredBalancer(NAME, PLACE, "web.elb.amazonaws.com", settings(), check, (HTTP,), registered), **more
    )


def listener(protocol: ListenerProtocol, to: ListenerProtocol, port: int = HTTP_PORT) -> DesiredListener:
    """A listener that carries one protocol to another."""
    return DesiredListener(protocol, port, to, INSTANCE_PORT)


def instance(id_: str, zone: str = "a", *, lost: bool = False) -> DesiredInstance:
    """A running one."""
    return DesiredInstance(id_, PLACE, zone, "10.0.0.1", "t3.small", "ami", "", lost=lost)


class Instance:
    """A port that listens, as a task on an instance would. `handle` has each connection, in a thread of its own."""

    def __init__(self, id_: str, handle: Callable[[socket.socket], None]) -> None:
        self.id = id_
        self.connections: list[socket.socket] = []
        self._handle = handle
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = int(self._listener.getsockname()[1])
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def entry(self) -> HostPort:
        """Of the port table."""
        return HostPort(self.id, "tcp", INSTANCE_PORT, f"127.0.0.1:{self.port}")

    def stop(self) -> None:
        """Refuses connections from now on, and ends those that there are."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self.connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._thread.join(SECONDS)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.settimeout(SECONDS)
            self.connections.append(connection)
            threading.Thread(target=self._one, args=(connection,), daemon=True).start()

    def _one(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            self._handle(connection)


def answering(answer: bytes = OK, seen: list[bytes] | None = None) -> Callable[[socket.socket], None]:
    """Answers every request whose head has come, and keeps the heads."""

    def handle(connection: socket.socket) -> None:
        received = b""
        while data := connection.recv(65_536):
            received += data
            while b"\r\n\r\n" in received:
                head, _, received = received.partition(b"\r\n\r\n")
                if seen is not None:
                    seen.append(head)
                connection.sendall(answer)

    return handle


class Running:
    """The edge, and what it has reported."""

    def __init__(self, directory: Path) -> None:
        self.reports: list[tuple[str, TargetHealth | None]] = []
        self.seen: list[Seen] = []
        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self.edge = Edge(
            Sockets("127.0.0.1", directory / "ports.json"),
            lambda: context(directory),
            Random(7),
            lambda _, target, health: self.reports.append((target, health)),
            lambda _, seen: self.seen.append(seen),
            lambda _, target, health: self.reports.append((getattr(target, "id", str(target)), health)),
        )
        self._revision = 0

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Does something in the edge's thread."""
        asyncio.run_coroutine_threadsafe(work, self._loop).result(SECONDS)

    def update(
        self,
        *balancers: DesiredBalancer,
        instances: tuple[DesiredInstance, ...] = (),
        ports: tuple[HostPort, ...] = (),
        clock: AwsClock = THIS_MACHINES,
        applications: tuple[DesiredApplicationBalancer, ...] = (),
    ) -> None:
        """Hands it a state."""
        self._revision += 1
        self.run(self.edge.update(Desired(self._revision, instances, (), balancers, ports, clock, applications)))

    def serve(self, *backs: Instance, clock: AwsClock = THIS_MACHINES, **more: Any) -> None:
        """A load balancer with these instances, once all are in service."""
        ids = tuple(each.id for each in backs)
        self.update(
            balancer(*ids, **more),
            instances=tuple(instance(each) for each in ids),
            ports=tuple(each.entry for each in backs),
            clock=clock,
        )
        for each in ids:
            self.wait_for(each, "InService")

    def wait_for(self, target: str, state: str | None) -> None:
        """Waits until the edge reports this state of a target, or, with None, that it has drained."""

        def last() -> object:
            found = [health for name, health in self.reports if name == target]
            return (found[-1] and found[-1].state) if found else "nothing"

        until(lambda: last() == state, f"{target} to be {state}", seconds=SECONDS, seen=last)

    @property
    def balancer(self) -> ClassicBalancer:
        """The only one."""
        return self.edge.balancers[PLACE, NAME]

    def connect(self, port: int = HTTP_PORT) -> socket.socket:
        """A client's connection."""
        [only] = self.edge.all()
        return socket.create_connection(only.listeners.open[port].addresses[0], timeout=SECONDS)

    def ask(self, request: bytes, port: int = HTTP_PORT) -> bytes:
        """What comes back until the connection ends or an answer with a length is whole."""
        with self.connect(port) as client:
            client.sendall(request)
            return answer(client)

    def stop(self) -> None:
        """Ends it."""

        async def close() -> None:
            self.edge.close()

        self.run(close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(SECONDS)
        self._loop.close()


def answer(client: socket.socket) -> bytes:
    """One answer: its head, and a body of Content-Length bytes, or in chunks, or up to the end of the connection."""
    received = b""
    while b"\r\n\r\n" not in received:
        data = client.recv(65_536)
        if not data:
            return received
        received += data
    head, _, body = received.partition(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    length = next((int(each.partition(b":")[2]) for each in lines if each.startswith(b"content-length:")), None)
    chunked = any(each.startswith(b"transfer-encoding:") for each in lines)
    while (
        (length is not None and len(body) < length)
        or (chunked and not body.endswith(b"\r\n\r\n"))
        or (length is None and not chunked)
    ):
        data = client.recv(65_536)
        if not data:
            break
        body += data
    return head + b"\r\n\r\n" + body


@contextmanager
def instances(*handles: Callable[[socket.socket], None]) -> Iterator[list[Instance]]:
    """Instances i-1, i-2, ... that do this with their connections."""
    made = [Instance(f"i-{number}", handle) for number, handle in enumerate(handles, 1)]
    try:
        yield made
    finally:
        for each in made:
            each.stop()
