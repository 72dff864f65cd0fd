"""What an ALB carries by its rules, and what it answers by itself."""

from __future__ import annotations

import contextlib
import re
import socket
from dataclasses import replace
from typing import Any

from sim.cloud.edge.server import answered
from sim.cluster.balancer.listener_rules import Condition, FixedResponse, Forward, ListenerRule, Redirect
from sim.cluster.balancer.nodes import Delays
from sim.cluster.balancer.stickiness import ALB_COOKIE, Stickiness
from sim.cluster.balancer.target_group import GroupSettings
from sim.cluster.desired import (
    CheckTarget,
    DesiredApplicationBalancer,
    DesiredApplicationListener,
    DesiredTarget,
    DesiredTargetGroup,
    HostPort,
)
from sim.cluster.target_health import TargetHealth
from sim.host.waiting import until
from tests.unit.cloud.edge.running import (
    CHECK,
    HTTP_PORT,
    OK,
    PLACE,
    SECONDS,
    Instance,
    Running,
    answer,
    answering,
    instance,
    instances,
)

ALB = "arn:aws:elasticloadbalancing:eu-central-1:000000000000:loadbalancer/app/front/50dc6c495c0c9188"
GROUP = "arn:aws:elasticloadbalancing:eu-central-1:000000000000:targetgroup/web/73e2d6bc24d8a067"
SETTINGS = GroupSettings(("a",), CHECK, deregistration_delay=SECONDS, delays=Delays())
CHECKS = CheckTarget("HTTP", 0, "/health")
FIRST_PORT = 32768
GET = b"GET / HTTP/1.1\r\nHost: web\r\n\r\n"
GONE = ListenerRule(1, (Condition("path-pattern", ("/gone/*",)),), FixedResponse(410, "text/plain", "gone"))
SECURE = ListenerRule(2, (Condition("host-header", ("plain.*",)),), Redirect("HTTP_301", "HTTPS", port="443"))


def targets(count: int) -> tuple[DesiredTarget, ...]:
    """So many ports of one instance."""
    return tuple(DesiredTarget("i-1", 1, port=FIRST_PORT + number) for number in range(count))


def front(*registered: DesiredTarget, **more: Any) -> DesiredApplicationBalancer:
    """An ALB whose listener forwards to one group, but for two rules. `more` are settings of the group."""
    group = DesiredTargetGroup(GROUP, replace(SETTINGS, **more), "HTTP", CHECKS, registered)
    listener = DesiredApplicationListener("HTTP", HTTP_PORT, (GONE, SECURE), Forward(((GROUP, 1),)))
    return DesiredApplicationBalancer("front", ALB, PLACE, "front.elb", ("a",), (listener,), (group,), SECONDS)


def update(edge: Running, alb: DesiredApplicationBalancer, *backs: Instance) -> None:
    """Hands the edge an ALB, in front of the ports of the instance `i-1` from 32768 on."""
    ports = tuple(
        HostPort("i-1", "tcp", FIRST_PORT + number, f"127.0.0.1:{each.port}") for number, each in enumerate(backs)
    )
    edge.update(instances=(instance("i-1"),), ports=ports, applications=(alb,))


def serve(edge: Running, *backs: Instance, **more: Any) -> None:
    """An ALB with these targets, once all are healthy."""
    registered = targets(len(backs))
    update(edge, front(*registered, **more), *backs)
    for each in registered:
        edge.wait_for(each.id, "InService")


def by_name(name: bytes, seen: list[bytes] | None = None) -> Any:
    """Answers with its name."""
    return answering(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(name), name), seen)


def body(answered: bytes) -> bytes:
    return answered.partition(b"\r\n\r\n")[2]


def without_date(answered: bytes) -> bytes:
    return re.sub(rb"Date: [^\r]+\r\n", b"", answered)


