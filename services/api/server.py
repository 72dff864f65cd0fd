"""The HTTP server: Granian, a thread for each request in hand.

The end of a task on ECS: the load balancer has taken the instance out, then comes SIGTERM. From then
on, for `drain_seconds`, `/health` says 503, so that whoever still routes here turns away, and every
answer closes its connection; then the listener closes, the requests in flight finish, and the process
exits with 0.
"""

from __future__ import annotations

import logging
import multiprocessing
import threading
from multiprocessing.synchronize import Event
from typing import Any

from flask import Flask
from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings

from services.api.app import create_app
from services.api.settings import Settings
from services.pipeline import aws, log
from services.pipeline.runtime import ThreadRuntime

_STOP_SECONDS = 20
"""For requests in flight: two tries of a call with its time-outs. Under ECS's stopTimeout of 30 with the drain."""


def application(settings: Settings, draining: Event) -> Flask:
    """The application on real clients and threads."""
    log.configure("api", settings.log_level)
    # A batch is led by one of its requests, so no more calls than that are under way at once.
    sqs = aws.client("sqs", settings.aws_region, connections=settings.request_threads, attempts=1)
    ssm = aws.client("ssm", settings.aws_region, connections=2, attempts=2)
    return create_app(settings, sqs, ssm, ThreadRuntime(), draining.is_set)


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
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=int(settings.keep_alive_seconds * 1000)),
        workers=settings.processes,
        blocking_threads=settings.request_threads,
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

    def __call__(self) -> Flask:
        return application(self._settings, self._draining)
