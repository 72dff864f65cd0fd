"""What a careful client sends, and how it takes what comes back."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from services.pipeline.message import Email
from sim.client.api import Client
from sim.client.bulk import publish_all
from sim.client.retry import ATTEMPTS
from sim.history.events import PublishOutcome
from sim.host.process import free_port
from sim.host.waiting import until

ACCEPTED = (200, b'{"status": "ok", "message_id": "5f0c"}')
UNAVAILABLE = (503, b'{"detail": "not now"}')
RESET = (0, b"")
"""No answer: the connection is reset."""


class Api(ThreadingHTTPServer):
    """Answers each request with the next of `replies`, and the last again and again."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.replies = [ACCEPTED]
        self.requests: list[tuple[dict[str, str], dict[str, Any]]] = []
        self.at_once = 0
        self.most_at_once = 0
        self.gate = threading.Event()
        self.gate.set()
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def keys(self) -> list[str | None]:
        return [headers.get("idempotency-key") for headers, _ in self.requests]


class Handler(BaseHTTPRequestHandler):
    server: Api

    def do_POST(self) -> None:
        api = self.server
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with api.lock:
            api.at_once += 1
            api.most_at_once = max(api.most_at_once, api.at_once)
            api.requests.append(({name.lower(): value for name, value in self.headers.items()}, body))
            status, answer = api.replies.pop(0) if len(api.replies) > 1 else api.replies[0]
        api.gate.wait(20)
        with api.lock:
            api.at_once -= 1
        if (status, answer) == RESET:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            return
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.send_header("Retry-After", "1")
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_arguments: object) -> None:
        """Says nothing."""

    def finish(self) -> None:
        if not self.wfile.closed:
            super().finish()


@pytest.fixture
def api() -> Iterator[Api]:
    with Api() as api:
        thread = threading.Thread(target=api.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield api
        api.shutdown()
        thread.join()


@pytest.fixture
def client(api: Api) -> Client:
    return Client(api.url, "the token")


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the client would have waited, each time."""
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    return waits


def test_an_email_is_sent_with_the_token_and_its_key(api: Api, client: Client, email: Email) -> None:
    answer = client.publish(email, "a key")
    assert (answer.accepted, answer.message_id) == (True, "5f0c")
    [(headers, body)] = api.requests
    assert body == {"data": email.model_dump(), "token": "the token"}
    assert (headers["content-type"], headers["idempotency-key"]) == ("application/json", "a key")


def test_without_a_key_none_is_sent(api: Api, client: Client, email: Email) -> None:
    client.publish(email)
    assert api.keys == [None]


def test_what_may_be_tried_again_is_under_one_key(api: Api, client: Client, email: Email, waits: list[float]) -> None:
    api.replies = [UNAVAILABLE, (504, b"{}"), (502, b"<html>"), RESET, ACCEPTED]
    assert client.publish_surely(email).accepted
    assert len(api.requests) == 5
    assert len(set(api.keys)) == 1
    assert api.keys[0]
    assert len(waits) == 4


def test_another_email_has_another_key(api: Api, client: Client, email: Email) -> None:
    client.publish_surely(email)
    client.publish_surely(email)
    assert len(set(api.keys)) == 2


def test_trying_ends_and_the_last_answer_stands(api: Api, client: Client, email: Email, waits: list[float]) -> None:
    api.replies = [UNAVAILABLE]
    answer = client.publish_surely(email)
    assert (answer.status, answer.why()) == (503, "503: not now")
    assert len(api.requests) == ATTEMPTS
    assert all(1 <= wait <= 6 for wait in waits), "Retry-After is 1"


def test_a_refusal_does_not_settle_what_an_earlier_answer_left_open(
    api: Api, client: Client, email: Email, waits: list[float]
) -> None:
    api.replies = [(504, b"{}"), UNAVAILABLE, (401, b"{}")]
    answer = client.publish_surely(email)
    assert (answer.status, answer.outcome) == (504, PublishOutcome.INFO)
    assert len(api.requests) == len(waits) + 1 == 3


@pytest.mark.parametrize("status", [400, 401, 404, 413, 500])
def test_a_refusal_is_not_tried_again(api: Api, client: Client, email: Email, status: int) -> None:
    api.replies = [(status, b'{"detail": "no"}')]
    assert client.publish_surely(email).status == status
    assert len(api.requests) == 1


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b'{"detail": "no"}', "400: no"),
        (
            b'{"detail": "no", "errors": [{"field": "a", "rule": "is bad"}, {"field": "b", "rule": "too"}]}',
            "a is bad; b too",
        ),
        (b"<html>\xff", "<html>"),
        (b"[1]", "[1]"),
        (b"", "400"),
        (b"{}", "400"),
    ],
)
def test_whatever_comes_back_has_a_reason(api: Api, client: Client, email: Email, body: bytes, why: str) -> None:
    api.replies = [(400, body)]
    answer = client.publish(email)
    assert not answer.accepted
    assert why in answer.why()


def test_nobody_there_is_an_answer_too(email: Email) -> None:
    answer = Client(f"http://127.0.0.1:{free_port()}", "").publish(email)
    assert (answer.status, answer.accepted, answer.why()) == (0, False, "no answer: NewConnectionError")


def test_silence_is_an_answer_too(api: Api, email: Email) -> None:
    api.gate.clear()
    answer = Client(api.url, "", timeout_seconds=0.1).publish(email)
    api.gate.set()
    assert answer.why() == "no answer: ReadTimeoutError"


def test_many_are_published_so_many_at_once_and_each_answer_has_its_name(
    api: Api, client: Client, email: Email
) -> None:
    taken: list[int] = []

    def emails() -> Iterator[tuple[int, Email]]:
        for number in range(20):
            taken.append(number)
            yield number, email

    def open_when_four_wait() -> None:
        until(lambda: api.at_once == 4, "four requests at once", seconds=10, seen=lambda: api.at_once)
        api.gate.set()

    api.gate.clear()
    opener = threading.Thread(target=open_when_four_wait)
    opener.start()
    published = publish_all(client, emails(), concurrency=4)
    first = next(published)
    opener.join()
    assert len(taken) == 4, "the e-mails are taken as they are sent"
    assert sorted([first.name, *(each.name for each in published)]) == list(range(20))
    assert api.most_at_once == 4


def test_none_are_published(client: Client) -> None:
    assert list(publish_all(client, [], concurrency=4)) == []


def test_a_rate_is_kept(client: Client, email: Email) -> None:
    began = time.monotonic()
    assert len(list(publish_all(client, ((n, email) for n in range(6)), concurrency=6, rate=50))) == 6
    assert time.monotonic() - began >= 5 / 50
