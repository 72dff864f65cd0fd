"""`python -m sim.cloud.gateway`: the gateway, until SIGTERM. Its standard output is the trail.

With `--registry` it opens the registry's front as well. The environment then has its address and the secret of its
tokens (`sim.aws.ecr_authorization`).
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import time

import uvloop

from sim.aws.ecr_authorization import RegistryAccess
from sim.cloud.gateway.server import Address, ControlConnection, Gateway, Port
from sim.cloud.gateway.trail import TrailEntry
from sim.cloud.registry.front import Ecr, Front, RegistryConnection
from sim.cloud.registry.storage import Child, Elsewhere, Keeper, Storage


def _record(entry: TrailEntry) -> None:
    sys.stdout.write(entry.line() + "\n")
    sys.stdout.flush()


def _address(text: str) -> Address:
    host, _, port = text.rpartition(":")
    return host, int(port)


async def _run(options: argparse.Namespace) -> None:
    gateway = Gateway(options.upstream, _record)
    ports: dict[str, Port] = {}
    for each in options.ports:
        name, _, number = each.partition("=")
        ports[name] = Port(gateway, name.partition("-")[0], (options.host, int(number)))
        await ports[name].open()
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stopped.set)
    await loop.create_server(lambda: ControlConnection(gateway, ports), options.host, options.control)
    access = RegistryAccess.of(os.environ)
    keeper: Keeper = Elsewhere()
    if options.registry is not None and access is not None:
        if options.storage_image:
            keeper = Child(options.storage_image, options.storage[1])
        storage = Storage(options.storage, options.storage_url, keeper)
        front = Front(access, Ecr(options.upstream), storage, time.time)
        await loop.create_server(lambda: RegistryConnection(front), options.host, options.registry)
    await stopped.wait()
    await keeper.end()


def main() -> None:
    """Runs the command line."""
    parser = argparse.ArgumentParser(prog="python -m sim.cloud.gateway", description="The way to LocalStack.")
    parser.add_argument("--host", required=True, help="the address to listen on")
    parser.add_argument("--upstream", required=True, type=_address, metavar="HOST:PORT", help="where LocalStack is")
    parser.add_argument("--control", required=True, type=int, metavar="PORT", help="by which it is controlled")
    parser.add_argument("--registry", type=int, metavar="PORT", help="for Docker")
    parser.add_argument("--storage", type=_address, metavar="HOST:PORT", help="where the registry's storage is")
    parser.add_argument("--storage-url", metavar="URL", help="where Docker reaches the storage")
    parser.add_argument("--storage-image", metavar="IMAGE", help="run the storage from this image when it is needed")
    parser.add_argument(
        "ports", nargs="*", metavar="CALLER-SERVICE=PORT", help="for a service's calls of an AWS service"
    )
    uvloop.run(_run(parser.parse_args()))


if __name__ == "__main__":
    main()
