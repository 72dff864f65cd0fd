"""Two more LocalStacks for all tests of this folder, in which the driver of the cluster is on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.config import Config

from sim.cloud.aws_client import REGION, local_session
from sim.cloud.local import LocalCloud
from sim.host.cleanup import Cleanup
from sim.host.loopback import request
from tests.cloud.agents import Fleet
from tests.cloud.alarms import Alarms
from tests.cloud.groups import Group
from tests.cloud.running import RunningCloud
from tests.cloud.scaled import Scaled
from tests.cloud.shared import Client

Report = Callable[..., int]


@pytest.fixture(scope="session")
def running_cloud() -> Iterator[RunningCloud]:
    """Another LocalStack, whose clusters run."""
    with Cleanup() as cleanup:
        cloud = RunningCloud(cleanup)
        try:
            cloud.start()
            yield cloud
        finally:
            cloud.stop()


@pytest.fixture
def report(endpoint: str, account: str) -> Report:
    """Reports what a checker has seen of an instance of the load balancer `e`; returns the HTTP status."""

    def report(instance: str, method: str = "PUT", **health: str) -> int:
        return _reported(method, f"{endpoint}/_sim/{account}/{REGION}/elb/e/instances/{instance}/health", health)

    return report


@pytest.fixture
def report_target(endpoint: str, account: str) -> Report:
    """Reports what a checker has seen of a target of a target group, by the group's ARN; returns the HTTP status."""

    def report(arn: str, target: str, **health: str) -> int:
        group = arn.rpartition(":")[2]
        return _reported("PUT", f"{endpoint}/_sim/{account}/{REGION}/elbv2/{group}/targets/{target}/health", health)

    return report


def _reported(method: str, url: str, health: dict[str, str]) -> int:
    headers = {"Content-Type": "application/json"}
    return request(method, url, seconds=5, body=json.dumps(health).encode(), headers=headers).status


@pytest.fixture
def alarms(aws: Callable[[str], Client]) -> Alarms:
    """The alarms of the test's account."""
    return Alarms(aws("cloudwatch"))


@pytest.fixture
def group(aws: Callable[[str], Client]) -> Group:
    """The Auto Scaling group `g`, of two instances."""
    group = Group(aws)
    group.create()
    return group


@pytest.fixture(scope="session")
def driven() -> Iterator[str]:
    """The endpoint of another LocalStack: once somebody asks for its desired state, its driver stays on."""
    with Cleanup() as cleanup:
        cloud = LocalCloud(cleanup, (), print)
        try:
            cloud.open()
            cloud.await_ready()
            yield cloud.endpoint
        finally:
            cloud.stop()


@pytest.fixture
def clients(driven: str, account: str) -> Callable[[str], Client]:
    """Makes clients for the services of the test's own account, where the driver is on."""
    session: Any = local_session(account)
    config = Config(retries={"total_max_attempts": 1}, read_timeout=60)
    return lambda service: session.client(service, endpoint_url=driven, config=config)


@pytest.fixture
def fleet(driven: str, account: str, clients: Callable[[str], Client]) -> Fleet:
    """An empty cluster, and the agents of what joins it."""
    fleet = Fleet(driven, account, clients)
    fleet.define("api:1")
    return fleet


@pytest.fixture
def scaled(fleet: Fleet, clients: Callable[[str], Client]) -> Scaled:
    """The Auto Scaling group of the fleet's cluster, before it is created."""
    return Scaled(fleet, clients("autoscaling"))
