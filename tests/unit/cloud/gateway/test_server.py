"""Which calls a gateway forwards, what faults do to them, and the trail that it writes."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import struct
import threading
import time
from collections.abc import Coroutine, Iterator
from typing import Any

import pytest

from sim.cloud.gateway.control_client import GatewayControl, GatewayFailed, GatewayState
from sim.cloud.gateway.server import ControlConnection, Gateway, Port
from sim.cloud.gateway.trail import TrailEntry, read, summarize
from sim.faults.plan import BadPlan, Fault, FaultPlan, Rule
from sim.host.process import free_port
from sim.host.waiting import until

SECONDS = 3
"""Longer than anything here takes; a socket that is silent for so long fails its test."""
SEND = b"POST / HTTP/1.1\r\nHost: sqs\r\nX-Amz-Target: AmazonSQS.SendMessageBatch\r\nContent-Length: %d\r\n\r\n%b"
OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"
BATCH = json.dumps({"Entries": [{"Id": str(number)} for number in range(10)]}).encode()


class Running:
    """A gateway in a thread of its own."""

    def __init__(self, upstream: tuple[str, int]) -> None:
        self.trail: list[TrailEntry] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self.gateway = Gateway(upstream, self.trail.append)
        self.numbers = {"api-sqs": free_port(), "worker-sqs": free_port()}
        self._ports = {
            name: Port(self.gateway, name.partition("-")[0], ("127.0.0.1", number))
            for name, number in self.numbers.items()
        }
        control = free_port()
        self.run(self._serve(control))
        self.control = GatewayControl(f"http://127.0.0.1:{control}")

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(SECONDS)

    def connect(self, name: str = "api-sqs") -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.numbers[name]), timeout=SECONDS)

    def stop(self) -> None:
        for port in self._ports.values():
            self.run(port.cut())
        self._server.close()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(SECONDS)
        self._loop.close()

    def ended(self, number: int = 1) -> TrailEntry:
        until(lambda: len(self.trail) >= number, f"{number} calls to end", seconds=SECONDS)
        return self.trail[number - 1]

    async def _serve(self, number: int) -> None:
        for port in self._ports.values():
            await port.open()
        self._server = await self._loop.create_server(
            lambda: ControlConnection(self.gateway, self._ports), "127.0.0.1", number
        )


@pytest.fixture
def upstream() -> Iterator[socket.socket]:
    """A listening port; what is accepted is for the test to answer."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(SECONDS)
        yield listener


@pytest.fixture
def gateway(upstream: socket.socket) -> Iterator[Running]:
    running = Running(upstream.getsockname())
    yield running
    running.stop()


def accepted(upstream: socket.socket) -> socket.socket:
    server, _ = upstream.accept()
    server.settimeout(SECONDS)
    return server


def read_until(connection: socket.socket, end: bytes) -> bytes:
    received = b""
    while not received.endswith(end):
        more = connection.recv(65_536)
        if not more:
            break
        received += more
    return received


def is_over(connection: socket.socket) -> bool:
    """Whether it has ended or was reset; fails with TimeoutError if it goes on in silence."""
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


def nothing_came(upstream: socket.socket) -> bool:
    upstream.settimeout(0.1)
    with contextlib.suppress(TimeoutError):
        upstream.accept()
        return False
    return True


def test_a_call_and_its_answer_are_forwarded_and_leave_a_trail(gateway: Running, upstream: socket.socket) -> None:
    with gateway.connect() as client:
        for number in (1, 2):
            client.sendall(SEND % (len(BATCH), BATCH))
            if number == 1:
                server = accepted(upstream)
            received = read_until(server, BATCH)
            assert b"X-Amz-Target: AmazonSQS.SendMessageBatch\r\n" in received
            assert b"Host: sqs\r\n" in received
            server.sendall(OK)
            assert read_until(client, b"ok") == OK
            entry = gateway.ended(number)
            assert (entry.caller, entry.service, entry.operation) == ("api", "sqs", "SendMessageBatch")
            assert (entry.outcome, entry.faults) == ("200", ())
            assert list(read([entry.line(), "Traceback:"])) == [entry]
        server.close()


