"""The services' instances, made of their own code: started, stopped as by SIGTERM, crashed."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from werkzeug.test import run_wsgi_app

from services.api.app import create_app
from services.api.settings import Settings as ApiSettings
from services.pipeline.aws import READ_TIMEOUT_SECONDS
from services.worker.service import assemble
from services.worker.settings import Settings as WorkerSettings
from sim.client.retry import NO_ANSWER

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

    from sim.world.client_pool import Answering, Pool
    from sim.world.virtual_time import WorldEvent, WorldRuntime

_NO_HEADERS: Mapping[str, str] = MappingProxyType({})
API_STOP_SECONDS = 20.0
"""How long the API's server waits for requests in hand, once its listener is closed."""


class State(Enum):
    """The state of an instance."""

    UP = "up"
    STOPPING = "stopping"
    DOWN = "down"


@dataclass(frozen=True)
class Request:
    """A request of a client."""

    path: str
    body: bytes = b""
    idempotency_key: str | None = None
    method: str = "POST"

    def environ(self) -> dict[str, Any]:
        """The request as WSGI has it. https://peps.python.org/pep-3333/"""
        environ: dict[str, Any] = {
            "REQUEST_METHOD": self.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": self.path,
            "QUERY_STRING": "",
            "SERVER_NAME": "api",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_HOST": "api",
            "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": str(len(self.body)),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(self.body),
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
        }
        if self.idempotency_key is not None:
            environ["HTTP_IDEMPOTENCY_KEY"] = self.idempotency_key
        return environ


@dataclass(eq=False)
class Exchange:
    """A request in hand: `status` is NO_ANSWER until there is one."""

    request: Request
    over: WorldEvent
    status: int = NO_ANSWER
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    """By their names in lower case."""

    def end(self, status: int, body: bytes = b"", headers: Mapping[str, str] = _NO_HEADERS) -> None:
        """Ends the exchange with an answer, or with NO_ANSWER."""
        self.status = status
        self.body = body
        self.headers = headers
        self.over.set()


class Api:
    """One instance of the API; `take` hands it a request."""

    def __init__(self, name: str, settings: ApiSettings, runtime: WorldRuntime, pool: Pool, aws: Answering) -> None:
        self.name = name
        self.runtime = runtime
        self.state = State.UP
        self._exchanges: dict[Exchange, None] = {}
        self._empty = runtime.event()
        self._listens = True
        self._checks: dict[bool, int] = {}
        sqs = pool.lend("sqs", name, aws, attempts=1, read_timeout=READ_TIMEOUT_SECONDS)
        ssm = pool.lend("ssm", name, aws, attempts=2, read_timeout=READ_TIMEOUT_SECONDS)
        self._drain_seconds = settings.drain_seconds
        self._app: WSGIApplication = create_app(settings, sqs, ssm, runtime, lambda: self.draining)

    @property
    def draining(self) -> bool:
        """True once SIGTERM has come."""
        return self.state is State.STOPPING

    @property
    def listens(self) -> bool:
        """True while it takes requests."""
        return self._listens

    def check(self) -> int | None:
        """The status that /health answers with, None if nothing listens.

        It follows from `draining` alone, and never waits; so the application is asked once for each.
        """
        if not self._listens:
            return None
        if self.draining not in self._checks:
            self._checks[self.draining], _, _ = self._respond(Request("/health", method="GET"))
        return self._checks[self.draining]

    def take(self, exchange: Exchange) -> None:
        """Lets the application answer a request, in a task of its own."""
        self._exchanges[exchange] = None
        self.runtime.spawn(lambda: self._answer(exchange))

    def stop(self) -> float:
        """Ends as after SIGTERM. Returns the seconds until the process has ended."""
        began = self.runtime.monotonic()
        self.state = State.STOPPING
        self.runtime.sleep(self._drain_seconds)
        self._listens = False
        if self._exchanges:
            self._empty.wait(API_STOP_SECONDS)
        self.crash()
        return self.runtime.monotonic() - began

    def crash(self) -> None:
        """Ends as after SIGKILL: requests in hand are lost, and their connections are closed."""
        exchanges = list(self._exchanges)
        self.vanish()
        for exchange in exchanges:
            exchange.end(NO_ANSWER)

    def vanish(self) -> None:
        """Ends as when its machine loses power: requests in hand are lost, and their connections stay open."""
        self.state = State.DOWN
        self._listens = False
        self.runtime.crash()
        self._exchanges.clear()

    def _answer(self, exchange: Exchange) -> None:
        status, body, headers = self._respond(exchange.request)
        self._exchanges.pop(exchange, None)
        if not self._listens and not self._exchanges:
            self._empty.set()
        exchange.end(status, body, headers)

    def _respond(self, request: Request) -> tuple[int, bytes, Mapping[str, str]]:
        pieces, status, headers = run_wsgi_app(self._app, request.environ(), buffered=True)
        fields = {name.lower(): value for name, value in headers}
        return int(status.partition(" ")[0]), b"".join(pieces), fields


class WorkerInstance:
    """One instance of the worker."""

    def __init__(self, name: str, settings: WorkerSettings, runtime: WorldRuntime, pool: Pool, aws: Answering) -> None:
        self.name = name
        self.runtime = runtime
        self.state = State.UP
        self._stop_timeout = settings.stop_timeout_seconds
        sqs = pool.lend("sqs", name, aws, attempts=1, read_timeout=settings.receive_wait_seconds + READ_TIMEOUT_SECONDS)
        s3 = pool.lend("s3", name, aws, attempts=1, read_timeout=READ_TIMEOUT_SECONDS)
        self._worker = assemble(settings, sqs, s3, lambda: None, runtime)
        self._worker.start()

    def stop(self) -> float:
        """Ends as after SIGTERM. Returns the seconds until the process has ended; infinity if it was killed."""
        began = self.runtime.monotonic()
        self.state = State.STOPPING
        self._worker.stop()
        stopped = self._worker.wait_stopped(self._stop_timeout)
        self.crash()
        return self.runtime.monotonic() - began if stopped else float("inf")

    def crash(self) -> None:
        """Ends as after SIGKILL."""
        self.state = State.DOWN
        self.runtime.crash()

    def vanish(self) -> None:
        """Ends as when its machine loses power."""
        self.crash()
