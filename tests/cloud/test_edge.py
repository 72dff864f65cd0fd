"""The edge and the local cloud together: what a load balancer has seen is in S3 and in CloudWatch."""

from __future__ import annotations

import re
import shlex
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sim.cloud.aws_client import REGION
from sim.host.loopback import answers, request
from tests.cloud.running import RunningCloud, RunningCluster

ACCOUNT = "300000000003"
BUCKET = "logs-of-front"
LOG = {"Enabled": True, "S3BucketName": BUCKET, "S3BucketPrefix": "mail", "EmitInterval": 5}
KEY = re.compile(
    rf"mail/AWSLogs/{ACCOUNT}/elasticloadbalancing/eu-central-1/\d{{4}}/\d\d/\d\d/"
    rf"{ACCOUNT}_elasticloadbalancing_eu-central-1_front-003_\d{{8}}T\d{{4}}Z_127\.0\.0\.1_\w+\.log"
)
ANN = {"User-Agent": "ann"}
GOOD, BAD = 3, 1
"""So many requests are answered with 200, and with 501."""


@pytest.fixture(scope="module")
def cluster(running_cloud: RunningCloud) -> RunningCluster:
    """A service of two tasks in service behind a load balancer that keeps a log."""
    cluster = RunningCluster(running_cloud, ACCOUNT)
    cluster.make()
    cluster.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    cluster.define("web:1")
    cluster.serve(loadBalancers=cluster.balance(), healthCheckGracePeriodSeconds=60)
    cluster.elb.modify_load_balancer_attributes(
        LoadBalancerName=cluster.balancer, LoadBalancerAttributes={"AccessLog": LOG}
    )
    cluster.until(lambda: in_service(cluster) == 2, "both instances to be in service")
    return cluster


@pytest.fixture(scope="module", autouse=True)
def url(cluster: RunningCluster) -> str:
    """Where the load balancer listened before the edge was ended, after some requests."""
    url = cluster.url
    for _ in range(GOOD):
        assert request("GET", f"{url}a?b=c", seconds=5, headers=ANN).status == 200
    assert request("DELETE", url, seconds=5, headers=ANN).status == 501
    cluster.cloud.edge.terminate()
    assert cluster.cloud.edge.wait(30) == 0, cluster.cloud.edge.tail()
    return url


def in_service(cluster: RunningCluster) -> int:
    """How many instances are in service."""
    states = cluster.elb.describe_instance_health(LoadBalancerName=cluster.balancer)["InstanceStates"]
    return [each["State"] for each in states].count("InService")


def test_every_request_has_a_line_in_the_access_log(cluster: RunningCluster) -> None:
    s3 = cluster.client("s3")
    [key] = [each["Key"] for each in s3.list_objects_v2(Bucket=BUCKET)["Contents"]]
    assert KEY.fullmatch(key)
    lines = [shlex.split(each) for each in s3.get_object(Bucket=BUCKET, Key=key)["Body"].read().decode().splitlines()]
    assert {(len(each), each[1], each[12]) for each in lines} == {(15, cluster.balancer, "ann")}
    assert [(each[7], each[8]) for each in lines] == [("200", "200")] * GOOD + [("501", "501")]
    assert lines[0][11] == "GET http://127.0.0.1:80/a?b=c HTTP/1.1"
    assert {each[3] for each in lines} <= set(cluster.addresses())


def test_its_metrics_are_in_cloudwatch(cluster: RunningCluster) -> None:
    assert sum(statistics(cluster, "RequestCount", "Sum")) == GOOD + BAD
    assert sum(statistics(cluster, "HTTPCode_Backend_2XX", "Sum")) == GOOD
    assert sum(statistics(cluster, "HTTPCode_Backend_5XX", "Sum")) == BAD
    assert all(0 < each < 5 for each in statistics(cluster, "Latency", "Maximum"))
    assert statistics(cluster, "HealthyHostCount", "Maximum") == [1, 1]
    asked = {"Namespace": "AWS/ELB", "MetricName": "RequestCount"}
    found = cluster.client("cloudwatch").list_metrics(**asked)["Metrics"]
    assert [{"Name": "LoadBalancerName", "Value": cluster.balancer}] in [each["Dimensions"] for each in found]


def test_an_edge_that_is_started_again_answers_at_the_same_address(cluster: RunningCluster, url: str) -> None:
    assert cluster.cloud.parts.start_again(time.monotonic())
    cluster.until(lambda: answers(url, seconds=1), "an answer where the load balancer was")
    assert cluster.url == url


def statistics(cluster: RunningCluster, metric: str, name: str) -> list[float]:
    """A statistic of a metric of the load balancer over the last minutes, in each zone that has any.

    LocalStack would add all zones to the metric of the whole load balancer.
    """
    now = datetime.now(UTC)
    asked: dict[str, Any] = {
        "Namespace": "AWS/ELB",
        "MetricName": metric,
        "StartTime": now - timedelta(hours=1),
        "EndTime": now + timedelta(minutes=1),
        "Period": 7200,
        "Statistics": [name],
    }
    found = []
    for zone in "ab":
        dimensions = {"LoadBalancerName": cluster.balancer, "AvailabilityZone": f"{REGION}{zone}"}
        asked["Dimensions"] = [{"Name": key, "Value": value} for key, value in dimensions.items()]
        points = cluster.client("cloudwatch").get_metric_statistics(**asked)["Datapoints"]
        found += [float(each[name]) for each in points]
    return found
