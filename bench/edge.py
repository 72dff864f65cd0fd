"""Measures the edge: its CPU time for a request beside HAProxy's, and the API's p99 through it beside the API's own."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from statistics import median
from typing import Final

import psutil

from bench import contestants, load
from bench.contestants import PRODUCT, running
from bench.control_plane import ControlPlane
from bench.measure import MANY, PUBLISH, Schedule
from sim.cloud.http import Request
from sim.cluster.balancer.checks import HealthCheck
from sim.cluster.balancer.classic import Settings
from sim.cluster.balancer.nodes import Delays, Policy
from sim.cluster.desired import (
    CheckTarget,
    Desired,
    DesiredBalancer,
    DesiredInstance,
    DesiredListener,
    DesiredTarget,
    HostPort,
    Place,
)
from sim.errors import SimError
from sim.host.cleanup import Cleanup
from sim.host.loopback import NoAnswer, request
from sim.host.process import Process, free_port
from sim.host.waiting import until

_SECONDS: Final = 30.0
_CPU_BOUND: Final = 3.0
_P99_BOUND: Final = 2.0
_PORT: Final = 80
_INSTANCE_PORT: Final = 8080
_PLACE: Final = Place("000000000000", "eu-central-1")
_AS_A_BROWSER: Final = Request(
    b"GET",
    b"/health",
    [
        (b"Host", b"api.example.com"),
        (b"User-Agent", b"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
        (b"Accept", b"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
        (b"Accept-Language", b"en-US,en;q=0.5"),
        (b"Accept-Encoding", b"gzip, deflate, br"),
    ],
    b"",
)
_HAPROXY: Final = """\
global
  nbthread 1
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
listen web
  bind 127.0.0.1:{port}
  balance leastconn
  option forwardfor
  http-reuse always
  http-request set-header X-Forwarded-Port 80
  http-request set-header X-Forwarded-Proto http
{servers}
"""


@dataclass(frozen=True)
class Beside:
    """A figure of the edge beside that of what it is compared with; `bound` is the goal for their ratio."""

    figure: str
    edge: float
    other: float
    bound: float

    def row(self) -> Mapping[str, object]:
        """As a row of the benchmark's table, whose column `plain` has what the edge is compared with."""
        ratio = self.edge / self.other
        goal = f"<= {self.bound:g} times plain: {'reached' if ratio <= self.bound else 'MISSED'}"
        numbers = {"plain": self.other, "product": self.edge, "ratio": ratio}
        return {"figure": self.figure, **{name: round(each, 1) for name, each in numbers.items()}, "goal": goal}


def measure(schedule: Schedule, *, delay_ms: float, progress: Callable[[str], None]) -> list[Beside]:
    """The medians of all rounds. The comparison with HAProxy is left out where it is not installed."""
    rounds: list[list[Beside]] = []
    with ExitStack() as stack:
        ports = [free_port(), free_port()]
        for number, port in enumerate(ports):
            stack.enter_context(running(f"instance-{number}", [sys.executable, "-m", "bench.instance", str(port)]))
        edge, edge_port = stack.enter_context(_edge("edge", ports))
        haproxy = stack.enter_context(_haproxy(ports)) if shutil.which("haproxy") else None
        stub = stack.enter_context(contestants.aws(delay_ms, "aws-of-the-edge"))
        _, api = stack.enter_context(contestants.api(PRODUCT, stub))
        _, through = stack.enter_context(_edge("edge-of-the-api", [api]))
        for number in range(1, schedule.rounds + 1):
            figures = []
            if haproxy is not None:
                progress(f"round {number}: the edge and HAProxy")
                ours, other = _cpu_us(edge, edge_port, schedule), _cpu_us(*haproxy, schedule)
                figures.append(Beside("CPU us of the edge a request (plain: HAProxy)", ours, other, _CPU_BOUND))
            progress(f"round {number}: the API through the edge and alone")
            ours, other = _p99(through, schedule), _p99(api, schedule)
            figures.append(
                Beside(
                    f"p99 of a publish in ms through the edge, {MANY} clients (plain: the API alone)",
                    ours,
                    other,
                    _P99_BOUND,
                )
            )
            rounds.append(figures)
    return [_median(each) for each in zip(*rounds, strict=True)]