def test_a_request_has_the_headers_that_an_alb_adds_and_goes_to_each_port_in_turn(edge: Running) -> None:
    seen: list[bytes] = []
    with instances(by_name(b"one", seen), by_name(b"two", seen)) as backs:
        serve(edge, *backs)
        asked = b"GET /a HTTP/1.1\r\nHost: web\r\nX-Forwarded-For: 9.9.9.9\r\nX-Amzn-Trace-Id: Root=1-2-3\r\n\r\n"
        assert sorted(body(edge.ask(asked)) for _ in range(4)) == [b"one", b"one", b"two", b"two"]
    lines = next(each for each in seen if each.startswith(b"GET /a ")).split(b"\r\n")
    assert [each for each in lines if not each.startswith(b"X-Amzn")] == [
        b"GET /a HTTP/1.1",
        b"Host: web",
        b"X-Forwarded-For: 9.9.9.9, 127.0.0.1",
        b"X-Forwarded-Port: 80",
        b"X-Forwarded-Proto: http",
        b"Connection: keep-alive",
    ]
    [trace] = [each for each in lines if each.startswith(b"X-Amzn-Trace-Id: ")]
    assert re.fullmatch(rb"X-Amzn-Trace-Id: Self=1-[0-9a-f]{8}-[0-9a-f]{24};Root=1-2-3", trace)
    checks = {each for each in seen if each.startswith(b"GET /health ")}
    assert {each.split(b"\r\n")[1] for each in checks} == {b"Host: 10.0.0.1:32768", b"Host: 10.0.0.1:32769"}


def test_rules_answer_in_the_place_of_a_target(edge: Running) -> None:
    update(edge, front())
    with edge.connect() as client:
        client.sendall(b"GET /gone/a HTTP/1.1\r\nHost: web\r\n\r\n")
        assert without_date(answer(client)) == (
            b"HTTP/1.1 410 Gone\r\nServer: awselb/2.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
            b"Content-Length: 4\r\nConnection: keep-alive\r\n\r\ngone"
        )
        client.sendall(b"GET /a?b HTTP/1.1\r\nHost: plain.example.com:80\r\n\r\n")
        head = answer(client).partition(b"\r\n\r\n")[0].split(b"\r\n")
    assert head[0] == b"HTTP/1.1 301 Moved Permanently"
    assert head[-1] == b"Location: https://plain.example.com:443/a?b"


def test_an_alb_answers_with_a_page_where_no_target_does(edge: Running) -> None:
    update(edge, front())
    assert without_date(edge.ask(GET)) == (
        b"HTTP/1.1 503 Service Temporarily Unavailable\r\nServer: awselb/2.0\r\nContent-Type: text/html\r\n"
        b"Content-Length: 162\r\nConnection: keep-alive\r\n\r\n<html>\r\n<head><title>503 Service Temporarily "
        b"Unavailable</title></head>\r\n<body>\r\n<center><h1>503 Service Temporarily Unavailable</h1></center>\r\n"
        b"</body>\r\n</html>\r\n"
    )
    assert edge.ask(b"TRACE / HTTP/1.1\r\nHost: web\r\n\r\n").startswith(b"HTTP/1.1 405 ")
    assert edge.ask(b"GET / HTTP/1.1\r\nno header\r\n\r\n").startswith(b"HTTP/1.1 400 ")
    assert edge.ask(b"GET /%b HTTP/1.1\r\nHost: web\r\n\r\n" % (b"a" * 17_000)).startswith(b"HTTP/1.1 414 ")


def test_a_target_that_closes_the_connection_or_refuses_it_makes_a_502(edge: Running) -> None:
    def closes_but_for_checks(connection: socket.socket) -> None:
        if connection.recv(4096).startswith(b"GET /health "):
            connection.sendall(OK)

    slow = replace(CHECK, interval=60.0)
    with instances(closes_but_for_checks) as [back]:
        serve(edge, back)
        assert edge.ask(GET).startswith(b"HTTP/1.1 502 Bad Gateway\r\n")
        update(edge, front(*targets(1), check=slow), back)
        update(edge, front(*targets(1), check=slow))  # the port is nobody's
        assert edge.ask(GET).startswith(b"HTTP/1.1 502 Bad Gateway\r\n")


