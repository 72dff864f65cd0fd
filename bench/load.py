"""The load generator: a number of clients, each of which sends its next request when the last one is answered."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

import uvloop

from sim.cloud.http import ClientConnection, Request, UpstreamLost
from sim.errors import SimError

OK = 200


class NotServed(SimError):
    """A client could not connect, so the server does not serve as many clients as it should."""


@dataclass
class Load:
    """What the clients measured after the warm-up. `failed` counts the requests that were not answered with 200."""

    seconds: float
    latencies: list[float] = field(default_factory=list)
    """In seconds, of the requests that were answered with 200."""
    failed: int = 0

    @property
    def per_second(self) -> float:
        """How many requests were answered with 200."""
        return len(self.latencies) / self.seconds

    def percentile_ms(self, percent: int) -> float:
        """The nearest-rank percentile of the latencies, in milliseconds. There must be some."""
        rank = -(-len(self.latencies) * percent // 100)
        return sorted(self.latencies)[max(rank, 1) - 1] * 1000


def run(port: int, request: Request, clients: int, *, warm_up: float, seconds: float) -> Load:
    """Sends the request to a port of this machine, over kept connections, for `warm_up` and then for `seconds`.

    Raises NotServed.
    """
    try:
        return uvloop.run(_run(port, request, clients, warm_up, seconds))
    except OSError as error:
        raise NotServed(f"{clients} clients cannot connect to port {port}: {error}") from None


async def _run(port: int, request: Request, clients: int, warm_up: float, seconds: float) -> Load:
    load = Load(seconds)
    counting_from = time.perf_counter() + warm_up
    ends = counting_from + seconds
    await asyncio.gather(*(_client(port, request, load, counting_from, ends) for _ in range(clients)))
    return load


async def _client(port: int, request: Request, load: Load, counting_from: float, ends: float) -> None:
    connection: ClientConnection | None = None
    while (began := time.perf_counter()) < ends:
        if connection is None or connection.closed:
            _, connection = await asyncio.get_running_loop().create_connection(ClientConnection, "127.0.0.1", port)
        try:
            status = (await connection.ask(request)).status
        except UpstreamLost:
            status = 0
        now = time.perf_counter()
        if counting_from <= now < ends:
            load.failed += status != OK
            load.latencies += [now - began] if status == OK else []
    if connection is not None:
        connection.close()
