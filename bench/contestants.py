"""The two implementations that are compared, each with its own stub of AWS."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

import services
from bench.stub import CONTROL
from sim.cloud.aws_client import CREDENTIALS, NO_FILES
from sim.host.cleanup import Cleanup
from sim.host.loopback import answers, request
from sim.host.process import Process, free_port
from sim.host.waiting import until

_MIB = 1 << 20
_SECONDS = 30
_MODULE = (sys.executable, "-m")
_PYTHON = {
    **NO_FILES,
    "PATH": os.environ.get("PATH", os.defpath),
    "PYTHONPATH": str(Path(services.__file__).parents[1]),
}


class Aws:
    """A stub of AWS at a port of this machine."""

    def __init__(self, port: int) -> None:
        self._endpoint = f"http://127.0.0.1:{port}"

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables by which a service uses this stub."""
        queue = f"{self._endpoint}/000000000000/emails"
        return {**CREDENTIALS, "AWS_REGION": "eu-central-1", "AWS_ENDPOINT_URL": self._endpoint, "QUEUE_URL": queue}

    def counts(self) -> dict[str, int]:
        """The calls by operation; e-mails that were `sent`, `deleted`, or are `left` in the queue; `objects`."""
        counts: dict[str, int] = json.loads(self._control("GET"))
        return counts

    def send(self, emails: int) -> None:
        """Puts so many e-mails into the queue at once."""
        self._control("POST", str(emails).encode())

    def clear(self) -> None:
        """Empties the queue."""
        self._control("DELETE")

    def drain(self, seconds: float) -> None:
        """Waits until the queue is empty. Raises TimedOut."""
        until(lambda: self.counts()["left"] == 0, "an empty queue", seconds=seconds, seen=self.counts)

    def _control(self, method: str, body: bytes | None = None) -> bytes:
        return request(method, self._endpoint + CONTROL, seconds=_SECONDS, body=body).data


@contextmanager
def aws(delay_ms: float, name: str = "aws") -> Iterator[Aws]:
    """Runs a stub that answers each call after `delay_ms`."""
    port = free_port()
    with running(name, [*_MODULE, "bench.stub", str(port), str(delay_ms)]) as process:
        _await(f"http://127.0.0.1:{port}{CONTROL}", process)
        yield Aws(port)


@dataclass(frozen=True)
class Contestant:
    """An implementation: the modules of its two services, and how many e-mails make a drain of some seconds."""

    name: str
    api: str
    worker: str
    drain: int


PLAIN = Contestant("plain", "bench.plain.api", "bench.plain.worker", drain=100)
PRODUCT = Contestant("product", "services.api", "services.worker", drain=4000)


@contextmanager
def api(contestant: Contestant, on: Aws) -> Iterator[tuple[Process, int]]:
    """Runs the contestant's API. Yields it, once it is healthy, and its port."""
    port = free_port()
    settings = {"HOST": "127.0.0.1", "PORT": str(port), "TOKEN_PARAMETER": "/bench/token"}
    with running(f"{contestant.name}-api", [*_MODULE, contestant.api], on.environment | settings) as process:
        _await(f"http://127.0.0.1:{port}/health", process)
        yield process, port


@contextmanager
def worker(contestant: Contestant, on: Aws) -> Iterator[Process]:
    """Runs the contestant's worker on an empty queue. Yields it once it has stored an e-mail."""
    on.clear()
    on.send(1)
    settings = {"BUCKET": "emails", "PREFIX": "emails/"}
    with running(f"{contestant.name}-worker", [*_MODULE, contestant.worker], on.environment | settings) as process:
        on.drain(_SECONDS)
        yield process


def resident_mib(process: Process) -> float:
    """The resident memory of a process and its children. A page that two of them share counts twice."""
    first = psutil.Process(process.pid)
    return sum(each.memory_info().rss for each in [first, *first.children(recursive=True)]) / _MIB


@contextmanager
def running(name: str, command: list[str], settings: dict[str, str] | None = None) -> Iterator[Process]:
    """Runs a command until the block ends; `settings` are environment variables."""
    with Cleanup() as cleanup:
        heartbeat = {"HEARTBEAT_FILE": str(cleanup.directory / "heartbeat")}
        environment = _PYTHON | heartbeat | (settings or {})
        process = Process(name, command, environment, cleanup)
        process.start()
        try:
            yield process
        finally:
            process.kill()


def _await(url: str, process: Process) -> None:
    def ready() -> bool:
        process.check()
        return answers(url, seconds=1)

    until(ready, f"{process.name} to be ready", seconds=_SECONDS, seen=process.tail)