def test_a_group_without_a_healthy_target_sends_to_all(edge: Running) -> None:
    def fails_checks(connection: socket.socket) -> None:
        while asked := connection.recv(4096):
            connection.sendall(
                b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n" if asked.startswith(b"GET /health ") else OK
            )

    with instances(fails_checks) as [back]:
        update(edge, front(*targets(1)), back)
        failed = TargetHealth(
            "OutOfService", "Target.ResponseCodeMismatch", "Health checks failed with these codes: [500]"
        )
        until(lambda: ("i-1:32768", failed) in edge.reports, "the target to fail", seconds=SECONDS)
        assert body(edge.ask(GET)) == b"ok"


def test_a_target_that_leaves_drains(edge: Running) -> None:
    with contextlib.ExitStack() as stack:
        waits, goes = (stack.enter_context(each) for each in socket.socketpair())

        def slow(connection: socket.socket) -> None:
            while asked := connection.recv(4096):
                if not asked.startswith(b"GET /health "):
                    waits.recv(1)
                connection.sendall(OK)

        [one, two] = stack.enter_context(instances(slow, by_name(b"two")))
        serve(edge, one, two)
        held = stack.enter_context(edge.connect())
        other = stack.enter_context(edge.connect())
        held.sendall(GET)
        other.sendall(GET)
        update(edge, front(targets(2)[1]), one, two)
        assert {body(edge.ask(GET)) for _ in range(3)} == {b"two"}
        assert ("i-1:32768", None) not in edge.reports
        goes.sendall(b"..")
        assert {body(answer(held)), body(answer(other))} == {b"ok", b"two"}
        until(lambda: ("i-1:32768", None) in edge.reports, "the target to have drained", seconds=SECONDS)


def test_a_client_stays_with_its_target(edge: Running) -> None:
    with instances(by_name(b"one"), by_name(b"two")) as backs:
        serve(edge, *backs, stickiness=Stickiness(60, cookie=ALB_COOKIE))
        first = edge.ask(GET)
        cookie = re.search(rb"Set-Cookie: (AWSALB=[^;]+);", first)
        assert cookie is not None
        asked = b"GET / HTTP/1.1\r\nHost: web\r\nCookie: %b\r\n\r\n" % cookie[1]
        assert {body(edge.ask(asked)) for _ in range(4)} == {body(first)}


def test_what_an_alb_counts(edge: Running) -> None:
    with instances(answering()) as [back]:
        serve(edge, back)
        for _ in range(2):
            edge.ask(GET)
        edge.ask(b"GET /gone/a HTTP/1.1\r\nHost: web\r\n\r\n")
        edge.ask(b"TRACE / HTTP/1.1\r\nHost: web\r\n\r\n")
    [alb] = edge.edge.applications.values()
    found = {
        (each["MetricName"], *(dimension["Value"] for dimension in each["Dimensions"])): each["StatisticValues"]["Sum"]
        for each in alb.data(0)
    }
    name, group = "app/front/50dc6c495c0c9188", "targetgroup/web/73e2d6bc24d8a067"
    assert found["RequestCount", name] == found["RequestCount", name, "a"] == found["RequestCount", group, name] == 2
    assert found["HTTPCode_Target_2XX_Count", group, name] == 2
    assert found["HTTP_Fixed_Response_Count", name] == found["HTTPCode_ELB_4XX_Count", name] == 1
    assert found["HealthyHostCount", group, name, "a"] == 1
    assert ("TargetResponseTime", group, name) in found
    assert answered(edge.edge) == {alb.desired.arn: {200: 2, 410: 1, 405: 1}, GROUP: {200: 2}}
