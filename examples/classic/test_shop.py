"""The shop's own tests: it is deployed, harmed and destroyed on this machine. README.md has the command."""

from __future__ import annotations

from urllib.request import urlopen

from sim.host.waiting import until
from sim.targets.project_cluster import ProjectCluster

SECONDS = 180


def test_it_is_deployed_harmed_and_destroyed(cluster: ProjectCluster) -> None:
    customers, staff = cluster.urls["shop-front:80"], cluster.urls["shop-front:81"]
    assert said(customers) == "web 1 words 1"
    assert said(staff) == "admin 1"
    assert len(tasks(cluster, "watch")) == len(cluster.acts.instances("watch")) == 2

    cluster.apply({"release": "2"})
    assert said(customers) == "web 2 words 2"
    assert said(staff) == "admin 2"

    before = tasks(cluster, "web")
    cluster.acts.lose_task("web")
    cluster.acts.service("admin").scale(1)
    until(lambda: tasks(cluster, "web") - before, "a task in place of the lost one", seconds=SECONDS)
    cluster.await_steady()
    assert [len(tasks(cluster, each)) for each in ("web", "admin", "watch")] == [2, 1, 2]

    cluster.destroy()
    assert cluster.services == {}
    assert cluster.urls == {}


def tasks(cluster: ProjectCluster, service: str) -> set[str]:
    """The ARNs of a service's tasks that are to run."""
    return {each["taskArn"] for each in cluster.services[service].tasks()}


def said(url: str) -> str:
    """What the page says, or why it says nothing."""
    try:
        with urlopen(url, timeout=10) as answer:
            return str(answer.read().decode())
    except OSError as error:
        return str(error)