def _median(rounds: Sequence[Beside]) -> Beside:
    return replace(rounds[0], edge=median(each.edge for each in rounds), other=median(each.other for each in rounds))


def _cpu_us(process: Process, port: int, schedule: Schedule) -> float:
    used = psutil.Process(process.pid)
    before = used.cpu_times()
    result = load.run(port, _AS_A_BROWSER, MANY, warm_up=0, seconds=schedule.seconds)
    after = used.cpu_times()
    if result.failed:
        raise SimError(f"{process.name} did not answer {result.failed} requests with 200:\n{process.tail()}")
    return (after.user + after.system - before.user - before.system) / len(result.latencies) * 1e6


def _p99(port: int, schedule: Schedule) -> float:
    result = load.run(port, PUBLISH, MANY, warm_up=schedule.warm_up, seconds=schedule.seconds)
    return result.percentile_ms(99)


@contextmanager
def _edge(name: str, ports: list[int]) -> Iterator[tuple[Process, int]]:
    """An edge with one listener before these ports, once all are in service, and where it listens."""
    control = free_port()
    control_plane = ControlPlane(_desired(ports))
    control_plane.start()
    with Cleanup() as cleanup:
        command = [sys.executable, "-m", "sim.cloud.edge", "--cloud", f"127.0.0.1:{control_plane.port}"]
        command += ["--control", str(control), "--directory", str(cleanup.directory)]
        with running(name, command) as process:
            until(
                lambda: list(control_plane.reported.values()) == ["InService"] * len(ports),
                f"{name} to have all in service",
                seconds=_SECONDS,
                seen=lambda: (control_plane.reported, process.tail()),
            )
            shown = request("GET", f"http://127.0.0.1:{control}/listeners", seconds=_SECONDS).json()["listeners"]
            yield process, int(shown[0]["addresses"][-1].rpartition(":")[2])
    control_plane.stop()


def _desired(ports: list[int]) -> Desired:
    ids = [f"i-{port}" for port in ports]
    policy = Policy(("a",), HealthCheck(interval=1, timeout=1, healthy=2, unhealthy=2), delays=Delays())
    balancer = DesiredBalancer(
        "web",
        _PLACE,
        "web.elb.amazonaws.com",
        Settings(policy, desync="strictest"),
        CheckTarget("TCP", _INSTANCE_PORT),
        (DesiredListener("HTTP", _PORT, "HTTP", _INSTANCE_PORT),),
        tuple(DesiredTarget(each, 1) for each in ids),
    )
    return Desired(
        1,
        tuple(DesiredInstance(each, _PLACE, "a", "10.0.0.1", "t3.small", "ami", "") for each in ids),
        (),
        (balancer,),
        tuple(HostPort(f"i-{port}", "tcp", _INSTANCE_PORT, f"127.0.0.1:{port}") for port in ports),
    )


@contextmanager
def _haproxy(ports: list[int]) -> Iterator[tuple[Process, int]]:
    port = free_port()
    with Cleanup() as cleanup:
        file = cleanup.directory / "haproxy.cfg"
        servers = "\n".join(f"  server s{each} 127.0.0.1:{each}" for each in ports)
        file.write_text(_HAPROXY.format(port=port, servers=servers))
        with running("haproxy", ["haproxy", "-f", str(file)]) as process:
            until(lambda: _answers(port), "HAProxy to answer", seconds=_SECONDS, seen=process.tail)
            yield process, port


def _answers(port: int) -> bool:
    try:
        return request("GET", f"http://127.0.0.1:{port}/", seconds=1).status == load.OK
    except NoAnswer:
        return False
