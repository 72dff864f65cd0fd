"""The driver in LocalStack's process: services run, as far as agents and a load balancer do what is desired."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.config import Config

from sim.cloud.aws_client import local_session
from sim.cloud.local import LocalCloud
from sim.host.cleanup import Cleanup
from tests.cloud.agents import CLUSTER, Fleet

_accounts = itertools.count(200000000001)


@pytest.fixture(scope="module")
def driven() -> Iterator[str]:
    """The endpoint of a LocalStack of this module's own: once somebody asks, its driver stays on."""
    with Cleanup() as cleanup:
        cloud = LocalCloud(cleanup, (), print)
        try:
            cloud.open()
            cloud.await_ready()
            yield cloud.endpoint
        finally:
            cloud.stop()


@pytest.fixture
def fleet(driven: str) -> Fleet:
    """An empty cluster in an account of the test's own, and the agents of what joins it."""
    account = str(next(_accounts))
    session: Any = local_session(account)
    config = Config(retries={"total_max_attempts": 1})
    clients: Callable[[str], Any] = lambda service: session.client(service, endpoint_url=driven, config=config)  # noqa: E731
    fleet = Fleet(driven, account, clients)
    fleet.define("api:1")
    return fleet


def test_a_service_is_steady_once_its_agent_reports_its_task(fleet: Fleet) -> None:
    fleet.join()
    fleet.desired()
    fleet.service()
    [task] = fleet.mine(fleet.desired())
    assert (task.desired_status, task.definition["family"], task.group) == ("RUNNING", "api", "service:api")
    assert fleet.described()["pendingCount"] == 1
    fleet.settle(fleet.steady, "a steady service")
    fleet.ecs.get_waiter("services_stable").wait(cluster=CLUSTER, services=["api"])
    [started, completed, _] = fleet.messages()
    assert started == f"has started 1 tasks: (task {task.arn.rpartition('/')[2]})."
    assert completed.endswith("deployment completed.")
