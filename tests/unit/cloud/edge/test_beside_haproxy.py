"""Good requests and their answers go through the edge as they go through HAProxy, byte for byte."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sim.host.cleanup import Cleanup
from sim.host.process import Process, free_port
from sim.host.waiting import until
from tests.unit.cloud.edge.running import HTTP_PORT, SECONDS, Running, answer, instances

pytestmark = pytest.mark.skipif(shutil.which("haproxy") is None, reason="HAProxy is not in PATH")

_CONFIGURATION = """\
defaults
  mode http
  timeout connect 5s
  timeout client 5s
  timeout server 5s
listen web
  bind 127.0.0.1:{port}
  server one 127.0.0.1:{instance}
"""
_OURS = (b"x-forwarded-", b"connection:", b"transfer-encoding:")

tokens = st.text("abcXYZ019!#$%&'*+.^_`|~-", min_size=1, max_size=12).map(lambda text: f"X-{text}".encode())
values = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=20).map(str.encode)
headers = st.lists(st.tuples(tokens, values).map(b": ".join), max_size=6)
# HAProxy has its own idea of these in a target, and answers 400.
targets = st.text("abcXYZ019-._~!$&'()*+,;=:@/?%", max_size=20).map(lambda text: f"/{text}".encode())
bodies = st.binary(max_size=2000)


def message(line: bytes, lines: list[bytes], body: bytes, *, chunked: bool) -> bytes:
    framing = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: %d" % len(body)
    sent = b"%x\r\n%b\r\n" % (len(body), body) if chunked and body else body
    end = b"0\r\n\r\n" if chunked else b""
    return b"\r\n".join([line, *lines, framing, b"", sent + end])


def meaning(raw: bytes) -> tuple[bytes, list[bytes], bytes]:
    """The first line, the headers that are not of one connection, and the body out of its chunks."""
    head, _, body = raw.partition(b"\r\n\r\n")
    line, *lines = head.split(b"\r\n")
    if any(each.lower().startswith(b"transfer-encoding: chunked") for each in lines):
        whole, rest = b"", body
        while size := int(rest.partition(b"\r\n")[0], 16):
            rest = rest.partition(b"\r\n")[2]
            whole, rest = whole + rest[:size], rest[size + 2 :]
        body = whole
    kept = [(each.partition(b":")[0].lower(), each.partition(b":")[2].strip()) for each in lines]
    return line, [b"%b: %b" % each for each in kept if not (each[0] + b":").startswith(_OURS)], body


@dataclass
class Instance:
    """What the instance saw last, and what it says next."""

    seen: bytes = b""
    says: bytes = b""

    def handle(self, connection: socket.socket) -> None:
        """One request a connection."""
        self.seen = answer(connection) or self.seen
        connection.sendall(self.says)


@dataclass
class Both:
    """The edge and HAProxy, before one instance."""

    instance: Instance
    ports: tuple[tuple[str, int], tuple[str, int]]


@pytest.fixture
def both(edge: Running) -> Iterator[Both]:
    instance, port = Instance(), free_port()
    with Cleanup() as cleanup, instances(instance.handle) as backs:
        edge.serve(*backs)
        file = cleanup.directory / "haproxy.cfg"
        file.write_text(_CONFIGURATION.format(port=port, instance=backs[0].port))
        haproxy = Process("haproxy", [shutil.which("haproxy") or "haproxy", "-f", str(file)], {}, cleanup)
        haproxy.start()
        try:
            until(lambda: _listens(port), "HAProxy", seconds=SECONDS, seen=haproxy.tail)
            yield Both(instance, (edge.balancer.listeners.open[HTTP_PORT].addresses[0], ("127.0.0.1", port)))
        finally:
            haproxy.kill()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def through(both: Both, address: tuple[str, int], request: bytes) -> tuple[bytes, bytes]:
    """What the instance got, and what the client got."""
    both.instance.seen = b""
    with socket.create_connection(address, timeout=SECONDS) as client:
        client.sendall(request)
        answered = answer(client)
    return both.instance.seen, answered


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    method=st.sampled_from([b"POST", b"PUT", b"PATCH", b"DELETE"]),
    target=targets,
    request_lines=headers,
    request_body=bodies,
    status=st.sampled_from([b"200 OK", b"201 Created", b"404 Not Here", b"503 "]),
    answer_lines=headers,
    answer_body=bodies,
    chunked=st.tuples(st.booleans(), st.booleans()),
)
def test_both_pass_on_the_same(
    both: Both,
    method: bytes,
    target: bytes,
    request_lines: list[bytes],
    request_body: bytes,
    status: bytes,
    answer_lines: list[bytes],
    answer_body: bytes,
    chunked: tuple[bool, bool],
) -> None:
    line = b"%b %b HTTP/1.1" % (method, target)
    request = message(line, [b"Host: web", *request_lines], request_body, chunked=chunked[0])
    both.instance.says = message(b"HTTP/1.1 " + status, answer_lines, answer_body, chunked=chunked[1])
    ours, theirs = (through(both, address, request) for address in both.ports)
    assert [meaning(each) for each in ours] == [meaning(each) for each in theirs]
