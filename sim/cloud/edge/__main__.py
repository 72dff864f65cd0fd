"""`python -m sim.cloud.edge`: every load balancer of the local cloud, until SIGTERM."""

from __future__ import annotations

import argparse
import asyncio
import logging
import secrets
import signal
import socket
import sys
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, Final

import uvloop
from botocore.config import Config

from sim.cloud.aws_client import local_session
from sim.cloud.edge.certificate import context
from sim.cloud.edge.control import ControlConnection
from sim.cloud.edge.control_plane import Asking, Reports, states
from sim.cloud.edge.delivery import Clients, Delivery
from sim.cloud.edge.server import Edge
from sim.cloud.edge.sockets import Sockets
from sim.cluster.desired import Place

_IMPATIENT: Final = Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 1})
"""A local cloud that is gone must not keep the edge from ending."""


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sim.cloud.edge", description="The load balancers.")
    parser.add_argument("--cloud", required=True, metavar="HOST:PORT", help="where the local cloud is")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on, or its name")
    parser.add_argument("--control", required=True, type=int, metavar="PORT", help="by which it is asked")
    parser.add_argument("--directory", required=True, type=Path, help="that keeps ports and the certificate of a run")
    parser.add_argument(
        "--link-local", metavar="ADDRESS", help="in a container that has this address: answer tasks at its port 80, too"
    )
    parser.add_argument(
        "--published",
        default="",
        metavar="FIRST-LAST",
        help="in a container: ports that the host publishes; listeners then listen on their own ports, too",
    )
    return parser.parse_args()


async def _run(options: argparse.Namespace) -> None:
    host, _, port = options.cloud.rpartition(":")
    # Its own alone: in a container the link-local address has another port 80.
    own = socket.gethostbyname(options.host)
    reports = Reports(Asking(host, int(port)))
    delivery = Delivery(_clients(f"http://{options.cloud}"), lambda: secrets.token_hex(4), own)
    sockets = Sockets(own, options.directory / "ports.json", _range(options.published))
    chance = Random()  # noqa: S311 - when checks begin is no secret
    edge = Edge(sockets, lambda: context(options.directory), chance, reports.put, delivery.log, reports.put_target)
    loop = asyncio.get_running_loop()
    for address, number in (
        (own, options.control),
        *(((options.link_local, 80),) if options.link_local else ()),
    ):
        await loop.create_server(lambda: ControlConnection(edge, (host, int(port))), address, number)
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    try:
        async with asyncio.TaskGroup() as tasks:
            work = [
                tasks.create_task(edge.follow(states(Asking(host, int(port))))),
                tasks.create_task(reports.send()),
                tasks.create_task(delivery.run(edge)),
            ]
            await stopped.wait()
            for each in work:
                each.cancel()
        await delivery.finish(edge)
    finally:
        edge.close()


def _clients(endpoint: str) -> Clients:
    @cache
    def client(service: str, place: Place) -> Any:
        session = local_session(place.account)
        return session.client(service, region_name=place.region, endpoint_url=endpoint, config=_IMPATIENT)  # type: ignore[call-overload]  # of any service

    return client


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
