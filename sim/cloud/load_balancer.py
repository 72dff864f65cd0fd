"""`python -m sim.cloud.load_balancer NAME PORT`: one address for however many instances the name stands for.

What a Classic ELB's TCP listener does: each connection goes to the next instance, and past one that refuses it.
https://docs.aws.amazon.com/elasticloadbalancing/latest/classic/elb-listener-config.html
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import functools
import itertools
import signal
import socket
from collections.abc import Awaitable, Callable, Collection

LISTEN_PORT = 8080
_DRAIN_SECONDS = 1
_BUFFER_BYTES = 65_536

Address = tuple[str, int]


class LoadBalancer:
    """In front of the instances that `instances` finds, which is asked for each connection."""

    def __init__(self, instances: Callable[[], Awaitable[Collection[Address]]]) -> None:
        self._instances = instances
        self._turn = itertools.count()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection to its end, which comes at once where no instance takes it."""
        try:
            upstream_reader, upstream_writer = await self._connect()
        except OSError:
            writer.transport.abort()
            return
        try:
            await asyncio.gather(_pump(reader, upstream_writer), _pump(upstream_reader, writer))
        finally:
            writer.transport.abort()
            upstream_writer.transport.abort()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        addresses = sorted(await self._instances())
        turn = next(self._turn)
        for step in range(len(addresses)):
            with contextlib.suppress(OSError):
                return await asyncio.open_connection(*addresses[(turn + step) % len(addresses)])
        raise ConnectionRefusedError(f"none of {len(addresses)} instances takes a connection")


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Bytes from one side to the other until either is gone; so is the other then."""
    writer.transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        while data := await reader.read(_BUFFER_BYTES):
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
    except OSError:
        writer.transport.abort()


async def resolve(name: str, port: int) -> Collection[Address]:
    """The addresses that the name has now. Raises OSError if it has none."""
    found = await asyncio.get_running_loop().getaddrinfo(name, port, family=socket.AF_INET, type=socket.SOCK_STREAM)
    return {(str(host), int(port)) for *_, (host, port, *_) in found}


async def _run(balancer: LoadBalancer) -> None:
    """Until SIGTERM; connections that are open then have `_DRAIN_SECONDS` to end."""
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    everywhere = "0.0.0.0"  # noqa: S104 - in its container, which decides who comes near
    server = await asyncio.start_server(balancer.serve, everywhere, LISTEN_PORT, backlog=1024)
    await stopped.wait()
    server.close()
    if connections := asyncio.all_tasks() - {asyncio.current_task()}:
        await asyncio.wait(connections, timeout=_DRAIN_SECONDS)


def main() -> None:
    """Runs the command line."""
    parser = argparse.ArgumentParser(prog="python -m sim.cloud.load_balancer", description="A TCP load balancer.")
    parser.add_argument("name", help="of the instances, as the resolver has it")
    parser.add_argument("port", type=int, help="of the instances")
    options = parser.parse_args()
    asyncio.run(_run(LoadBalancer(functools.partial(resolve, options.name, options.port))))


if __name__ == "__main__":
    main()
