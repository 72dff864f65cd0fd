"""What the tests of deployments share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from sim.client.load import publishing
from sim.cloud.aws_client import local_session
from sim.host.waiting import until
from sim.targets.cluster import ClusterTarget
from sim.targets.target import Target

SECONDS = 180
_CLIENTS = 16


@pytest.fixture
def cluster(target: Target) -> ClusterTarget:
    """The target, which has container instances."""
    assert isinstance(target, ClusterTarget)
    return target


@contextmanager
def unharmed(cluster: ClusterTarget) -> Iterator[None]:
    """Clients publish meanwhile, and each of their requests succeeds."""
    with publishing(cluster.client(), _CLIENTS) as load:
        yield
    assert load.requests > _CLIENTS
    assert not load.failures, str(load)


def running(cluster: ClusterTarget) -> set[str]:
    """The ARNs of the API's tasks that run."""
    return {each["taskArn"] for each in cluster.service("api").tasks() if each["lastStatus"] == "RUNNING"}


def ecs_of(cluster: ClusterTarget) -> Any:
    """A client for ECS."""
    return local_session().client("ecs", endpoint_url=cluster.data_plane.endpoint)


def completed(cluster: ClusterTarget) -> bool:
    """True if the API's newest deployment is completed, and nothing is left of another one.

    AWS leaves the rollout state of a service behind a Classic ELB out of DescribeServices.
    """
    api = cluster.service("api")
    [newest, *_] = ecs_of(cluster).list_service_deployments(cluster=api.cluster, service=api.name)["serviceDeployments"]
    return newest["status"] == "SUCCESSFUL" and len(api.described()["deployments"]) == 1


def await_completed(cluster: ClusterTarget) -> None:
    """Waits until the API's newest deployment is completed."""
    seen = cluster.service("api").summary
    until(lambda: completed(cluster), "the deployment to be completed", seconds=SECONDS, seen=seen)
