"""The gateway's ports: one for each service and AWS service that it calls, and one that controls it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import replace

from sim.aws import sqs_batches
from sim.aws.api_call import ApiCall, identify
from sim.aws.errors import HttpAnswer, error_answer, error_of, json_type
from sim.aws.routes import NO_ROUTE
from sim.cloud.gateway.forwarding import FAULTS, CallFaults, applicable
from sim.cloud.gateway.trail import TrailEntry
from sim.cloud.http import ClientConnection, Request, Response, ServerConnection, UpstreamLost
from sim.errors import SimError
from sim.faults.decide import Decisions, Hit, failing
from sim.faults.plan import SCHEDULED, Fault, FaultPlan, dump, parse

Address = tuple[str, int]

_OK = 200
_NO_ROUTE = NO_ROUTE.encode()


class Gateway:
    """What all ports share: where LocalStack is, the plan whose faults hit calls, and `record` for calls that ended."""

    def __init__(self, upstream: Address, record: Callable[[TrailEntry], None]) -> None:
        self.upstream = upstream
        self.record = record
        self._decisions = Decisions(FaultPlan())
        self._began = 0.0

    def inject(self, plan: FaultPlan) -> None:
        """Begins with the faults of a plan; those of an earlier one are over. Scheduled ones are for others to do.

        Raises BadPlan.
        """
        self._decisions = Decisions(plan.only(FAULTS | SCHEDULED, "the gateway"))
        self._began = time.monotonic()

    @property
    def plan(self) -> FaultPlan:
        """The plan whose faults hit calls."""
        return self._decisions.plan

    def faults(self, caller: str, call: ApiCall) -> CallFaults:
        """The faults of the next such call."""
        at = time.monotonic() - self._began
        return applicable(self._decisions.hits(caller, call.service, call.operation, at), call)


class ServiceConnection(ServerConnection):
    """A service's connection, with its own to LocalStack, from its first call that is forwarded."""

    def __init__(self, port: Port) -> None:
        super().__init__()
        self._port = port
        self._upstream: ClientConnection | None = None
        self._task: asyncio.Task[None] | None = None
        self._ended = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._port.connections.add(self)
        if not self._port.is_open:  # cut between the accept and now
            self.abort()

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)
        self._port.connections.discard(self)
        self._ended.set()
        if self._upstream is not None:
            self._upstream.close()

    def handle(self, request: Request) -> None:
        self._task = asyncio.get_running_loop().create_task(self._call(request))

    async def _call(self, request: Request) -> None:
        """A call's whole way, from its request to its answer and its line in the trail."""
        gateway, caller = self._port.gateway, self._port.caller
        started, began = time.time(), time.monotonic()
        method, target = request.method.decode("latin-1"), request.target.decode("latin-1")
        call = identify(method, target, request.fields(), request.body)
        faults = gateway.faults(caller, call)
        await asyncio.sleep(faults.latency() + faults.transfer_seconds(request.body))
        answer: Response | None
        match faults.stop:
            case Fault.RESET_PEER:
                answer = None
            case Fault.EMPTY_RECEIVE:
                answer = _response(HttpAnswer(_OK, {"content-type": json_type(call.service)}, b"{}"))
            case Fault() as fault:
                answer = _response(error_answer(call, error_of(call.service, fault)))
            case None:
                answer = await self._forward(request, faults.hits.get(Fault.PARTIAL_BATCH_FAILURE))
        outcome = "reset" if answer is None else str(answer.status)
        if answer is not None and _has_no_route(answer):
            # Its packets are lost on the way, so the caller waits until it has enough of it.
            await self._ended.wait()
        if answer is not None and Fault.ANSWER_LOST in faults.hits:
            answer, outcome = None, "lost"
        if answer is not None:
            await asyncio.sleep(faults.transfer_seconds(answer.body))
        if self.closed:
            outcome = "gone"
        elif answer is None:
            self.abort()
        else:
            self.send(answer)
        milliseconds = round((time.monotonic() - began) * 1000, 3)
        gateway.record(TrailEntry(caller, call.service, call.operation, outcome, faults.names, started, milliseconds))

    async def _forward(self, request: Request, partial: Hit | None) -> Response | None:
        """LocalStack's answer to a request, or to what of a batch does not fail; None if the connection was lost."""
        ids = sqs_batches.entry_ids(request.body) if partial else []
        if partial is None or not ids:
            return await self._ask(request)
        failed = failing(partial, ids)
        if len(failed) < len(ids):
            answer = await self._ask(replace(request, body=sqs_batches.without_entries(request.body, failed)))
            if answer is None or answer.status != _OK:
                return answer
            return replace(answer, body=sqs_batches.with_failed(answer.body, failed))
        body = sqs_batches.with_failed(b'{"Successful": []}', failed)
        return Response(_OK, [(b"Content-Type", json_type("sqs").encode())], body)

    async def _ask(self, request: Request) -> Response | None:
        try:
            if self._upstream is None or self._upstream.closed:
                loop, address = asyncio.get_running_loop(), self._port.gateway.upstream
                _, self._upstream = await loop.create_connection(ClientConnection, *address)
            if self.closed:  # while it connected
                self._upstream.close()
                return None
            return await self._upstream.ask(request)
        except (OSError, UpstreamLost):
            return None


class Port:
    """One listening port of a gateway, for one caller."""

    def __init__(self, gateway: Gateway, caller: str, address: Address) -> None:
        self.gateway = gateway
        self.caller = caller
        self.connections: set[ServiceConnection] = set()
        self._address = address
        self._server: asyncio.Server | None = None

    @property
    def is_open(self) -> bool:
        return self._server is not None

    async def open(self) -> None:
        """Opens it, unless it is open."""
        if self._server is None:
            loop = asyncio.get_running_loop()
            self._server = await loop.create_server(
                lambda: ServiceConnection(self), *self._address, backlog=1024, start_serving=False
            )
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


class ControlConnection(ServerConnection):
    """The port that controls a gateway: `POST /plan`, `/cut/NAME`, `/mend/NAME`; `GET /ready`, `/state`."""

    def __init__(self, gateway: Gateway, ports: Mapping[str, Port]) -> None:
        super().__init__()
        self._gateway = gateway
        self._ports = ports
        self._task: asyncio.Task[None] | None = None

    def handle(self, request: Request) -> None:
        self._task = asyncio.get_running_loop().create_task(self._command(request))

    async def _command(self, request: Request) -> None:
        try:
            answer = await self._do(request.target.decode("latin-1").removeprefix("/"), request.body)
        except SimError as error:
            self.send(Response(400, [], json.dumps({"error": str(error)}).encode()))
        else:
            self.send(Response(_OK, [], json.dumps(answer).encode()))

    async def _do(self, path: str, body: bytes) -> dict[str, object]:
        match path.split("/", 1):
            case ["ready"]:
                pass
            case ["state"]:
                cut = [name for name, port in self._ports.items() if not port.is_open]
                return {"plan": dump(self._gateway.plan), "cut": cut}
            case ["plan"]:
                self._gateway.inject(parse(body))
            case ["cut", name] if name in self._ports:
                await self._ports[name].cut()
            case ["mend", name] if name in self._ports:
                await self._ports[name].open()
            case _:
                raise SimError(f"the gateway has no {path!r}; its ports are {', '.join(self._ports)}")
        return {}


def _has_no_route(answer: Response) -> bool:
    return any(name.lower() == _NO_ROUTE for name, _ in answer.headers)


def _response(answer: HttpAnswer) -> Response:
    headers = [(name.encode(), value.encode()) for name, value in answer.headers.items()]
    return Response(answer.status, headers, answer.body)
