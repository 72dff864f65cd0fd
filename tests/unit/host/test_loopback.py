"""Requests to this machine's own address use no proxy."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from sim.host.loopback import NoAnswer, answers, request
from sim.host.process import free_port


class _Always200(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/" else 503)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def url() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), _Always200)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(autouse=True)
def _a_proxy_that_nobody_is(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)


def test_a_request_bypasses_the_proxy(url: str) -> None:
    assert answers(url, seconds=5)


def test_a_status_other_than_200_is_no_answer(url: str) -> None:
    assert request("GET", f"{url}/other", seconds=5).status == 503
    assert not answers(f"{url}/other", seconds=5)


def test_the_error_for_a_closed_port_names_the_url() -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    assert not answers(nobody, seconds=1)
    with pytest.raises(NoAnswer, match=nobody):
        request("GET", nobody, seconds=1)