def test_a_call_that_has_no_route_to_aws_gets_no_answer_until_the_caller_gives_up(
    gateway: Running, upstream: socket.socket
) -> None:
    with gateway.connect() as client:
        client.sendall(SEND % (len(BATCH), BATCH))
        with accepted(upstream) as server:
            read_until(server, BATCH)
            server.sendall(b"HTTP/1.1 504 Gateway Timeout\r\nX-Sim-No-Route: nat-1\r\nContent-Length: 0\r\n\r\n")
            client.settimeout(0.3)
            with pytest.raises(TimeoutError):
                client.recv(1)
    assert gateway.ended().outcome == "gone"


def test_half_an_upload_is_never_forwarded(gateway: Running, upstream: socket.socket) -> None:
    with gateway.connect("worker-sqs") as client:
        client.sendall((SEND % (100_000, b"x" * 100_000))[:-1])
        gateway.control.cut("worker-sqs")
        assert is_over(client)
    assert nothing_came(upstream)


def test_what_was_sent_in_chunks_arrives_whole(gateway: Running, upstream: socket.socket) -> None:
    with gateway.connect() as client:
        client.sendall(b"PUT /b/k HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n")
        with accepted(upstream) as server:
            assert b"Content-Length: 6\r\n\r\nonetwo" in read_until(server, b"onetwo")


def test_a_head_keeps_its_content_length_and_has_no_body(gateway: Running, upstream: socket.socket) -> None:
    with gateway.connect() as client:
        for _ in range(2):
            client.sendall(b"HEAD /b/k HTTP/1.1\r\n\r\n")
            with accepted(upstream) as server:
                assert read_until(server, b"\r\n\r\n") == b"HEAD /b/k HTTP/1.1\r\n\r\n"
                server.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 700\r\nETag: x\r\n\r\n")
                assert read_until(client, b"\r\n\r\n") == (b"HTTP/1.1 200 OK\r\nETag: x\r\nContent-Length: 700\r\n\r\n")


def test_an_error_to_a_head_has_no_body(gateway: Running) -> None:
    gateway.control.inject(FaultPlan((Rule(Fault.THROTTLE),)))
    with gateway.connect() as client:
        for _ in range(2):
            client.sendall(b"HEAD /b/k HTTP/1.1\r\n\r\n")
            assert read_until(client, b"\r\n\r\n").startswith(b"HTTP/1.1 503 ")


@pytest.mark.parametrize(("method", "length"), [("GET", b""), ("DELETE", b""), ("PUT", b"Content-Length: 0\r\n")])
def test_only_a_method_that_has_bodies_says_that_there_is_none(
    gateway: Running, upstream: socket.socket, method: str, length: bytes
) -> None:
    line = f"{method} /b/k HTTP/1.1\r\n".encode()
    with gateway.connect() as client:
        client.sendall(line + b"\r\n")
        with accepted(upstream) as server:
            assert read_until(server, b"\r\n\r\n") == line + length + b"\r\n"
            server.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
            assert read_until(client, b"\r\n\r\n") == b"HTTP/1.1 204 No Content\r\n\r\n"


