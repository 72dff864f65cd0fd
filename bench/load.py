"""The load generator: a number of clients, each of which sends its next request when the last one is answered.

This is a closed loop over keep-alive connections. The request is built once. For each answer the generator does little
more than read a clock, since it shares the machine with the services that it measures.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import cast

import httptools
import uvloop

from bench.children import BenchError
from bench.figures import percentile

_OK = 200
_PATIENCE_SECONDS = 15.0
_NEWCOMERS = 32
"""How many clients may connect at once: fewer than any server's listen backlog."""


@dataclass(frozen=True)
class Target:
    """The port that receives the load, and the bytes of one request."""

    port: int
    request: bytes


@dataclass(frozen=True)
class Load:
    """What the clients measured after the warm-up. `errors` counts all requests that were not answered with 200."""

    per_second: float
    p50_ms: float
    p99_ms: float
    errors: int
    cores: float
    """CPU seconds per second that the generator itself used."""


def post(port: int, path: str, body: bytes, headers: str = "") -> Target:
    """A POST of JSON to a server on loopback. Each of `headers` ends with CRLF."""
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n{headers}"
    return Target(port, f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)


def run(target: Target, clients: int, *, warm_up: float, seconds: float) -> Load:
    """Applies the load for `warm_up` and then for `seconds`. Both start after every client has had one answer.

    Raises BenchError if a client gets no answer, or cannot connect again.
    """
    try:
        return uvloop.run(_run(target, clients, warm_up, seconds))
    except OSError as error:
        raise BenchError(f"cannot serve all {clients} clients on port {target.port}: {error!r}") from None


@dataclass
class _Tally:
    running: bool = True
    counting: bool = False
    latencies: list[float] = field(default_factory=list)
    errors: int = 0


class _Client(asyncio.Protocol):
    """One connection. `answered` is set after its first answer, `closed` after its end."""

    def __init__(self, request: bytes, tally: _Tally) -> None:
        self._request = request
        self._tally = tally
        self._parser = httptools.HttpResponseParser(self)
        self._waiting = False
        self.answered = asyncio.Event()
        self.closed = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def send(self, since: float) -> None:
        """Sends the request. Its latency is counted from `since`."""
        self._waiting = True
        self._since = since
        self.transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        self._waiting = False
        self.answered.set()
        now = time.perf_counter()
        if self._parser.get_status_code() != _OK:
            self._tally.errors += 1
        elif self._tally.counting:
            self._tally.latencies.append(now - self._since)
        if self._tally.running and self._parser.should_keep_alive():
            self.send(now)
        else:
            self.transport.close()

    def connection_lost(self, _: Exception | None) -> None:
        self._tally.errors += self._waiting
        self.answered.set()
        self.closed.set()


async def _connect(target: Target, tally: _Tally) -> _Client:
    """Connects a client and sends its first request. That request's latency includes the connecting."""
    loop = asyncio.get_running_loop()
    since = time.perf_counter()
    _, client = await loop.create_connection(lambda: _Client(target.request, tally), "127.0.0.1", target.port)
    client.send(since)
    return client


async def _arrive(target: Target, tally: _Tally, newcomers: asyncio.Semaphore) -> _Client:
    """Connects a client and waits for its first answer."""
    async with newcomers:
        client = await _connect(target, tally)
        await client.answered.wait()
        return client


async def _stay(client: _Client, target: Target, tally: _Tally) -> None:
    """Keeps one client running. It connects again whenever the server has closed its connection."""
    try:
        await client.closed.wait()
        while tally.running:
            client = await _connect(target, tally)
            await client.closed.wait()
    finally:
        client.transport.abort()


async def _run(target: Target, clients: int, warm_up: float, seconds: float) -> Load:
    tally = _Tally()
    newcomers = asyncio.Semaphore(_NEWCOMERS)
    async with asyncio.timeout(_PATIENCE_SECONDS):
        arrived = await asyncio.gather(*(_arrive(target, tally, newcomers) for _ in range(clients)))
    staying = [asyncio.create_task(_stay(each, target, tally)) for each in arrived]
    await asyncio.sleep(warm_up)
    tally.counting = True
    started, used = time.perf_counter(), time.process_time()
    await asyncio.sleep(seconds)
    tally.counting = tally.running = False
    elapsed, used = time.perf_counter() - started, time.process_time() - used
    done, pending = await asyncio.wait(staying, timeout=_PATIENCE_SECONDS)
    for task in pending:
        task.cancel()
    for task in done:
        task.result()
    latencies = sorted(tally.latencies)
    return Load(
        per_second=len(latencies) / elapsed,
        p50_ms=percentile(latencies, 50) * 1000,
        p99_ms=percentile(latencies, 99) * 1000,
        errors=tally.errors + len(pending),
        cores=used / elapsed,
    )
