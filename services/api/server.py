"""The HTTP server: gunicorn, in each process a gevent worker with a greenlet for each connection.

How a task on ECS ends: the load balancer takes its instance out of service, then ECS sends SIGTERM. From then on, for
`drain_seconds`, `/health` answers 503, so that nobody sends new requests here, and every answer closes its connection.
Then the listener closes, idle connections end, the requests in flight finish, and the process exits with 0.
"""

from __future__ import annotations

import contextlib
import gc
import logging
import math
import resource
import signal
import socket
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import gevent
from gevent.monkey import get_original
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.glogging import Logger
from gunicorn.http.errors import InvalidHeader, ParseException, UnsupportedTransferCoding
from gunicorn.workers.ggevent import GeventWorker
from werkzeug.exceptions import BadRequest, RequestTimeout

from services.api.greenlets import Bounded, GreenletRuntime
from services.pipeline import log
from services.pipeline.signals import END

if TYPE_CHECKING:
    from types import FrameType

    from gunicorn.config import Config
    from gunicorn.http import Request
    from types_boto3_sqs import SQSClient

    from services.api.settings import Settings

_STOP_SECONDS = 20
"""For requests in flight: two tries of a call with its time-outs. Under ECS's stopTimeout of 30 with the drain."""
_CALLS = 64
"""Calls of SQS at once, in each process."""
_SPARE_FILES = 256
"""Open files of a process that are not connections of clients."""
_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - the only place where a container with a read-only root can write


class Body:
    """A request's body as `wsgi.input`: all of it must arrive within `seconds`.

    After one that was late or broken the server cannot tell where the next request begins, so it closes the connection.
    """

    def __init__(self, request: Request, seconds: float) -> None:
        self._request = request
        self._body: Any = request.body
        self._until = time.monotonic() + seconds
        self._ended = False

    def read(self, size: int) -> Any:
        """Up to `size` bytes. Raises RequestTimeout if they are late, BadRequest if they break the rules of HTTP."""
        if self._ended:
            return b""
        try:
            with gevent.Timeout(max(0.0, self._until - time.monotonic()), RequestTimeout()):
                data = self._body.read(size)
        except (OSError, ParseException):
            self._request.force_close()
            raise BadRequest from None
        except RequestTimeout:
            self._request.force_close()
            raise
        self._ended = len(data) < size
        return data


class Worker(GeventWorker):
    """A gevent worker that drains before it stops, and ends idle connections when it has stopped listening."""

    app: Application

    def handle(self, listener: Any, client: Any, addr: Any) -> None:
        self.app.idle.add(client)
        try:
            super().handle(listener, client, addr)
        finally:
            self.app.idle.discard(client)

    def handle_request(self, listener_name: Any, req: Any, sock: Any, addr: Any) -> bool:
        self.app.idle.discard(sock)
        if self.app.draining:
            req.force_close()
        body = req.body
        req.body = Body(req, self.app.settings.body_seconds)
        try:
            return super().handle_request(listener_name, req, sock, addr)
        finally:
            req.body = body
            self.app.idle.add(sock)

    def handle_error(self, req: Request | None, client: Any, addr: Any, exc: BaseException) -> None:
        # gunicorn would answer 501, but bad bytes are the client's fault, and alarms count each 5xx.
        if isinstance(exc, UnsupportedTransferCoding):
            exc = InvalidHeader("TRANSFER-ENCODING")
        super().handle_error(req, client, addr, exc)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - as signals are handled
        if not self.app.draining:
            self.app.draining = True
            gevent.spawn(self._drain)

    # Ctrl-C reaches every process of a terminal, and is no reason to drop requests.
    handle_quit = handle_exit

    def notify(self) -> None:
        """Called every second, also while the requests in flight finish."""
        super().notify()
        if not self.alive:
            for client in self.app.idle:
                _end_reading(client)

    def _drain(self) -> None:
        logging.getLogger(__name__).info("draining", extra={"seconds": self.app.settings.drain_seconds})
        gevent.sleep(self.app.settings.drain_seconds)
        self.alive = False


class Application(BaseApplication):
    """gunicorn's settings, and the Flask application, which each worker loads for itself."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.draining = False
        self.idle: set[Any] = set()
        """Connections that wait for a request."""
        super().__init__()

    def load_config(self) -> None:
        settings = self.settings
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        for name, value in {
            "bind": f"{host}:{settings.port}",
            # Each worker has a listener of its own: from a shared one, one worker might take all connections.
            "reuse_port": True,
            "workers": settings.processes,
            "worker_class": Worker,
            "worker_connections": settings.connections,
            "worker_tmp_dir": str(_SHARED_MEMORY) if _SHARED_MEMORY.is_dir() else None,
            "keepalive": math.ceil(settings.keep_alive_seconds),
            "graceful_timeout": math.ceil(settings.drain_seconds + _STOP_SECONDS),
            # A worker that is paused for a while is not to be killed for it.
            "timeout": 0,
            "control_socket_disable": True,
            "forwarded_allow_ips": "",
            "logger_class": Log,
            # A warning quotes what a client sent.
            "loglevel": "error",
            # As if it were alone, since it alone accepts from its listener: all that wait, not one at a time.
            "post_fork": lambda _, worker: worker.cfg.set("workers", 1),
            "post_worker_init": lambda _: signal.pthread_sigmask(signal.SIG_UNBLOCK, END),
        }.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        # Not before: by now gevent has patched what boto3 imports.
        from services.api.app import create_app  # noqa: PLC0415
        from services.pipeline import aws  # noqa: PLC0415

        sqs = aws.client("sqs", self.settings.aws_region, connections=_CALLS, attempts=1)
        ssm = aws.client("ssm", self.settings.aws_region, connections=1, attempts=2)
        bounded = cast("SQSClient", Bounded(sqs, _CALLS))
        app = create_app(self.settings, bounded, ssm, GreenletRuntime(), lambda: self.draining)
        # All this stays. The collector would look through boto3's models again and again, and requests wait the while.
        gc.collect()
        gc.freeze()
        return app


class Log(Logger):
    """gunicorn's log, which goes where the service's goes."""

    def setup(self, cfg: Config) -> None:
        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.propagate = True


class Master(Arbiter):
    """The process that starts the workers. A signal that ends them waits until they have loaded."""

    def spawn_worker(self) -> int:
        signal.pthread_sigmask(signal.SIG_BLOCK, END)
        try:
            return super().spawn_worker()
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, END)


def _end_reading(client: socket.socket) -> None:
    """What has arrived on a connection is still read; after that it is at its end."""
    # Not by gevent's own method, which raises an error in the greenlet that reads.
    native = get_original("socket", "socket")(fileno=client.fileno())
    with contextlib.suppress(OSError):
        native.shutdown(socket.SHUT_RD)
    native.detach()


def _check_port(host: str, port: int) -> None:
    """Exits if another program listens there: workers would share the port with it, or fail one after the other."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        sys.exit(f"services.api cannot listen on {host}, port {port}: {error.strerror}. Set HOST and PORT otherwise.")


def _allow_files(count: int) -> None:
    """Raises the limit on open files to `count`, or as far as it may be raised."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < count:
        most = count if hard == resource.RLIM_INFINITY else min(count, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def serve(settings: Settings) -> None:
    """Serves in `settings.processes` processes until a signal comes, then exits."""
    log.configure("api", settings.log_level)
    _check_port(settings.host, settings.port)
    _allow_files(settings.connections + _SPARE_FILES)
    Master(Application(settings)).run()
