"""What goes through a relay, and what does not while it is cut."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator

import psutil
import pytest

from sim.cloud.relay import Relays
from sim.errors import SimError
from sim.waiting import until

SECONDS = 3
"""Longer than anything here takes; a socket that is silent for so long fails its test."""


@pytest.fixture
def upstream() -> Iterator[socket.socket]:
    """A listening port; what is accepted is for the test to answer."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(SECONDS)
        yield listener


@pytest.fixture
def relays(upstream: socket.socket) -> Iterator[Relays]:
    relays = Relays(["sqs", "s3"], upstream.getsockname())
    relays.start()
    yield relays
    relays.stop()


def address(relays: Relays, name: str) -> tuple[str, int]:
    host, _, port = relays.endpoint(name).removeprefix("http://").partition(":")
    return host, int(port)


def connect(relays: Relays, name: str) -> socket.socket:
    return socket.create_connection(address(relays, name), timeout=SECONDS)


def pair(relays: Relays, name: str, upstream: socket.socket) -> tuple[socket.socket, socket.socket]:
    """Both ends of a connection through a relay that has carried something already."""
    client = connect(relays, name)
    server, _ = upstream.accept()
    server.settimeout(SECONDS)
    client.sendall(b"!")
    assert server.recv(1) == b"!"
    return client, server


def is_over(connection: socket.socket) -> bool:
    """Whether it has ended or was reset; fails with TimeoutError if it goes on in silence."""
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


def read_all(connection: socket.socket) -> bytes:
    return b"".join(iter(lambda: connection.recv(65_536), b""))


def test_bytes_go_both_ways_and_so_does_their_end(relays: Relays, upstream: socket.socket) -> None:
    sent = bytes(range(256)) * 20_000
    client, server = pair(relays, "sqs", upstream)

    def echo() -> None:
        server.sendall(read_all(server))
        server.close()

    thread = threading.Thread(target=echo)
    with client:
        thread.start()
        client.sendall(sent)
        client.shutdown(socket.SHUT_WR)
        assert read_all(client) == sent
        thread.join()


def test_a_cut_ends_the_connections_that_there_are_at_both_ends(relays: Relays, upstream: socket.socket) -> None:
    client, server = pair(relays, "sqs", upstream)
    with client, server:
        relays.cut("sqs")
        assert is_over(client)
        assert is_over(server)


def test_while_it_is_cut_a_connection_is_refused(relays: Relays) -> None:
    relays.cut("sqs")
    with pytest.raises(ConnectionRefusedError):
        connect(relays, "sqs")


def test_it_opens_again_at_the_same_port(relays: Relays, upstream: socket.socket) -> None:
    before = relays.endpoint("sqs")
    for _ in range(3):
        relays.cut("sqs")
        relays.open("sqs")
        assert relays.endpoint("sqs") == before
        client, server = pair(relays, "sqs", upstream)
        client.close()
        server.close()


def test_to_cut_or_to_open_twice_is_to_do_it_once(relays: Relays, upstream: socket.socket) -> None:
    relays.open("sqs")
    relays.cut("sqs")
    relays.cut("sqs")
    relays.open("sqs")
    client, server = pair(relays, "sqs", upstream)
    client.close()
    server.close()


def test_a_cut_of_one_leaves_the_other_alone(relays: Relays, upstream: socket.socket) -> None:
    client, server = pair(relays, "s3", upstream)
    with client, server:
        relays.cut("sqs")
        server.sendall(b"still")
        assert client.recv(5) == b"still"
        other, other_server = pair(relays, "s3", upstream)
        other.close()
        other_server.close()


@pytest.fixture
def full() -> Iterator[tuple[str, int]]:
    """The address of a port that takes no more connections, and refuses none."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield listener.getsockname()


def test_a_connection_that_is_being_made_is_cut_too(full: tuple[str, int]) -> None:
    relays = Relays(["sqs"], full)
    relays.start()
    connecting = len(to(full))
    with connect(relays, "sqs") as client:
        until(lambda: len(to(full)) > connecting, "the relay to connect", seconds=SECONDS)
        relays.cut("sqs")
        assert is_over(client)
    relays.stop()


def to(remote: tuple[str, int]) -> list[object]:
    """This process's connections to an address that are not yet made."""
    mine = psutil.Process().net_connections("tcp")
    return [each for each in mine if each.raddr == remote and each.status == psutil.CONN_SYN_SENT]


def test_a_reset_of_the_upstream_is_one_of_the_client(relays: Relays, upstream: socket.socket) -> None:
    client, server = pair(relays, "sqs", upstream)
    with client:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        server.close()
        assert is_over(client)


def test_a_reset_of_the_client_is_one_of_the_upstream(relays: Relays, upstream: socket.socket) -> None:
    client, server = pair(relays, "sqs", upstream)
    with server:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
        assert is_over(server)


def test_without_an_upstream_a_connection_ends(relays: Relays, upstream: socket.socket) -> None:
    upstream.close()
    with connect(relays, "sqs") as client:
        assert is_over(client)


def test_after_the_stop_all_ports_are_closed(upstream: socket.socket) -> None:
    relays = Relays(["sqs", "s3"], upstream.getsockname())
    relays.start()
    ports = [address(relays, name) for name in ("sqs", "s3")]
    client, server = pair(relays, "sqs", upstream)
    with client, server:
        relays.stop()
        assert is_over(client)
    for port in ports:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(port, timeout=SECONDS)


def test_a_name_that_is_none_is_told_with_those_that_are(relays: Relays) -> None:
    with pytest.raises(SimError, match="no relay is named 'ssm'; there are: sqs, s3"):
        relays.cut("ssm")
