"""The HTTP server: Granian, in each process one event loop with a greenlet for each request in hand.

The end of a task on ECS: the load balancer has taken the instance out, then comes SIGTERM. From then
on, for `drain_seconds`, `/health` says 503, so that whoever still routes here turns away, and every
answer closes its connection; then the listener closes, the requests in flight finish, and the process
exits with 0.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import multiprocessing
import threading
from multiprocessing.synchronize import Event
from typing import Any

from flask import Flask
from granian import Granian
from granian.constants import HTTPModes, Interfaces, Loops
from granian.http import HTTP1Settings

from services.api.app import create_app
from services.api.asgi import Bridge
from services.api.loop import LoopRuntime, offload
from services.api.settings import Settings
from services.pipeline import aws, log

_STOP_SECONDS = 20
"""For requests in flight: two tries of a call with its time-outs. Under ECS's stopTimeout of 30 with the drain."""
_SENDS = 64
"""Calls of SQS under way at once, in each process. A thread and a connection for each."""
_READS = 2
"""As many of SSM."""


def application(settings: Settings, draining: Event, loop: asyncio.AbstractEventLoop) -> Flask:
    """The application on real clients, for greenlets of the loop."""
    log.configure("api", settings.log_level)
    sqs = aws.client("sqs", settings.aws_region, connections=_SENDS, attempts=1)
    ssm = aws.client("ssm", settings.aws_region, connections=_READS, attempts=2)
    clients = offload(sqs, loop, _SENDS), offload(ssm, loop, _READS)
    app = create_app(settings, *clients, LoopRuntime(loop), draining.is_set)
    # All this stays. The collector would look through boto3's models again and again, and requests wait the while.
    gc.collect()
    gc.freeze()
    return app


class _DrainingServer(Granian):  # type: ignore[misc, valid-type]  # granian picks its class at import
    """Granian that says `draining` before it ends."""

    draining: Event
    drain_seconds: float

    def signal_handler_interrupt(self, *_args: Any, **_kwargs: Any) -> None:
        if self.draining.is_set():
            return
        self.draining.set()
        logging.getLogger(__name__).info("draining", extra={"seconds": self.drain_seconds})
        end = super().signal_handler_interrupt
        threading.Timer(self.drain_seconds, end).start()


def serve(settings: Settings) -> None:
    """Serves until SIGTERM or SIGINT, then drains."""
    log.configure("api", settings.log_level)
    server = _DrainingServer(
        "services.api",
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGI,
        loop=Loops.asyncio,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=int(settings.keep_alive_seconds * 1000)),
        workers=settings.processes,
        backlog=2048,
        workers_kill_timeout=_STOP_SECONDS,
        log_enabled=False,
    )
    server.draining = multiprocessing.get_context("spawn").Event()
    server.drain_seconds = settings.drain_seconds
    server.serve(target_loader=_Loader(settings, server.draining), wrap_loader=False)


class _Loader:
    """Makes the application in the server's worker process; can be pickled into it."""

    def __init__(self, settings: Settings, draining: Event) -> None:
        self._settings = settings
        self._draining = draining

    def __call__(self) -> Bridge:
        settings, draining = self._settings, self._draining
        return Bridge(
            lambda loop: application(settings, draining, loop), max_body=settings.body_max_bytes, bodies=settings.bodies
        )
