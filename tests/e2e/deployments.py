"""What the tests of deployments share."""

from __future__ import annotations

import math
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from sim.aws.arn import last_part
from sim.client.load import publishing
from sim.cloud.aws_client import local_session
from sim.history.events import message_id
from sim.host.waiting import until
from sim.rehearsal.looks import percents_broken
from sim.rehearsal.stage import Stage
from sim.targets.cluster import ClusterTarget
from sim.targets.deployment import LocalDeployment
from sim.targets.publication import repository
from sim.targets.target import Target
from tests.workflow_roles import session, taken

SECONDS = 180
_CLIENTS = 16
_LOOK_SECONDS = 0.5
_CLIENTS_OF_WORLD = 8
"""They publish four e-mails a second, as those of the world."""


@pytest.fixture
def cluster(target: Target) -> ClusterTarget:
    """The target, which has container instances."""
    assert isinstance(target, ClusterTarget)
    return target


@contextmanager
def percents_held(cluster: ClusterTarget) -> Iterator[None]:
    """At each moment that is looked at meanwhile, as many tasks of the API serve, and as few are there, as the
    service's percents say.
    """
    over, stage = threading.Event(), Stage(cluster.acts, cluster.service("api"))
    await_settled(cluster)
    before = stage.before()
    looks = [stage.look(time.monotonic, before)]

    def watch() -> None:
        while not over.wait(_LOOK_SECONDS):
            looks.append(stage.look(time.monotonic, before))

    watcher = threading.Thread(target=watch, name="percents", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()
    assert len(looks) > 1
    least, most = before.percents
    broken = percents_broken(looks, least, most)
    assert not broken, f"at least {least} are to serve, at most {most} to be there: {broken}"


@contextmanager
def noticed(
    cluster: ClusterTarget,
    *,
    clients: int = _CLIENTS_OF_WORLD,
    requests: float = math.inf,
    seconds: float = math.inf,
) -> Iterator[None]:
    """Clients publish meanwhile. Each e-mail that was accepted is stored once in the end.

    At most so many requests fail, and the last one at most so many seconds after the first.
    """
    with publishing(cluster.client(), clients) as load:
        yield
        # What happened may have taken less time than the clients to send anything.
        until(lambda: load.requests > clients, "requests", seconds=SECONDS, seen=lambda: load.requests)
    assert len(load.failures) <= requests, str(load)
    assert load.outage <= seconds, str(load)
    cluster.drain(SECONDS)
    objects = Counter(map(message_id, cluster.data_plane.object_keys()))
    assert not [each for each in load.accepted if objects[each] != 1]


def unharmed(cluster: ClusterTarget, clients: int = _CLIENTS) -> AbstractContextManager[None]:
    """Clients publish meanwhile, and none of their requests fails."""
    return noticed(cluster, clients=clients, requests=0)


@contextmanager
def deploy_role(cluster: ClusterTarget) -> Iterator[LocalDeployment]:
    """What deploys as a workflow of GitHub does: under the deploy role, to which nothing may be denied meanwhile."""
    role = last_part(cluster.local_roots.root("github").outputs()["deploy_role_arn"])
    with taken(cluster.data_plane.endpoint, role) as keys:
        roots = cluster.local_roots.signing_with(keys)
        yield replace(cluster.deployment, roots=roots, session=partial(session, keys))


def running(cluster: ClusterTarget) -> set[str]:
    """The ARNs of the API's tasks that run."""
    return {each["taskArn"] for each in cluster.service("api").tasks() if each["lastStatus"] == "RUNNING"}


def ecs_of(cluster: ClusterTarget) -> Any:
    """A client for ECS."""
    return local_session().client("ecs", endpoint_url=cluster.data_plane.endpoint)


def newest_deployment(cluster: ClusterTarget) -> dict[str, Any]:
    """The API's newest service deployment."""
    return cluster.service("api").deployments()[0]


def completed(cluster: ClusterTarget) -> bool:
    """True if the API's newest deployment is completed, and nothing is left of another one."""
    described = cluster.service("api").described()
    return bool(newest_deployment(cluster)["status"] == "SUCCESSFUL") and len(described["deployments"]) == 1


def await_completed(cluster: ClusterTarget) -> None:
    """Waits until the API's newest deployment is completed."""
    seen = cluster.service("api").summary
    until(lambda: completed(cluster), "the deployment to be completed", seconds=SECONDS, seen=seen)


def await_settled(cluster: ClusterTarget) -> None:
    """Waits until no deployment of the API goes on that a test before this one began, whatever becomes of it."""
    api = cluster.service("api")

    def settled() -> bool:
        return not api.deploys() and len(api.described()["deployments"]) == 1

    until(settled, "the deployment before to be over", seconds=SECONDS, seen=api.summary)


def defined_with(cluster: ClusterTarget, version: str) -> str:
    """The ARN of a new revision of the API's task definition, with a version that was registered."""
    found = cluster.service("api").definition()
    [container] = found["containerDefinitions"]
    ecr = local_session().client("ecr", endpoint_url=cluster.data_plane.endpoint)
    [in_ecr] = ecr.describe_repositories(repositoryNames=[repository("api")])["repositories"]
    container["image"] = f"{in_ecr['repositoryUri']}:{version}"
    return cluster.service("api").revised(found)
