"""`python -m sim.cloud.gateway`: the gateway, until SIGTERM. Its standard output is the trail."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys

import uvloop

from sim.cloud.gateway.server import ControlConnection, Gateway, Port
from sim.cloud.gateway.trail import TrailEntry


def _record(entry: TrailEntry) -> None:
    sys.stdout.write(entry.line() + "\n")
    sys.stdout.flush()


async def _run(options: argparse.Namespace) -> None:
    host, _, port = options.upstream.rpartition(":")
    gateway = Gateway((host, int(port)), _record)
    ports: dict[str, Port] = {}
    for each in options.ports:
        name, _, number = each.partition("=")
        ports[name] = Port(gateway, name.partition("-")[0], (options.host, int(number)))
        await ports[name].open()
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stopped.set)
    await loop.create_server(lambda: ControlConnection(gateway, ports), options.host, options.control)
    await stopped.wait()


def main() -> None:
    """Runs the command line."""
    parser = argparse.ArgumentParser(prog="python -m sim.cloud.gateway", description="The way to LocalStack.")
    parser.add_argument("--host", required=True, help="the address to listen on")
    parser.add_argument("--upstream", required=True, metavar="HOST:PORT", help="where LocalStack is")
    parser.add_argument("--control", required=True, type=int, metavar="PORT", help="by which it is controlled")
    parser.add_argument(
        "ports", nargs="*", metavar="CALLER-SERVICE=PORT", help="for a service's calls of an AWS service"
    )
    uvloop.run(_run(parser.parse_args()))


if __name__ == "__main__":
    main()
