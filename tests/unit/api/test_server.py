"""The API's server over sockets: how it starts, what it answers to clients that are slow or wrong, how it ends."""

from __future__ import annotations

import re
import resource
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.contestants import aws
from services.api.settings import Settings
from sim.host.waiting import until
from tests.unit.api.serving import CHUNKED, EMAIL, SECONDS, Api, Reply, chunk, get, post, running, start

BODY_SECONDS = 1
STALLED = 2000
STALLED_SECONDS = 60
LIMIT = Settings(aws_region="a", queue_url="https://a", token_parameter="a").body_max_bytes


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """An API that tests may ask anything, and do not stop."""
    log = tmp_path_factory.mktemp("api") / "log"
    with running(log, body_seconds=BODY_SECONDS) as api:
        yield api


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


@pytest.mark.parametrize("shares", [False, True], ids=["another program's", "another API's"])
def test_a_port_that_is_taken_is_reported_once(log: Path, shares: bool) -> None:
    with (
        socket.create_server(("127.0.0.1", 0), reuse_port=shares) as taken,
        aws(0) as on,
        start(on, log, port=taken.getsockname()[1]) as api,
    ):
        assert api.wait() == 1
        [line] = log.read_text().splitlines()
        assert str(taken.getsockname()[1]) in line
        assert "Set HOST and PORT" in line