def test_a_client_that_waits_for_100_may_go_on(gateway: Running) -> None:
    with gateway.connect() as client:
        client.sendall(b"PUT /b/k HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n")
        assert read_until(client, b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"


def test_without_an_upstream_a_connection_is_reset(gateway: Running, upstream: socket.socket) -> None:
    upstream.close()
    with gateway.connect() as client:
        client.sendall(SEND % (2, b"{}"))
        assert is_over(client)
    assert gateway.ended().outcome == "reset"


def test_an_upstream_that_ends_in_the_middle_is_a_reset(gateway: Running, upstream: socket.socket) -> None:
    with gateway.connect() as client:
        client.sendall(SEND % (2, b"{}"))
        with accepted(upstream) as server:
            read_until(server, b"{}")
            server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        assert is_over(client)
    assert gateway.ended().outcome == "reset"


def test_a_client_that_goes_ends_its_call_and_leaves_a_trail(gateway: Running, upstream: socket.socket) -> None:
    with gateway.connect() as client:
        client.sendall(SEND % (2, b"{}"))
        server = accepted(upstream)
        read_until(server, b"{}")
    with server:
        assert is_over(server)
    assert gateway.ended().outcome == "gone"


def test_a_cut_resets_and_refuses_until_it_is_mended(gateway: Running, upstream: socket.socket) -> None:
    with gateway.connect() as client, gateway.connect("worker-sqs") as other:
        for _ in range(2):
            gateway.control.cut("api-sqs")
        assert is_over(client)
        with pytest.raises(ConnectionRefusedError):
            gateway.connect()
        other.sendall(SEND % (2, b"{}"))
        accepted(upstream).close()
    for _ in range(2):
        gateway.control.mend("api-sqs")
    with gateway.connect() as client:
        client.sendall(SEND % (2, b"{}"))
        accepted(upstream).close()


def test_it_says_which_faults_act_and_which_ports_are_closed(gateway: Running) -> None:
    assert gateway.control.state() == GatewayState(FaultPlan(), ())
    plan = FaultPlan((Rule(Fault.LATENCY, caller="api", seconds=2),), seed=7)
    gateway.control.inject(plan)
    gateway.control.cut("worker-sqs")
    assert gateway.control.state() == GatewayState(plan, ("worker-sqs",))


def test_an_error_names_what_the_gateway_cannot_do(gateway: Running) -> None:
    with pytest.raises(GatewayFailed, match="its ports are api-sqs, worker-sqs"):
        gateway.control.cut("api-s3")
    with pytest.raises(GatewayFailed, match="the gateway cannot do reordering"):
        gateway.control.inject(FaultPlan((Rule(Fault.REORDERING),)))
    with pytest.raises(BadPlan):
        gateway.gateway.inject(FaultPlan((Rule(Fault.DUPLICATE_DELIVERY),)))
    with pytest.raises(GatewayFailed, match="see its log"):
        GatewayControl(f"http://127.0.0.1:{free_port()}").clear_faults()


@pytest.mark.parametrize("fault", [Fault.THROTTLE, Fault.INTERNAL_ERROR, Fault.UNAVAILABLE])
def test_a_call_with_an_error_of_aws_never_arrives(gateway: Running, upstream: socket.socket, fault: Fault) -> None:
    gateway.control.inject(FaultPlan((Rule(fault, caller="api"),)))
    with gateway.connect() as client:
        client.sendall(SEND % (2, b"{}"))
        assert str(fault).encode() in read_until(client, b"}")
    assert gateway.ended().faults == (fault,)
    assert nothing_came(upstream)


def test_of_the_faults_only_the_first_stops_a_call_and_those_that_slow_it_stay(
    gateway: Running, upstream: socket.socket
) -> None:
    rules = (Rule(Fault.ANSWER_LOST), Rule(Fault.THROTTLE), Rule(Fault.RESET_PEER), Rule(Fault.LATENCY, seconds=0))
    gateway.control.inject(FaultPlan(rules))
    with gateway.connect() as client:
        client.sendall(SEND % (2, b"{}"))
        assert b"throttle" in read_until(client, b"}")
    assert gateway.ended().faults == ("latency", "throttle")
    assert nothing_came(upstream)


def test_a_receive_finds_nothing_though_there_is_something(gateway: Running, upstream: socket.socket) -> None:
    gateway.control.inject(FaultPlan((Rule(Fault.EMPTY_RECEIVE),)))
    with gateway.connect("worker-sqs") as client:
        client.sendall((SEND % (2, b"{}")).replace(b"SendMessageBatch", b"ReceiveMessage"))
        assert read_until(client, b"{}").startswith(b"HTTP/1.1 200 OK\r\n")
    assert nothing_came(upstream)


def test_a_reset_comes_before_the_call(gateway: Running, upstream: socket.socket) -> None:
    gateway.control.inject(FaultPlan((Rule(Fault.RESET_PEER),)))
    with gateway.connect() as client:
        client.sendall(SEND % (2, b"{}"))
        assert is_over(client)
    assert gateway.ended().outcome == "reset"
    assert nothing_came(upstream)


def test_an_answer_is_lost_after_the_call(gateway: Running, upstream: socket.socket) -> None:
    gateway.control.inject(FaultPlan((Rule(Fault.ANSWER_LOST),)))
    with gateway.connect() as client:
        client.sendall(SEND % (2, b"{}"))
        with accepted(upstream) as server:
            read_until(server, b"{}")
            server.sendall(OK)
            assert is_over(client)
    assert (gateway.ended().outcome, gateway.ended().faults) == ("lost", ("answer-lost",))


def test_a_part_of_a_batch_fails_and_the_rest_arrives(gateway: Running, upstream: socket.socket) -> None:
    gateway.control.inject(FaultPlan((Rule(Fault.PARTIAL_BATCH_FAILURE),)))
    with gateway.connect() as client:
        client.sendall(SEND % (len(BATCH), BATCH))
        with accepted(upstream) as server:
            arrived = json.loads(read_until(server, b"]}").partition(b"\r\n\r\n")[2])["Entries"]
            successful = json.dumps({"Successful": arrived}).encode()
            server.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(successful), successful))
            answer = json.loads(read_until(client, b"]}").partition(b"\r\n\r\n")[2])
    assert 0 < len(answer["Failed"]) < 10
    assert {entry["Id"] for entry in [*answer["Failed"], *answer["Successful"]]} == set("0123456789")


