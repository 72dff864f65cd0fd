"""A listener of a load balancer: its sockets, and the connections that clients made to them."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import Protocol

from sim.cloud.edge.access_log import Seen
from sim.cloud.edge.client import ClientConnection
from sim.cloud.edge.exchange import Exchange
from sim.cloud.edge.forwarding import Client
from sim.cloud.edge.messages import Request
from sim.cloud.edge.node import Node
from sim.cloud.edge.record import Record
from sim.cloud.edge.sockets import Sockets
from sim.cloud.edge.tunnel import ClientSide
from sim.cluster.balancer import answers as answers_of_classic
from sim.cluster.balancer.answers import OwnAnswer
from sim.cluster.balancer.classic import Settings
from sim.cluster.balancer.desync import RequestHead
from sim.cluster.balancer.stickiness import Stickiness
from sim.cluster.desired import DesiredListener

_HTTP = frozenset({"HTTP", "HTTPS"})
_TLS = frozenset({"HTTPS", "SSL"})


class Connection(Protocol):
    """That a client made."""

    def abort(self) -> None:
        """Ends it at once."""

    def close_when_idle(self) -> None:
        """Ends it as soon as nothing is in flight."""


class Answers(Protocol):
    """What a kind of load balancer answers by itself."""

    @property
    def BAD_REQUEST(self) -> OwnAnswer:  # noqa: N802 - modules of constants are of this shape
        """The answer to bytes that are no request."""

    @property
    def REQUEST_TIMEOUT(self) -> OwnAnswer:  # noqa: N802
        """The answer to a client that does not finish its request."""

    def refused(self, method: str) -> OwnAnswer | None:
        """The answer to a method that is not passed on."""

    def unanswered(self, *, idle: bool, readable: bool) -> OwnAnswer:
        """The answer in the place of a target that gives none."""


class Listener:
    """Takes connections. `next_node` is the node that DNS gives the next client, `ended` takes what is over."""

    def __init__(
        self,
        desired: DesiredListener,
        settings: Settings,
        next_node: Callable[[], Node],
        ended: Callable[[Record, str, Callable[[], Seen]], None],
    ) -> None:
        self.desired = desired
        self.settings = settings
        self.next_node = next_node
        self.connections: set[Connection] = set()
        self.addresses: tuple[tuple[str, int], ...] = ()
        """Where it listens."""
        self._ended = ended
        self._servers: list[asyncio.Server] = []

    @property
    def answers(self) -> Answers:
        """The answers that its kind of load balancer gives by itself."""
        return answers_of_classic

    @property
    def stickiness(self) -> Stickiness | None:
        """The stickiness policy, if the listener has one."""
        return self.settings.stickiness

    @property
    def instance_port(self) -> int:
        """Where an instance takes its connections."""
        return self.desired.instance_port

    @property
    def tls_to_instance(self) -> bool:
        """True if it speaks TLS to the instances."""
        return self.desired.instance_protocol in _TLS

    def exchange(
        self, client: ClientConnection, node: Node, request: Request, began: float, *, closes: bool
    ) -> Exchange:
        """What carries a request of a client."""
        return Exchange(client, node, request, began, closes=closes)

    async def open(self, sockets: Sockets, name: str, context: Callable[[], ssl.SSLContext]) -> None:
        """Begins to listen; `name` is that of the load balancer. Raises OSError."""
        make = self._http if self.desired.protocol in _HTTP else self._tcp
        tls = context() if self.desired.protocol in _TLS else None
        self._servers, self.addresses = await sockets.listen(name, self.desired.port, make, tls)

    def become(self, other: Listener) -> None:
        """Takes what is desired of another one that does not listen."""
        self.desired, self.settings = other.desired, other.settings

    def close(self) -> None:
        """Takes no more connections. What is in flight goes on."""
        for server in self._servers:
            server.close()
        for connection in list(self.connections):
            connection.close_when_idle()

    def abort(self) -> None:
        """Ends everything at once."""
        self.close()
        for connection in list(self.connections):
            connection.abort()

    def described(self, host: str) -> Client:
        """What an instance learns of a client."""
        protocol = self.desired.protocol.lower()
        return Client(host.encode(), protocol.encode(), b"%d" % self.desired.port)

    def record(self, record: Record, zone: str, head: RequestHead | None, client: ClientConnection) -> None:
        """A request is over; `head` is None if it could not be read."""
        self._ended(record, zone, lambda: Seen(record, client.address, self.desired, head, client.cipher))

    def record_connection(self, side: ClientSide) -> None:
        """A connection over TCP is over."""
        record = side.record
        self._ended(record, side.zone, lambda: Seen(record, side.address, self.desired, None, side.cipher))

    def _http(self) -> asyncio.Protocol:
        return ClientConnection(self)

    def _tcp(self) -> asyncio.Protocol:
        return ClientSide(self)
