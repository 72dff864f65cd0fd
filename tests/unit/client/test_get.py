"""GET and HEAD of every client in this repository pass a Classic ELB in the mode `strictest`, as production's is."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from services.api.health import healthy
from sim.client.api import Client
from sim.cluster.balancer.desync import RequestHead, classify, treat
from sim.host.loopback import answers, request
from sim.host.waiting import until

SECONDS = 5
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@dataclass
class Server:
    """Answers one request after the other, and keeps what came on each connection."""

    listener: socket.socket
    received: list[bytes] = field(default_factory=list)

    @property
    def port(self) -> int:
        return int(self.listener.getsockname()[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def serve(self) -> None:
        """Until the listener is closed."""
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(SECONDS)
                data = b""
                while b"\r\n\r\n" not in data:
                    data += connection.recv(1 << 16)
                connection.sendall(ANSWER)
                connection.shutdown(socket.SHUT_WR)
                while more := connection.recv(1 << 16):
                    data += more
                self.received.append(data)


@pytest.fixture
def server() -> Iterator[Server]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Server(listener)
        thread = threading.Thread(target=server.serve)
        thread.start()
        yield server
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(SECONDS)


def head_of(data: bytes) -> tuple[RequestHead, bytes]:
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    method, target, version = first.split(b" ")
    fields = [(name, value) for name, _, value in (line.partition(b":") for line in lines)]
    return RequestHead(method, target, version, tuple(fields)), body


@pytest.mark.parametrize(
    "get",
    [
        lambda server: Client(server.url, "token").request("GET", "/health").status == 200,
        lambda server: Client(server.url, "token").request("HEAD", "/health").status == 200,
        lambda server: request("GET", server.url, seconds=SECONDS).status == 200,
        lambda server: request("HEAD", server.url, seconds=SECONDS).status == 200,
        lambda server: answers(server.url, seconds=SECONDS),
        lambda server: healthy(server.port),
    ],
    ids=["client", "client, HEAD", "kit", "kit, HEAD", "kit's readiness", "health check of the image"],
)
def test_it_has_no_length_and_no_body(server: Server, get: Callable[[Server], bool]) -> None:
    assert get(server)
    [data] = until(lambda: server.received, "the end of the connection", seconds=SECONDS)
    head, body = head_of(data)
    assert body == b""
    assert not {name.lower() for name, _ in head.lines} & {b"content-length", b"transfer-encoding"}
    assert treat("strictest", classify(head).severity).routed
