"""Access logs and metrics: their format, and what of them reaches the local cloud."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from sim.cloud.edge import access_log, application_metrics, metrics
from sim.cloud.edge.access_log import Seen
from sim.cloud.edge.delivery import Delivery
from sim.cloud.edge.record import Record
from sim.cloud.edge.server import Edge
from sim.cluster.aws_clock import AwsClock
from sim.cluster.balancer.checks import HealthCheck
from sim.cluster.balancer.desync import RequestHead
from sim.cluster.desired import AccessLog, DesiredBalancer, Place
from tests.unit.cloud.edge.running import (
    HTTP,
    PLACE,
    SECONDS,
    Running,
    answering,
    balancer,
    instances,
    listener,
    policy,
    settings,
)

BEGAN = datetime(2015, 5, 13, 23, 39, 43, 945958, UTC).timestamp()
LOG = AccessLog("logs", "my-prefix", 5)


def record(**more: Any) -> Record:
    made = Record(BEGAN)
    made.sent_to("10.0.0.1:80", BEGAN + 0.000073)
    made.answered(200, BEGAN + 0.001121, BEGAN + 0.000073)
    made.ended = BEGAN + 0.001178
    made.sent = 29
    return replace(made, **more)


HEAD = RequestHead(b"GET", b"/a?b=c", b"HTTP/1.1", ((b"Host", b" www.example.com:80"), (b"User-Agent", b' curl/"7"')))


def test_the_line_of_a_request_is_a_classic_elbs() -> None:
    seen = Seen(record(), "192.168.131.39:2817", HTTP, HEAD, None)
    assert access_log.line(seen, "my-loadbalancer") == (
        "2015-05-13T23:39:43.945958Z my-loadbalancer 192.168.131.39:2817 10.0.0.1:80 0.000073 0.001048 0.000057 "
        '200 200 0 29 "GET http://www.example.com:80/a?b=c HTTP/1.1" "curl/\\x227\\x22" - -'
    )


def test_the_line_of_a_request_that_the_balancer_answered_has_no_instance() -> None:
    made = Record(BEGAN)
    made.refused(503)
    seen = Seen(made, "192.168.131.39:2817", HTTP, HEAD, None)
    assert ' 192.168.131.39:2817 - -1 -1 -1 503 0 0 0 "GET http' in access_log.line(seen, "e")
    unread = Seen(made, "192.168.131.39:2817", HTTP, None, None)
    assert access_log.line(unread, "e").endswith('503 0 0 0 "- - - " "-" - -')


def test_the_line_of_a_connection_has_its_cipher() -> None:
    made = Record(BEGAN, received=82, sent=305)
    made.sent_to("10.0.0.1:80", BEGAN + 0.001069)
    seen = Seen(made, "192.168.131.39:2817", listener("SSL", "TCP"), None, ("DHE-RSA-AES128-SHA", "TLSv1.2", 128))
    assert access_log.line(seen, "e").endswith(
        '10.0.0.1:80 0.001069 0.000000 0.000000 - - 82 305 "- - - " "-" DHE-RSA-AES128-SHA TLSv1.2'
    )


def test_the_key_of_a_log_is_a_classic_elbs() -> None:
    ended = datetime(2014, 2, 15, 23, 40, tzinfo=UTC)
    place = Place("123456789012", "us-west-2")
    assert access_log.key(LOG, place, "my-elb", ended, "172.160.001.192", "20sg8hgm") == (
        "my-prefix/AWSLogs/123456789012/elasticloadbalancing/us-west-2/2014/02/15/"
        "123456789012_elasticloadbalancing_us-west-2_my-elb_20140215T2340Z_172.160.001.192_20sg8hgm.log"
    )


def test_a_metric_is_one_statistic_set_for_each_zone_and_for_all() -> None:
    minutes = metrics.Minutes()
    minutes.request("a", record())
    minutes.request("a", record(target_status=502, target_seconds=0.5))
    minutes.request("b", record(status=503, target_status=0))
    entries = metrics.data({"LoadBalancerName": "web"}, minutes.take(), BEGAN)
    found = {
        (each["MetricName"], *(dimension["Value"] for dimension in each["Dimensions"])): each["StatisticValues"]
        for each in entries
    }
    assert found["RequestCount", "web"]["Sum"] == found["RequestCount", "web", "a"]["Sum"] == 2
    assert found["HTTPCode_Backend_2XX", "web", "a"]["SampleCount"] == 1
    assert found["HTTPCode_Backend_5XX", "web", "a"]["SampleCount"] == 1
    assert found["HTTPCode_ELB_5XX", "web", "b"]["Sum"] == 1
    assert ("HTTPCode_ELB_4XX", "web") not in found
    assert not minutes.take()


def test_a_time_is_in_the_statistic_set_of_its_value_so_that_it_has_percentiles() -> None:
    minutes = metrics.Minutes()
    for seconds in (0.0121, 0.0119, 0.5, 0.0):
        minutes.request("a", record(target_seconds=seconds))
    entries = [
        each
        for each in metrics.data({"LoadBalancerName": "web"}, minutes.take(), BEGAN)
        if each["MetricName"] == "Latency"
    ]
    sets = [each["StatisticValues"] for each in entries if len(each["Dimensions"]) == 1]
    assert [(each["SampleCount"], each["Minimum"], each["Maximum"]) for each in sets] == [
        (2, 0.012, 0.012),
        (1, 0.5, 0.5),
        (1, 0.0, 0.0),
    ]
    assert {each["Unit"] for each in entries} == {"Seconds"}


@pytest.mark.parametrize(("healthy", "others", "average"), [(2, 1, 1.5), (0, 3, 1.0), (0, 0, None)])
def test_the_requests_of_a_target_group_are_shared_by_its_healthy_targets_or_by_all_if_none_is(
    healthy: int, others: int, average: float | None
) -> None:
    minutes = application_metrics.ApplicationMinutes()
    for zone, requests in (("a", 2), ("b", 1)):
        minutes.sample(zone, "HealthyHostCount", healthy)
        minutes.sample(zone, "UnHealthyHostCount", others)
        for _ in range(requests):
            minutes.request_of_target(zone, record())
    found = [
        ({each["Name"] for each in entry["Dimensions"]}, entry["StatisticValues"]["Sum"])
        for entry in application_metrics.data(
            "a:loadbalancer/app/a/1", metrics.Minutes(), {"a:targetgroup/b/2": minutes}, BEGAN
        )
        if entry["MetricName"] == "RequestCountPerTarget"
    ]
    expected = [({"TargetGroup"}, average), ({"TargetGroup", "LoadBalancer"}, average)]
    assert found == (expected if average else [])


class Cloud:
    """Takes what is delivered, unless it is `down`."""

    def __init__(self) -> None:
        self.down = False
        self.calls: list[dict[str, Any]] = []

    def client(self, _service: str, _place: Place) -> Any:
        return self

    def put_object(self, **parameters: Any) -> None:
        self._take(parameters)

    def put_metric_data(self, **parameters: Any) -> None:
        self._take(parameters)

    def _take(self, parameters: dict[str, Any]) -> None:
        if self.down:
            raise EndpointConnectionError(endpoint_url="http://nowhere")
        self.calls.append(parameters)


def delivered(cloud: Cloud, delivery: Delivery, edge: Edge) -> dict[str, dict[str, Any]]:
    """Ends the delivery. Returns its calls by the bucket or the namespace."""
    asyncio.run(delivery.finish(edge))
    return {each.get("Bucket") or each["Namespace"]: each for each in cloud.calls}


def test_lines_wait_for_a_cloud_that_is_away(edge: Running) -> None:
    cloud = Cloud()
    delivery = Delivery(cloud.client, lambda: "random", "10.0.0.9")
    logged: DesiredBalancer = balancer(access_log=LOG)
    seen = Seen(record(), "192.168.131.39:2817", HTTP, HEAD, None)
    delivery.log(logged, seen)
    cloud.down = True
    assert not delivered(cloud, delivery, edge.edge)
    delivery.log(logged, seen)
    cloud.down = False
    put = delivered(cloud, delivery, edge.edge)["logs"]
    assert put["Key"].startswith(f"my-prefix/AWSLogs/{PLACE.account}/")
    assert put["Key"].endswith("_10.0.0.9_random.log")
    assert put["Body"].count(b"\n") == 2
    cloud.calls.clear()
    assert "logs" not in delivered(cloud, delivery, edge.edge)


def test_what_an_edge_carried_is_in_its_log_and_its_metrics(edge: Running) -> None:
    cloud = Cloud()
    delivery = Delivery(cloud.client, lambda: "random", "10.0.0.9")
    with instances(answering()) as backs:
        edge.serve(*backs, access_log=LOG)
        assert edge.ask(b"GET /one HTTP/1.1\r\nHost: web\r\n\r\n").endswith(b"ok")
        for seen in edge.seen:
            delivery.log(edge.balancer.desired, seen)
        calls = delivered(cloud, delivery, edge.edge)
    (line,) = calls["logs"]["Body"].decode().splitlines()
    assert f" 127.0.0.1:{backs[0].port} " in line
    assert '200 200 0 2 "GET http://web:80/one HTTP/1.1" "-" - -' in line
    values = {
        each["MetricName"]: each["StatisticValues"]
        for each in calls["AWS/ELB"]["MetricData"]
        if len(each["Dimensions"]) == 1
    }
    assert values["RequestCount"]["Sum"] == values["HTTPCode_Backend_2XX"]["Sum"] == 1
    assert (values["HealthyHostCount"]["Maximum"], values["UnHealthyHostCount"]["Maximum"]) == (1, 0)
    assert 0 < values["Latency"]["Sum"] < 1


def test_checks_come_by_awss_clock_and_metrics_have_its_time(edge: Running) -> None:
    cloud, clock = Cloud(), AwsClock(time.time(), 1000)
    slow = settings(policy=policy(check=HealthCheck(interval=60, timeout=0.5, healthy=2, unhealthy=2)))
    with instances(answering()) as backs:
        edge.serve(*backs, clock=clock, settings=slow)
        calls = delivered(cloud, Delivery(cloud.client, lambda: "random", "10.0.0.9"), edge.edge)
    [at] = {each["Timestamp"].timestamp() for each in calls["AWS/ELB"]["MetricData"]}
    assert at == pytest.approx(clock.at(time.time()), abs=SECONDS * clock.factor)
    assert at > time.time()