@pytest.mark.parametrize(
    "rule", [Rule(Fault.LATENCY, seconds=0.2), Rule(Fault.BANDWIDTH, rate=0.01)], ids=lambda rule: rule.fault
)
def test_a_slow_call_arrives(gateway: Running, upstream: socket.socket, rule: Rule) -> None:
    gateway.control.inject(FaultPlan((rule,)))
    began = time.monotonic()
    with gateway.connect() as client:
        client.sendall(SEND % (2, b"{}"))
        with accepted(upstream) as server:
            read_until(server, b"{}")
            assert time.monotonic() - began >= 0.2
            server.sendall(OK)
            assert read_until(client, b"ok") == OK


def test_cleared_faults_are_over(gateway: Running, upstream: socket.socket) -> None:
    gateway.control.inject(FaultPlan((Rule(Fault.RESET_PEER),)))
    gateway.control.clear_faults()
    with gateway.connect() as client:
        client.sendall(SEND % (2, b"{}"))
        accepted(upstream).close()


def test_the_trail_is_summed_up() -> None:
    def entry(operation: str, outcome: str, *faults: str) -> TrailEntry:
        return TrailEntry("api", "sqs", operation, outcome, faults, 0, 1)

    summary = summarize(
        [
            entry("SendMessageBatch", "200"),
            entry("SendMessageBatch", "lost", "latency", "answer-lost"),
            entry("GetParameter", "reset", "reset-peer"),
        ]
    )
    assert summary.calls == {"api GetParameter": 1, "api SendMessageBatch": 2}
    assert summary.faults == {
        "answer-lost SendMessageBatch": 1,
        "latency SendMessageBatch": 1,
        "reset-peer GetParameter": 1,
    }
    assert summary.requests == 2


def test_a_client_that_asks_for_the_end_of_its_connection_gets_it(gateway: Running, upstream: socket.socket) -> None:
    with gateway.connect() as client:
        client.sendall(b"GET /b/k HTTP/1.1\r\nConnection: close\r\n\r\n")
        server = accepted(upstream)
        read_until(server, b"\r\n\r\n")
        server.sendall(OK)
        assert read_until(client, b"no end but the connection's") == OK
        server.close()