def test_a_body_that_is_too_long_is_refused_with_its_length_and_in_chunks(api: Api) -> None:
    declared = api.ask(post(b"", length=LIMIT + 1))
    assert (declared.status, declared.problem) == (413, "too-large")
    in_chunks = api.ask(CHUNKED, chunk(b" " * (LIMIT // 2)) * 2, chunk(b" " * 2), b"0\r\n\r\n")
    assert (in_chunks.status, in_chunks.problem) == (413, "too-large")
    assert api.ask(CHUNKED, chunk(b" " * (LIMIT // 2)) * 2, b"0\r\n\r\n").problem == "not-json", "not one byte too long"


@pytest.mark.parametrize("begin", [post(EMAIL[:-1], length=len(EMAIL)), CHUNKED + chunk(EMAIL[:-1])])
def test_a_body_that_stalls_is_refused_in_time_and_its_connection_closed(api: Api, begin: bytes) -> None:
    with api.connect() as connection:
        began = time.monotonic()
        reply = connection.ask(begin)
        assert (reply.status, reply.problem) == (408, "request-timeout")
        assert reply.headers["connection"] == "close"
        assert BODY_SECONDS <= time.monotonic() - began < BODY_SECONDS + 5
        assert connection.is_ended()


def test_a_body_that_trickles_is_refused_in_time(api: Api) -> None:
    with api.connect() as connection:
        ended = threading.Event()

        def trickle() -> None:
            while not ended.wait(BODY_SECONDS / 10):
                connection.send(b" ")

        thread = threading.Thread(target=trickle)
        connection.send(post(b"", length=1000))
        thread.start()
        reply = connection.reply()
        ended.set()
        thread.join()
        assert reply.status == 408


def test_a_body_that_breaks_off_is_not_taken_for_a_whole_one(api: Api) -> None:
    for begin in (post(EMAIL, length=len(EMAIL) + 1), CHUNKED + chunk(EMAIL)):
        with api.connect() as connection:
            connection.send(begin)
            connection.end_sending()
            reply = connection.reply()
            assert (reply.status, reply.problem) == (400, "malformed-request")


@pytest.mark.timeout(120)
def test_stalled_clients_do_not_keep_a_good_one_waiting(log: Path) -> None:
    _allow_files(2 * STALLED)
    # Not all of them fit into one process, so each must take its share.
    with running(log, connections=STALLED * 3 // 4, body_seconds=STALLED_SECONDS) as api, ExitStack() as stack:
        for number in range(STALLED):
            connection = stack.enter_context(api.connect())
            connection.send(post(EMAIL[:10], length=len(EMAIL)) if number % 2 else post(EMAIL)[:10])
        began = time.monotonic()
        for _ in range(20):
            assert api.ask(post(EMAIL)).status == 200
            assert api.ask(get()).status == 200
        # Nobody waited for a stalled body: one after the other, forty turns of theirs would take forty minutes.
        assert time.monotonic() - began < STALLED_SECONDS


BAD = {
    "a TLS handshake": b"\x16\x03\x01\x02\x00\r\n\r\n",
    "not ASCII": b"GET /\xff HTTP/1.1\r\n\r\n",
    "no version": b"GET /\r\n\r\n",
    "another version": b"GET / HTTP/9.9\r\n\r\n",
    "a length that is none": b"POST /publish HTTP/1.1\r\nContent-Length: some\r\n\r\n",
    "two lengths": b"POST /publish HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "a length and chunks": CHUNKED[:-2] + b"Content-Length: 2\r\n\r\n0\r\n\r\n",
    "an unknown coding": b"POST /publish HTTP/1.1\r\nTransfer-Encoding: rot13\r\n\r\n",
    "a chunk without a size": CHUNKED + b"x\r\n",
    "a chunk without an end": CHUNKED + b"1\r\nab\r\n",
    "a bad trailer": CHUNKED + b"0\r\nno colon\r\n\r\n",
    "a trailer that is too long": CHUNKED + b"0\r\nA: " + b"x" * 100_000 + b"\r\n\r\n",
    "a header that is too long": b"GET / HTTP/1.1\r\nA: " + b"x" * 100_000 + b"\r\n\r\n",
    "too many headers": b"GET / HTTP/1.1\r\n" + b"A: a\r\n" * 1000 + b"\r\n",
    "a target that is too long": b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\n\r\n",
    "an expectation": b"GET / HTTP/1.1\r\nExpect: the unexpected\r\n\r\n",
    "an address that is none": b"GET http://[ HTTP/1.1\r\n\r\n",
    "a host that is none": b"GET / HTTP/1.1\r\nHost: \xff\r\n\r\n",
}


@pytest.mark.parametrize("request_", BAD.values(), ids=BAD)
def test_what_is_not_http_is_the_clients_fault(api: Api, request_: bytes) -> None:
    assert 400 <= api.ask(request_).status < 500


@given(st.data())
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_bytes_are_the_servers_fault(api: Api, data: st.DataObject) -> None:
    good = data.draw(st.sampled_from([post(EMAIL), CHUNKED + chunk(EMAIL) + b"0\r\nA: a\r\n\r\n", get()]))
    at = data.draw(st.integers(0, len(good)))
    inserted = data.draw(st.binary(max_size=5) | st.sampled_from([b"\r\n", b"\n", b":", b" ", b"-1", b"\0"]))
    with api.connect() as connection:
        connection.send(good[:at] + inserted + good[at + data.draw(st.integers(0, 5)) :])
        connection.end_sending()
        assert connection.status_or_end() < 500


@pytest.mark.parametrize("name", ["Content_Length", "Transfer_Encoding", "Content_Type", "Host", "Script_Name", "X_A"])
@pytest.mark.parametrize("value", ["1", "chunked", "\xff", ""])
def test_a_header_with_an_underscore_does_not_disturb_its_twin(api: Api, name: str, value: str) -> None:
    headers = (
        f"{name.replace('_', '-')}-: a\r\n{name.replace('-', '_')}_: a\r\nIdempotency_Key: ,\r\n{name}: {value}\r\n"
    )
    head, body = post(EMAIL).split(b"\r\n\r\n", 1)
    without_host = head.replace(b"Host: a\r\n", b"") if name == "Host" else head
    reply = api.ask(without_host, b"\r\n", headers.encode("latin-1"), b"\r\n", body)
    assert reply.status in ({200, 400} if name == "Host" else {200})


def test_a_forwarded_scheme_is_not_believed(api: Api) -> None:
    head = b"GET /health HTTP/1.1\r\nHost: a\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Ssl: off\r\n\r\n"
    assert api.ask(head).status == 200, "two schemes would be a fault if they were looked at"


def test_a_connection_is_kept_as_long_as_it_was_set(log: Path) -> None:
    with running(log, keep_alive_seconds=2, processes=1) as api, api.connect() as connection:
        assert connection.ask(get()).headers["connection"] == "keep-alive"
        began = time.monotonic()
        assert connection.is_ended()
        assert 1.5 < time.monotonic() - began < 5


def test_a_worker_that_was_killed_is_started_again(log: Path) -> None:
    with running(log) as api:
        before = {worker.pid for worker in api.workers()}
        for worker in api.workers():
            worker.kill()
        until(lambda: {worker.pid for worker in api.workers()} - before, "a new worker", seconds=SECONDS)
        until(lambda: _answers(api), "an answer", seconds=SECONDS, seen=log.read_text)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_end(log: Path, number: signal.Signals) -> None:
    with running(log, delay_ms=2000, drain_seconds=1) as api, ExitStack() as stack:
        idle = [stack.enter_context(api.connect()) for _ in range(300)]
        assert {connection.ask(get()).status for connection in idle} == {200}
        in_flight = [stack.enter_context(api.connect()) for _ in range(20)]
        for connection in in_flight:
            connection.send(post(EMAIL))
        until(lambda: "GetParameter" in api.aws.counts(), "a request in flight", seconds=SECONDS)
        began = time.monotonic()
        api.process.send_signal(number)
        if number == signal.SIGINT:
            for worker in api.workers():
                worker.send_signal(number)
        draining = until(lambda: _with_status(503, lambda: api.ask(get())), "a 503", seconds=SECONDS)
        assert draining is not None
        assert draining.headers["connection"] == "close"
        assert api.ask(get("/openapi.json")).status == 200, "everything else goes on"
        assert time.monotonic() - began < 2, "too slow to see what the API did meanwhile"
        assert {connection.reply().status for connection in in_flight} == {200}
        assert all(connection.is_ended() for connection in (*idle, *in_flight))
        assert api.wait() == 0
        assert 1 < time.monotonic() - began < 12
        assert '"message": "draining"' in log.read_text()


def test_a_request_that_has_arrived_is_served_after_the_listener_closed(log: Path) -> None:
    """Its body comes late, over a connection that was there before."""
    with running(log, delay_ms=500, processes=1) as api, api.connect() as connection:
        connection.send(post(EMAIL[:10], length=len(EMAIL)))
        api.process.terminate()
        until(lambda: not _accepts(api), "the listener to close", seconds=SECONDS)
        assert connection.ask(EMAIL[10:]).status == 200
        assert api.wait() == 0


@pytest.mark.timeout(120)
def test_a_signal_while_it_loads_ends_it_in_order(tmp_path: Path) -> None:
    with aws(0) as on, ExitStack() as stack:
        apis = []
        for number in range(12):
            api = stack.enter_context(start(on, tmp_path / str(number)))
            apis.append(api)
            until(lambda api=api: _handles(signal.SIGTERM, api), "its first handler", seconds=SECONDS)  # type: ignore[misc]  # bound now
            threading.Event().wait(number * 0.2)
            api.process.terminate()
        assert {number: api.wait() for number, api in enumerate(apis)} == dict.fromkeys(range(12), 0)


def _with_status(status: int, ask: Callable[[], Reply]) -> Reply | None:
    reply = ask()
    return reply if reply.status == status else None


def _handles(number: signal.Signals, api: Api) -> bool:
    """Whether the process has a handler for a signal; what comes before that, a container's first process ignores."""
    status = Path(f"/proc/{api.process.pid}/status").read_text()
    [caught] = re.findall("SigCgt:\\s*([0-9a-f]+)", status)
    return bool(int(caught, 16) >> (number - 1) & 1)


def _accepts(api: Api) -> bool:
    try:
        with api.connect():
            return True
    except ConnectionRefusedError:
        return False


def _answers(api: Api) -> bool:
    return _accepts(api) and api.ask(get()).status == 200


def _allow_files(count: int) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(count, resource.getrlimit(resource.RLIMIT_NOFILE)[0]), hard))
