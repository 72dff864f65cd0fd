"""The API as its container runs it, for tests over sockets."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.contestants import Aws, aws
from bench.sample import publish_body
from sim.host.process import free_port
from sim.host.waiting import until

SECONDS = 20.0
"""The longest that a test waits for anything."""
EMAIL = publish_body()


@dataclass(frozen=True)
class Reply:
    """One response. Header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def problem(self) -> str:
        """The last part of a problem's type."""
        return str(json.loads(self.body)["type"]).rpartition(":")[2]


class Connection:
    """A connection to the API, over which any bytes can be sent."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=SECONDS)
        self._file = self._socket.makefile("rb")

    def send(self, *pieces: bytes) -> None:
        self._socket.sendall(b"".join(pieces))

    def reply(self) -> Reply:
        """The next response."""
        status = int(self._file.readline().split()[1])
        headers = {}
        while line := self._file.readline().decode("latin-1").strip():
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        return Reply(status, headers, self._file.read(int(headers.get("content-length", 0))))

    def ask(self, *pieces: bytes) -> Reply:
        self.send(*pieces)
        return self.reply()

    def end_sending(self) -> None:
        self._socket.shutdown(socket.SHUT_WR)

    def status_or_end(self) -> int:
        """The status of the next response, 0 if the connection ends without one."""
        try:
            line = self._file.readline()
        except ConnectionResetError:
            return 0
        return int(line.split()[1]) if line else 0

    def is_ended(self) -> bool:
        """Waits for the server to end the connection; False if it sends something instead."""
        try:
            return self._file.read(1) == b""
        except ConnectionResetError:
            return True

    def close(self) -> None:
        self._file.close()
        self._socket.close()


@dataclass(frozen=True)
class Api:
    """A running API."""

    process: subprocess.Popen[bytes]
    port: int
    aws: Aws
    log: Path

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        with closing(Connection(self.port)) as connection:
            yield connection

    def ask(self, *pieces: bytes) -> Reply:
        """The response to what is sent over a connection of its own."""
        with self.connect() as connection:
            return connection.ask(*pieces)

    def workers(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children()

    def wait(self) -> int:
        """The exit status."""
        return self.process.wait(SECONDS)


def get(path: str = "/health") -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode()


def post(body: bytes, *, length: int | None = None, path: str = "/publish") -> bytes:
    """A request whose Content-Length is `length`, if not that of its body."""
    size = len(body) if length is None else length
    return f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {size}\r\n\r\n".encode() + body


CHUNKED = b"POST /publish HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


@contextmanager
def start(on: Aws, log: Path, **settings: object) -> Iterator[Api]:
    """The API's process, which may not listen yet."""
    port = free_port()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        **on.environment,
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "TOKEN_PARAMETER": "/bench/token",
        "DRAIN_SECONDS": "0.5",
        **{name.upper(): str(value) for name, value in settings.items()},
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "services.api"], env=environment, stdout=output, stderr=output
        )
    try:
        yield Api(process, port, on, log)
    finally:
        if process.poll() is None:
            workers = psutil.Process(process.pid).children()
            process.kill()
            for worker in workers:
                worker.kill()
        process.wait()


@contextmanager
def running(log: Path, *, delay_ms: float = 20, **settings: object) -> Iterator[Api]:
    """The API and a stub of AWS that takes `delay_ms` for each call; `settings` are the API's."""
    with aws(delay_ms) as on, start(on, log, **settings) as api:
        workers = int(str(settings.get("processes", 2)))
        until(lambda: _listening(api) == workers, "every worker to listen", seconds=SECONDS, seen=log.read_text)
        yield api


def _listening(api: Api) -> int:
    return sum(
        any(each.status == psutil.CONN_LISTEN and each.laddr.port == api.port for each in worker.net_connections())
        for worker in api.workers()
    )
