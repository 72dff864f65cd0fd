"""The API container's health check."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from services.api.health import healthy
from sim.host.process import free_port


class Server(HTTPServer):
    """Answers `GET /health` with `status`."""

    status = 200


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.send_response(self.server.status if self.path == "/health" else 404)
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        """Says nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(("status", "good"), [(200, True), (503, False), (204, False), (404, False)])
def test_only_200_is_healthy(server: Server, status: int, good: bool) -> None:
    server.status = status
    assert healthy(server.server_port) is good


def test_nobody_there_is_not_healthy() -> None:
    assert not healthy(free_port())
