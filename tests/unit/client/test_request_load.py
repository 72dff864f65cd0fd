"""The load of a project: a request from a file, and what counts as a good answer to it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from sim.client.request_load import BadLoad, RequestLoad, read
from sim.host.process import free_port
from sim.host.waiting import until


class _Echo(BaseHTTPRequestHandler):
    """Answers a POST of the right body and header to /good with 201, and else with 503."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        good = (self.path, body, self.headers["X-Shop"]) == ("/good", b"tea", "yes")
        self.send_response(201 if good else 503)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Echo) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(("path", "failures"), [("/good", set()), ("/bad", {"503"})])
def test_the_request_of_a_file_is_sent_until_the_block_ends(url: str, path: str, failures: set[str]) -> None:
    text = f"""
        method = "POST"
        path = "{path}"
        body = "tea"
        expect = [200, 201]
        clients = 2
        requests_per_second = 100

        [headers]
        X-Shop = "yes"
    """
    with read("load.toml", text).to(url) as load:
        until(lambda: load.requests >= 10, "ten requests", seconds=10)
    assert set(load.failures) == failures


def test_no_answer_is_a_failure_of_a_kind_of_its_own() -> None:
    with RequestLoad(clients=1, requests_per_second=100).to(f"http://127.0.0.1:{free_port()}") as load:
        until(lambda: load.requests, "a request", seconds=10)
    assert set(load.failures) == {"no answer: NewConnectionError"}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("path", "load.toml is no TOML"),
        ('path = "tea"', "path: String should match pattern"),
        ("clients = 0", "clients: Input should be greater than or equal to 1"),
        ('url = "/"', "url: Extra inputs are not permitted"),
    ],
)
def test_a_bad_file_is_refused_with_the_field_and_the_reason(text: str, why: str) -> None:
    with pytest.raises(BadLoad) as refused:
        read("load.toml", text)
    assert why in str(refused.value)
