"""The load balancer, in front of instances that come and go."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from sim.cloud.load_balancer import Address, LoadBalancer
from sim.host.process import free_port

SIZE = 300_000


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Says its own port, and then whatever it is told."""
    port = writer.get_extra_info("sockname")[1]
    writer.write(f"{port}\n".encode() + await reader.read())
    await writer.drain()
    writer.close()


@asynccontextmanager
async def instance() -> AsyncIterator[Address]:
    async with await asyncio.start_server(_echo, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()


@asynccontextmanager
async def balanced(addresses: list[Address]) -> AsyncIterator[Address]:
    async def found() -> list[Address]:
        return addresses

    async with await asyncio.start_server(LoadBalancer(found).serve, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()


async def ask(address: Address, said: bytes = b"") -> tuple[int, bytes]:
    """The port that answered, and what it said after that."""
    reader, writer = await asyncio.open_connection(*address)
    writer.write(said)
    writer.write_eof()
    port, _, rest = (await reader.read()).partition(b"\n")
    writer.close()
    return int(port), rest


async def asked(balancer: Address, times: int) -> Counter[int]:
    """How often each instance answered."""
    return Counter([(await ask(balancer))[0] for _ in range(times)])


def test_every_instance_has_its_turn() -> None:
    async def scenario() -> None:
        async with instance() as one, instance() as other, balanced([one, other]) as balancer:
            assert await asked(balancer, 6) == {one[1]: 3, other[1]: 3}

    asyncio.run(scenario())


def test_an_instance_that_is_gone_is_passed_over() -> None:
    async def scenario() -> None:
        gone = ("127.0.0.1", free_port())
        async with instance() as one, balanced([gone, one]) as balancer:
            assert await asked(balancer, 3) == {one[1]: 3}

    asyncio.run(scenario())


def test_an_instance_that_comes_takes_part() -> None:
    async def scenario() -> None:
        addresses: list[Address] = []
        async with instance() as one, instance() as other, balanced(addresses) as balancer:
            addresses.append(one)
            assert await asked(balancer, 2) == {one[1]: 2}
            addresses.append(other)
            assert await asked(balancer, 2) == {one[1]: 1, other[1]: 1}

    asyncio.run(scenario())


@pytest.mark.parametrize("gone", [0, 1])
def test_without_an_instance_the_connection_ends_without_an_answer(gone: int) -> None:
    async def scenario() -> None:
        async with balanced([("127.0.0.1", free_port())] * gone) as balancer:
            reader, writer = await asyncio.open_connection(*balancer)
            assert await reader.read() == b""
            writer.close()

    asyncio.run(scenario())


def test_all_bytes_go_both_ways() -> None:
    async def scenario() -> None:
        async with instance() as one, balanced([one]) as balancer:
            assert await ask(balancer, b"x" * SIZE) == (one[1], b"x" * SIZE)

    asyncio.run(scenario())
