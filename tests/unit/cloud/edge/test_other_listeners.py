"""TCP, SSL and HTTPS listeners, cookies that bind a client, and the surge queue."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
from pathlib import Path

import pytest

from sim.cluster.balancer.stickiness import Stickiness, value_of
from sim.cluster.desired import CheckTarget
from sim.host.waiting import until
from tests.unit.cloud.edge.running import (
    INSTANCE_PORT,
    SECONDS,
    Running,
    answer,
    answering,
    balancer,
    instance,
    instances,
    listener,
    policy,
    settings,
)

GET = b"GET / HTTP/1.1\r\nHost: web\r\n\r\n"


def named(name: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(name), name)


def echo(connection: socket.socket) -> None:
    while data := connection.recv(65_536):
        connection.sendall(data)
    connection.shutdown(socket.SHUT_WR)


def _send_all(client: socket.socket, data: bytes) -> None:
    client.sendall(data)
    client.shutdown(socket.SHUT_WR)


def test_a_tcp_listener_carries_bytes_both_ways_and_each_end_of_its_own(edge: Running) -> None:
    with instances(echo) as backs:
        edge.serve(*backs, listeners=(listener("TCP", "TCP"),))
        with edge.connect() as client:
            sent = bytes(range(256)) * 4096
            threading.Thread(target=_send_all, args=(client, sent)).start()
            received = b""
            while data := client.recv(65_536):
                received += data
    assert received == sent


def test_tcp_connections_go_to_the_instances_in_turn(edge: Running) -> None:
    with instances(lambda c: c.sendall(b"1"), lambda c: c.sendall(b"2")) as backs:
        edge.serve(*backs, listeners=(listener("TCP", "TCP"),))
        first = []
        for _ in range(6):
            with edge.connect() as client:
                first.append(client.recv(1))
    assert sorted(first) == [b"1"] * 3 + [b"2"] * 3
    assert first[:2] == first[2:4] == first[4:]


def test_a_tcp_connection_without_an_instance_in_service_is_closed(edge: Running) -> None:
    edge.update(balancer(listeners=(listener("TCP", "TCP"),)))
    with edge.connect() as client:
        assert client.recv(1) == b""


def test_a_tcp_connection_that_is_idle_is_closed(edge: Running) -> None:
    with instances(echo) as backs:
        edge.serve(*backs, listeners=(listener("TCP", "TCP"),), settings=settings(idle_timeout=0.2))
        with edge.connect() as client:
            client.sendall(b"x")
            assert client.recv(1) == b"x"
            assert client.recv(1) == b""


def test_a_drain_waits_for_a_tcp_connection(edge: Running) -> None:
    with instances(echo) as backs:
        tcp = (listener("TCP", "TCP"),)
        edge.serve(*backs, listeners=tcp)
        with edge.connect() as client:
            client.sendall(b"x")
            assert client.recv(1) == b"x"
            edge.update(balancer(listeners=tcp), instances=(instance("i-1"),), ports=(backs[0].entry,))
            client.sendall(b"y")
            assert client.recv(1) == b"y"
            assert edge.reports[-1] != ("i-1", None)
        edge.wait_for("i-1", None)


def test_with_draining_off_a_deregistration_cuts_what_is_in_flight(edge: Running) -> None:
    with instances(echo) as backs:
        tcp, cut = (listener("TCP", "TCP"),), settings(policy=policy(drain=None))
        edge.serve(*backs, listeners=tcp, settings=cut)
        with edge.connect() as client:
            client.sendall(b"x")
            assert client.recv(1) == b"x"
            edge.update(balancer(listeners=tcp, settings=cut), instances=(instance("i-1"),), ports=(backs[0].entry,))
            assert client.recv(1) == b""
        edge.wait_for("i-1", None)


def trusting(directory: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(directory / "certificate.pem"))


@pytest.mark.parametrize(("protocol", "to"), [("HTTPS", "HTTP"), ("SSL", "TCP")])
def test_a_client_can_trust_the_certificate(edge: Running, tmp_path: Path, protocol: str, to: str) -> None:
    seen: list[bytes] = []
    with instances(answering(seen=seen)) as backs:
        edge.serve(*backs, listeners=(listener(protocol, to, 443),))  # type: ignore[arg-type]  # one of the literals
        with trusting(tmp_path).wrap_socket(edge.connect(443), server_hostname="localhost") as client:
            client.sendall(GET)
            assert answer(client).endswith(b"ok")
    assert (b"X-Forwarded-Proto: https" in seen[0]) == (protocol == "HTTPS")


def test_checks_and_requests_go_to_an_instance_over_tls(edge: Running, tmp_path: Path) -> None:
    edge.update(balancer(listeners=(listener("HTTPS", "HTTPS", 443),)))  # makes the certificate
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "certificate.pem", tmp_path / "certificate.key")
    seen: list[bytes] = []

    def over_tls(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as wrapped:
            answering(seen=seen)(wrapped)

    with instances(over_tls) as backs:
        check = CheckTarget("HTTPS", INSTANCE_PORT, "/health?deep=1")
        edge.serve(*backs, listeners=(listener("HTTPS", "HTTPS", 443),), check=check)
        with trusting(tmp_path).wrap_socket(edge.connect(443), server_hostname="localhost") as client:
            client.sendall(GET)
            assert answer(client).endswith(b"ok")
    lines = seen[0].split(b"\r\n")
    assert lines[0] == b"GET /health?deep=1 HTTP/1.1"
    assert b"Host: 10.0.0.1:8080" in lines
    assert b"User-Agent: ELB-HealthChecker/1.0" in lines


@pytest.mark.parametrize("says", [b"HTTP/1.1 204 No Content\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\nno length"])
def test_a_check_over_http_wants_a_200_with_a_clear_end(edge: Running, says: bytes) -> None:
    with instances(answering(says)) as backs:
        check = CheckTarget("HTTP", INSTANCE_PORT, "/health")
        edge.update(balancer("i-1", check=check), instances=(instance("i-1"),), ports=(backs[0].entry,))
        until(
            lambda: edge.reports[-1][1] is not None and "failed" in edge.reports[-1][1].description,
            "the instance to fail",
            seconds=SECONDS,
            seen=lambda: edge.reports,
        )


def test_a_cookie_binds_a_client_to_its_instance(edge: Running) -> None:
    with instances(answering(named(b"i-1")), answering(named(b"i-2"))) as backs:
        edge.serve(*backs, settings=settings(stickiness=Stickiness(60.0)))
        first = edge.ask(GET)
        bound = first[-3:]
        assert b"\r\nSet-Cookie: AWSELB=%b;PATH=/;MAX-AGE=60\r\n" % value_of(bound.decode()).encode() in first
        cookie = b"Cookie: a=b; AWSELB=%b\r\n\r\n" % value_of(bound.decode()).encode()
        again = [edge.ask(GET[:-2] + cookie) for _ in range(4)]
    assert {each[-3:] for each in again} == {bound}
    assert not [each for each in again if b"Set-Cookie" in each]


def test_requests_wait_in_the_surge_queue_until_an_instance_can_be_connected_to(edge: Running) -> None:
    slow = policy(check=settings().policy.check.__class__(interval=60.0, timeout=1.0, healthy=2, unhealthy=2))
    once = settings(policy=slow)
    with instances(answering()) as backs:
        # In service by the quick checks; the slow ones then do not see that nothing listens.
        edge.serve(*backs)
        edge.update(balancer("i-1", settings=once), instances=(instance("i-1"),))
        with edge.connect() as client:
            client.sendall(GET)
            node = next(iter(edge.balancer.health.nodes.values()))
            until(lambda: node.waiting, "the request to wait", seconds=SECONDS)
            edge.update(balancer("i-1", settings=once), instances=(instance("i-1"),), ports=(backs[0].entry,))
            assert answer(client).endswith(b"ok")


def test_a_client_that_does_not_read_holds_no_memory(edge: Running) -> None:
    size = 64 << 20
    sent: list[int] = []

    def handle(connection: socket.socket) -> None:
        if not connection.recv(4096):
            return
        connection.settimeout(None)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        block = b"x" * 65_536
        for _ in range(size // len(block)):
            connection.sendall(block)
            sent.append(len(block))

    with instances(handle) as backs:
        edge.serve(*backs)
        with edge.connect() as client:
            client.sendall(GET)
            until(lambda: _stands_still(sent), "the instance to wait", seconds=SECONDS)
            assert sum(sent) < size / 2
            received = 0
            while received < size:
                received += len(client.recv(1 << 20))


def _stands_still(sent: list[int]) -> bool:
    """True if nothing was added for a tenth of a second, and something before."""
    before = len(sent)
    return before > 0 and not threading.Event().wait(0.1) and len(sent) == before


def test_a_reset_of_an_instance_in_the_middle_of_an_answer_tears_the_clients(edge: Running) -> None:
    def handle(connection: socket.socket) -> None:
        if connection.recv(4096):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    with instances(handle) as backs:
        edge.serve(*backs)
        with edge.connect() as client:
            client.sendall(GET)
            received = b""
            with contextlib.suppress(ConnectionResetError):
                while data := client.recv(4096):
                    received += data
    assert received.endswith(b"half") or not received
