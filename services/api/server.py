"""The HTTP server: uvicorn, in each process one event loop with a greenlet for each request in hand.

The end of a task on ECS: the load balancer has taken the instance out, then comes SIGTERM. From then
on, for `drain_seconds`, `/health` says 503, so that whoever still routes here turns away, and every
answer closes its connection; then the listener closes, the requests in flight finish, and the process
exits with 0.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import math
import signal
import socket
import sys
import threading
import time
from functools import partial

import uvicorn
from flask import Flask

from services.api.app import create_app
from services.api.asgi import Bridge
from services.api.loop import LoopRuntime, offload
from services.api.protocol import Http
from services.api.settings import Settings
from services.pipeline import aws, log, processes
from services.pipeline.signals import END

_STOP_SECONDS = 20
"""For requests in flight: two tries of a call with its time-outs. Under ECS's stopTimeout of 30 with the drain."""
_BACKLOG = 2048
"""Connections that wait to be accepted."""
_SENDS = 64
"""Calls of SQS under way at once, in each process. A thread and a connection for each."""
_READS = 2
"""As many of SSM."""


def application(settings: Settings, draining: threading.Event, loop: asyncio.AbstractEventLoop) -> Flask:
    """The application on real clients, for greenlets of the loop."""
    sqs = aws.client("sqs", settings.aws_region, connections=_SENDS, attempts=1)
    ssm = aws.client("ssm", settings.aws_region, connections=_READS, attempts=2)
    clients = offload(sqs, loop, _SENDS), offload(ssm, loop, _READS)
    app = create_app(settings, *clients, LoopRuntime(loop), draining.is_set)
    # All this stays. The collector would look through boto3's models again and again, and requests wait the while.
    gc.collect()
    gc.freeze()
    return app


def listen(host: str, port: int, *, shared: bool) -> socket.socket:
    """A listener; the kernel spreads the connections over those that share a port. Exits if it cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=_BACKLOG, reuse_port=shared)
    except OSError as error:
        sys.exit(f"services.api cannot listen on {host}, port {port}: {error.strerror}. Set HOST and PORT otherwise.")


def work(settings: Settings, _number: int) -> int:
    """One process of the API: serves until a signal comes, then drains; the exit status."""
    log.configure("api", settings.log_level)
    listener = listen(settings.host, settings.port, shared=True)
    draining = threading.Event()
    bridge = Bridge(partial(application, settings, draining), max_body=settings.body_max_bytes, bodies=settings.bodies)
    server = uvicorn.Server(
        uvicorn.Config(
            bridge,
            loop="uvloop",
            http=Http,
            ws="none",
            lifespan="on",
            log_config=None,
            log_level="error",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=math.ceil(settings.keep_alive_seconds),
            timeout_graceful_shutdown=_STOP_SECONDS,
        )
    )

    def drain() -> None:
        # Waited for, not handled: no handler ever runs in the middle of something.
        signal.sigwait(END)
        draining.set()
        logging.getLogger(__name__).info("draining", extra={"seconds": settings.drain_seconds})
        time.sleep(settings.drain_seconds)
        server.should_exit = True

    threading.Thread(target=drain, daemon=True).start()
    server.run(sockets=[listener])
    return 0


def serve(settings: Settings) -> int:
    """Serves in `settings.processes` processes until a signal comes; the exit status."""
    # The processes would share the port with another API too, and each would say by itself that it cannot.
    listen(settings.host, settings.port, shared=False).close()
    return processes.run(settings.processes, partial(work, settings))
