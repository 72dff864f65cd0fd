"""What an HTTP listener carries, and what it answers by itself."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from dataclasses import replace

import pytest

from sim.cluster.balancer.checks import HealthCheck
from sim.cluster.desired import DesiredTarget
from sim.host.waiting import until
from tests.unit.cloud.edge.running import (
    CHECK,
    OK,
    SECONDS,
    Running,
    answer,
    answering,
    balancer,
    instances,
    policy,
    settings,
)
from tests.unit.cloud.edge.running import instance as running_instance

GET = b"GET / HTTP/1.1\r\nHost: web\r\n\r\n"


def head_of(answered: bytes) -> list[bytes]:
    return answered.partition(b"\r\n\r\n")[0].split(b"\r\n")


def test_a_request_reaches_an_instance_with_its_headers_and_those_of_the_balancer(edge: Running) -> None:
    seen: list[bytes] = []
    with instances(answering(seen=seen)) as backs:
        edge.serve(*backs)
        answered = edge.ask(
            b"GET /a?b=%20c HTTP/1.1\r\nHost: web\r\nX-ODD-case:  kept \r\nConnection: X-Mine\r\nX-Mine: 1\r\n"
            b"X-Forwarded-For: 9.9.9.9\r\nX-Forwarded-Proto: gopher\r\nTE: trailers\r\n\r\n"
        )
    assert answered == b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok"
    assert seen[0].split(b"\r\n") == [
        b"GET /a?b=%20c HTTP/1.1",
        b"Host: web",
        b"X-ODD-case:  kept ",
        b"X-Forwarded-For: 9.9.9.9, 127.0.0.1",
        b"X-Forwarded-Port: 80",
        b"X-Forwarded-Proto: http",
        b"Connection: keep-alive",
    ]


def test_a_client_and_the_edge_keep_their_connections(edge: Running) -> None:
    carried: list[int] = []

    def handle(connection: socket.socket) -> None:
        while connection.recv(4096):
            carried.append(connection.getpeername()[1])
            connection.sendall(OK)

    with instances(handle) as backs:
        edge.serve(*backs)
        with edge.connect() as client:
            for _ in range(3):
                client.sendall(GET)
                assert answer(client).endswith(b"ok")
    assert len(set(carried)) == 1


def test_pipelined_requests_are_answered_in_turn(edge: Running) -> None:
    seen: list[bytes] = []
    with instances(answering(seen=seen)) as backs:
        edge.serve(*backs)
        with edge.connect() as client:
            client.sendall(
                b"\r\n".join(b"GET /%d HTTP/1.1\r\nHost: web\r\n" % number for number in range(20)) + b"\r\n"
            )
            for _ in range(20):
                assert _one(client) == b"ok"
    assert [each.split()[1] for each in seen] == [b"/%d" % number for number in range(20)]


def _one(client: socket.socket) -> bytes:
    """The body of exactly one answer of two bytes."""
    received = b""
    while not received.endswith(b"\r\n\r\nok"):
        received += client.recv(1)
    return received[-2:]


@pytest.mark.parametrize(
    ("request_", "line"),
    [
        (b"GET / HTTP/1.1\r\nHost: web\r\nContent-Length: 0\r\n\r\n", b"HTTP/1.1 400 BAD_REQUEST"),
        (b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", b"HTTP/1.1 400 BAD_REQUEST"),
        (b"GET /a b HTTP/1.1\r\nHost: web\r\n\r\n", b"HTTP/1.1 400 BAD_REQUEST"),
        (b"GET / HTTP/1.1\r\nHost: web\r\nno colon\r\n\r\n", b"HTTP/1.1 400 BAD_REQUEST"),
        (b"GET / HTTP/1.1\nHost: web\n\n", b"HTTP/1.1 400 BAD_REQUEST"),
        (b"GET / HTTP/1.1\r\nHost: web\r\nX: 1\r\n\tmore\r\n\r\n", b"HTTP/1.1 400 BAD_REQUEST"),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", b"HTTP/1.1 400 BAD_REQUEST"),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 70_000 + b"\r\n\r\n", b"HTTP/1.1 400 BAD_REQUEST"),
        (b"CONNECT web:80 HTTP/1.1\r\nHost: web\r\n\r\n", b"HTTP/1.1 400 BAD_REQUEST"),
        (b"X" * 128 + b" / HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n", b"HTTP/1.1 405 METHOD_NOT_ALLOWED"),
    ],
)
def test_what_is_no_good_request_never_reaches_an_instance(edge: Running, request_: bytes, line: bytes) -> None:
    seen: list[bytes] = []
    with instances(answering(seen=seen)) as backs:
        edge.serve(*backs)
        answered = edge.ask(request_)
    assert head_of(answered)[0] == line
    assert b"Content-Length: 0" in head_of(answered)
    assert not [each for each in seen if not each.startswith(b"POST / HTTP/1.1\r\nX-Forwarded")]


def test_without_an_instance_in_service_the_answer_is_503(edge: Running) -> None:
    edge.update(balancer())
    lines = head_of(edge.ask(GET))
    assert lines[0] == b"HTTP/1.1 503 Service Unavailable: Back-end server is at capacity"
    assert lines[1:3] == [b"Content-Length: 0", b"Connection: keep-alive"]
    assert lines[3].startswith(b"Date: ")


@pytest.mark.parametrize(
    ("says", "line"),
    [
        (b"", b"HTTP/1.1 504 GATEWAY_TIMEOUT"),
        (b"HTTP/1.1 200 OK\r\nContent-Le", b"HTTP/1.1 502 Bad Gateway"),
        (b"SSH-2.0-OpenSSH_9\r\n\r\n", b"HTTP/1.1 502 Bad Gateway"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\n", b"HTTP/1.1 502 Bad Gateway"),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", b"HTTP/1.1 502 Bad Gateway"),
    ],
)
def test_an_instance_that_closes_or_cannot_be_read(edge: Running, says: bytes, line: bytes) -> None:
    def handle(connection: socket.socket) -> None:
        if connection.recv(4096):
            connection.sendall(says)

    with instances(handle) as backs:
        edge.serve(*backs)
        assert head_of(edge.ask(GET))[0] == line


def test_an_instance_that_is_silent_for_the_idle_timeout_makes_a_504(edge: Running) -> None:
    with instances(_drain) as backs:
        edge.serve(*backs, settings=settings(idle_timeout=0.2))
        lines = head_of(edge.ask(GET))
    assert lines[0] == b"HTTP/1.1 504 GATEWAY_TIMEOUT"
    assert lines[1:4] == [b"Cache-Control: proxy-revalidate", b"Content-Length: 0", b"Connection: Keep-Alive"]


def _drain(connection: socket.socket) -> None:
    while connection.recv(65_536):
        pass


def test_a_client_that_stops_in_the_middle_of_a_request_gets_a_408(edge: Running) -> None:
    with instances(answering()) as backs:
        edge.serve(*backs, settings=settings(idle_timeout=0.2))
        assert head_of(edge.ask(b"GET / HTTP/1.1\r\nHo"))[0] == b"HTTP/1.1 408 REQUEST_TIMEOUT"
        with edge.connect() as client:
            assert client.recv(1) == b""  # said nothing, is told nothing


def test_a_body_is_streamed_and_a_slow_instance_slows_its_client(edge: Running) -> None:
    go, got = threading.Event(), []

    def slow(connection: socket.socket) -> None:
        if not go.wait(SECONDS):
            return
        received = b""
        while not received.endswith(b"END"):
            data = connection.recv(1 << 20)
            if not data:
                return
            got.append(len(data))
            received = (received + data)[-3:]
        connection.sendall(OK)

    with instances(slow) as backs:
        edge.serve(*backs)
        size = 64 << 20
        with edge.connect() as client:
            client.sendall(b"POST / HTTP/1.1\r\nHost: web\r\nContent-Length: %d\r\n\r\n" % (size + 3))
            client.settimeout(0.5)
            block = b"x" * 65_536
            sent = _send_until_it_waits(client, block)
            assert sent < size / 2  # what fits into buffers on the way, no more
            client.settimeout(SECONDS)
            go.set()
            while sent < size:
                sent += client.send(block[: size - sent])
            client.sendall(b"END")
            assert answer(client).endswith(b"ok")
    assert sum(got) > size


def _send_until_it_waits(client: socket.socket, block: bytes) -> int:
    """How many bytes the other side took."""
    sent = 0
    with contextlib.suppress(TimeoutError):
        while True:
            sent += client.send(block)
    return sent


def test_a_chunked_answer_and_an_endless_one(edge: Running) -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nX-T: 1\r\n\r\n"
    with instances(answering(chunked)) as backs:
        edge.serve(*backs)
        answered = edge.ask(GET)
        assert (
            b"Transfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n5\r\nabcde\r\n0\r\nX-T: 1\r\n\r\n" in answered
        )
        old = edge.ask(b"GET / HTTP/1.0\r\n\r\n")
        assert old == b"HTTP/1.0 200 OK\r\nConnection: close\r\n\r\nabcde"


def test_an_instance_that_refuses_is_passed_over(edge: Running) -> None:
    with instances(answering(), answering()) as backs:
        edge.serve(*backs, settings=settings())
        backs[0].stop()
        for _ in range(6):
            assert edge.ask(GET).endswith(b"ok")


def test_all_of_a_body_arrives_by_a_kept_connection_after_another_instance_has_refused(edge: Running) -> None:
    def whole(connection: socket.socket) -> None:
        last = b""
        while data := connection.recv(1 << 20):
            last = (last + data)[-3:]
            if last == b"END":
                connection.sendall(OK)

    size = 2_000_000
    post = b"POST / HTTP/1.1\r\nHost: web\r\nContent-Length: %d\r\n\r\n%sEND" % (size + 3, b"x" * size)
    never_out = policy(check=replace(CHECK, unhealthy=1000))
    with instances(whole, whole) as backs:
        edge.serve(*backs, settings=settings(policy=never_out))
        backs[0].stop()
        for _ in range(4):
            assert edge.ask(post).endswith(b"ok")


def test_requests_in_flight_are_finished_when_an_instance_drains(edge: Running) -> None:
    asked, go = threading.Event(), threading.Event()

    def handle(connection: socket.socket) -> None:
        if connection.recv(4096):
            asked.set()
            if go.wait(SECONDS):
                connection.sendall(OK)

    with instances(handle) as backs:
        edge.serve(*backs)
        with edge.connect() as client:
            client.sendall(GET)
            assert asked.wait(SECONDS)
            edge.update(balancer(), instances=(running_instance("i-1"),), ports=(backs[0].entry,))
            assert head_of(edge.ask(GET))[0].startswith(b"HTTP/1.1 503")
            assert edge.reports[-1] != ("i-1", None)
            go.set()
            assert answer(client).endswith(b"ok")
        edge.wait_for("i-1", None)


def test_a_lost_instance_is_silent_until_its_checks_have_failed(edge: Running) -> None:
    with instances(answering(), answering()) as backs:
        edge.serve(*backs)
        edge.update(
            balancer("i-1", "i-2"),
            instances=(running_instance("i-1", lost=True), running_instance("i-2")),
            ports=tuple(each.entry for each in backs),
        )
        edge.wait_for("i-1", "OutOfService")
        for _ in range(4):
            assert edge.ask(GET).endswith(b"ok")


def test_an_instance_that_comes_back_is_in_service_again(edge: Running) -> None:
    with instances(answering()) as backs:
        edge.serve(*backs)
        edge.update(balancer("i-1"), instances=(running_instance("i-1"),))
        edge.wait_for("i-1", "OutOfService")
        assert edge.reports[-1][1] is not None
        assert edge.reports[-1][1].description.startswith("Instance has failed")
        edge.update(balancer("i-1"), instances=(running_instance("i-1"),), ports=(backs[0].entry,))
        edge.wait_for("i-1", "InService")


def test_a_client_that_goes_leaves_nothing_behind(edge: Running) -> None:
    with instances(_drain) as backs:
        edge.serve(*backs)
        with edge.connect() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # it ends with a reset
            client.sendall(GET)
            node = next(iter(edge.balancer.health.nodes.values()))
            until(lambda: node.outstanding, "the request to be on its way", seconds=SECONDS)
        until(lambda: not node.outstanding, "nothing to be outstanding", seconds=SECONDS)
        until(lambda: not edge.balancer.listeners.open[80].connections, "no connection", seconds=SECONDS)


def test_an_instance_that_left_and_came_back_between_two_looks_is_a_new_target(edge: Running) -> None:
    with instances(answering()) as backs:
        edge.serve(*backs)
        again = replace(balancer(), targets=(DesiredTarget("i-1", 2),))
        edge.update(again, instances=(running_instance("i-1"),), ports=(backs[0].entry,))
        edge.wait_for("i-1", "InService")
    states = [health and health.state for _, health in edge.reports]
    assert states == ["OutOfService", "InService", "OutOfService", "InService"]


def test_after_a_start_it_routes_at_once_to_what_was_in_service(edge: Running) -> None:
    slow = replace(policy(), check=HealthCheck(interval=300))
    with instances(answering()) as backs:
        known = replace(balancer(), targets=(DesiredTarget("i-1", 1, in_service=True),), settings=settings(policy=slow))
        edge.update(known, instances=(running_instance("i-1"),), ports=(backs[0].entry,))
        with edge.connect() as client:
            client.sendall(GET)
            assert client.recv(100).startswith(b"HTTP/1.1 200")
    assert [health and health.state for _, health in edge.reports] == ["InService"]
