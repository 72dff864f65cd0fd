"""`python -m sim.cloud.edge`: every load balancer of the local cloud, until SIGTERM."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
from pathlib import Path
from random import Random

import uvloop

from sim.cloud.edge.certificate import context
from sim.cloud.edge.control import ControlConnection
from sim.cloud.edge.control_plane import Asking, Reports, states
from sim.cloud.edge.server import Edge
from sim.cloud.edge.sockets import Sockets


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sim.cloud.edge", description="The load balancers.")
    parser.add_argument("--cloud", required=True, metavar="HOST:PORT", help="where the local cloud is")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on")
    parser.add_argument("--control", required=True, type=int, metavar="PORT", help="by which it is asked")
    parser.add_argument("--directory", required=True, type=Path, help="that keeps ports and the certificate of a run")
    parser.add_argument(
        "--published",
        default="",
        metavar="FIRST-LAST",
        help="in a container: ports that the host publishes; listeners then listen on their own ports, too",
    )
    return parser.parse_args()


async def _run(options: argparse.Namespace) -> None:
    host, _, port = options.cloud.rpartition(":")
    reports = Reports(Asking(host, int(port)))
    sockets = Sockets(options.host, options.directory / "ports.json", _range(options.published))
    chance = Random()  # noqa: S311 - when checks begin is no secret
    edge = Edge(sockets, lambda: context(options.directory), chance, reports.put, lambda *_: None)
    loop = asyncio.get_running_loop()
    await loop.create_server(lambda: ControlConnection(edge), options.host, options.control)
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    try:
        async with asyncio.TaskGroup() as tasks:
            work = [
                tasks.create_task(edge.follow(states(Asking(host, int(port))))),
                tasks.create_task(reports.send()),
            ]
            await stopped.wait()
            for each in work:
                each.cancel()
    finally:
        edge.close()


def _range(text: str) -> range:
    first, _, last = text.partition("-")
    return range(int(first), int(last or first) + 1) if first else range(0)


def main() -> None:
    """Runs the command line."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s")
    options = _options()
    options.directory.mkdir(parents=True, exist_ok=True)
    uvloop.run(_run(options))


if __name__ == "__main__":
    main()
