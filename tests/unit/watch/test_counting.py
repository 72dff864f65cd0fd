"""How the page counts e-mails: by the local cloud's own number, or by a list where it has none."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Final

import pytest

from sim.cloud.resources import DataPlane, local_resources
from sim.watch.counting import Rarely, StoredObjects

KEYS: Final = ["emails/1", "emails/2"]


class Listed(DataPlane):
    """A data plane whose objects are these keys."""

    def object_keys(self) -> list[str]:
        return KEYS


@contextmanager
def cloud(answers: dict[str, object]) -> Iterator[str]:
    """The URL of a local cloud that has these routes alone."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path in answers else 404)
            self.end_headers()
            self.wfile.write(json.dumps(answers.get(self.path)).encode())

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def counted(endpoint: str) -> int:
    names = replace(local_resources(endpoint), bucket="mail", prefix="emails/a b")
    return StoredObjects(Listed(endpoint, names)).count()[0]


def test_the_local_clouds_own_number_is_taken() -> None:
    with cloud({"/_sim/buckets/mail/objects?prefix=emails%2Fa+b": {"objects": 70_000}}) as endpoint:
        assert counted(endpoint) == 70_000


def test_a_cloud_that_has_none_is_asked_for_the_list() -> None:
    with cloud({}) as endpoint:
        assert counted(endpoint) == len(KEYS)


def test_what_takes_long_is_asked_again_after_ten_times_as_long(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])

    def ask() -> float:
        now[0] += 2
        return now[0]

    listed = Rarely(ask)
    assert listed.answer() == 102
    now[0] = 121.9
    assert listed.answer() == 102
    now[0] = 122
    assert listed.answer() == 124
