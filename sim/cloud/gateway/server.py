"""The gateway's ports: one for each service and AWS service that it calls, and one by which it is steered."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping

from sim.cloud.gateway.call import identify
from sim.cloud.gateway.forwarding import FAULTS, End, passing
from sim.cloud.gateway.http import ClientConnection, Lost, Request, Response, ServerConnection, end_to_end
from sim.cloud.gateway.trail import Passage
from sim.errors import SimError
from sim.faults.decide import Decisions
from sim.faults.plan import SCHEDULED, Plan, parse

Address = tuple[str, int]


class Gateway:
    """Passes calls on to `upstream`; `record` is told of each that ended."""

    def __init__(self, upstream: Address, record: Callable[[Passage], None]) -> None:
        self._upstream = upstream
        self._record = record
        self._decisions = Decisions(Plan())
        self._began = 0.0
        self._tasks: set[asyncio.Task[None]] = set()

    def act(self, plan: Plan) -> None:
        """Begins with the faults of a plan; those of an earlier one are over. Scheduled ones are for others to do.

        Raises BadPlan.
        """
        self._decisions = Decisions(plan.only(FAULTS | SCHEDULED, "the gateway"))
        self._began = time.monotonic()

    def handle(self, caller: str, connection: Caller, request: Request) -> None:
        """Takes one request."""
        task = asyncio.get_running_loop().create_task(self._pass(caller, connection, request))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _pass(self, caller: str, connection: Caller, request: Request) -> None:
        started, at = time.time(), time.monotonic()
        call = identify(request)
        hits = self._decisions.hits(caller, call.service, call.operation, at - self._began)
        end = await passing(call, request, hits, lambda each: connection.ask(each, self._upstream))
        outcome = self._finish(connection, end)
        milliseconds = round((time.monotonic() - at) * 1000, 3)
        self._record(Passage(caller, call.service, call.operation, outcome, end.faults, started, milliseconds))

    def _finish(self, connection: Caller, end: End) -> str:
        """Answers; how it ended for the caller."""
        if connection.closed:
            return "gone"
        if end.answer is None:
            connection.abort()
        else:
            connection.send(Response(end.answer.status, end_to_end(end.answer.headers), end.answer.body))
        return end.outcome


class Caller(ServerConnection):
    """A service's connection, with its own to LocalStack, from its first call that is passed on."""

    def __init__(self, handle: Callable[[Caller, Request], None], port: Port) -> None:
        super().__init__(lambda _, request: handle(self, request))
        self._port = port
        self._upstream: ClientConnection | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._port.connections.add(self)
        if not self._port.is_open:  # cut between the accept and now
            self.abort()

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)
        self._port.connections.discard(self)
        if self._upstream is not None:
            self._upstream.close()

    async def ask(self, request: Request, upstream: Address) -> Response:
        """Passes a request on. Raises Lost."""
        if self._upstream is None or self._upstream.closed:
            self._upstream = await _connect(upstream)
        if self.closed:
            self._upstream.close()
            raise Lost("the caller has gone")
        return await self._upstream.ask(
            Request(request.method, request.target, end_to_end(request.headers), request.body)
        )


class Port:
    """One listening port of a gateway, for one caller."""

    def __init__(self, gateway: Gateway, caller: str, address: Address) -> None:
        self._gateway = gateway
        self._caller = caller
        self._address = address
        self._server: asyncio.Server | None = None
        self.connections: set[Caller] = set()

    @property
    def is_open(self) -> bool:
        return self._server is not None

    async def open(self) -> None:
        """Opens it, unless it is."""
        if self._server is None:
            loop = asyncio.get_running_loop()
            self._server = await loop.create_server(self._made, *self._address, backlog=1024, start_serving=False)
            await self._server.start_serving()

    async def cut(self) -> None:
        """Closes it, and resets its connections."""
        if self._server is None:
            return
        server, self._server = self._server, None
        server.close()
        for connection in list(self.connections):
            connection.abort()
        await server.wait_closed()

    def _made(self) -> Caller:
        return Caller(lambda connection, request: self._gateway.handle(self._caller, connection, request), self)


class Control:
    """What steers a gateway: `POST /plan`, `/cut/NAME`, `/mend/NAME`; `GET /ready`."""

    def __init__(self, gateway: Gateway, ports: Mapping[str, Port]) -> None:
        self._gateway = gateway
        self._ports = ports
        self._tasks: set[asyncio.Task[None]] = set()

    def handle(self, connection: ServerConnection, request: Request) -> None:
        """Takes one request."""
        task = asyncio.get_running_loop().create_task(self._answer(connection, request))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, connection: ServerConnection, request: Request) -> None:
        try:
            await self._do(request.target.decode("latin-1").removeprefix("/"), request.body)
        except SimError as error:
            connection.send(Response(400, [], json.dumps({"error": str(error)}).encode()))
        else:
            connection.send(Response(200, [], b"{}"))

    async def _do(self, path: str, body: bytes) -> None:
        match path.split("/", 1):
            case ["ready"]:
                return
            case ["plan"]:
                self._gateway.act(parse(body))
            case ["cut", name] if name in self._ports:
                await self._ports[name].cut()
            case ["mend", name] if name in self._ports:
                await self._ports[name].open()
            case _:
                raise SimError(f"the gateway has no {path!r}; its ports are {', '.join(self._ports)}")


async def _connect(address: Address) -> ClientConnection:
    """Raises Lost."""
    try:
        _, protocol = await asyncio.get_running_loop().create_connection(ClientConnection, *address)
    except OSError as error:
        raise Lost(str(error)) from None
    return protocol
