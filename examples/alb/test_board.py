"""The board's own test: it is deployed without a failed request, and destroyed. README.md has the command."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from sim.host.loopback import NoAnswer, request
from sim.targets.project_cluster import ProjectCluster


def test_it_is_deployed_and_destroyed(cluster: ProjectCluster) -> None:
    url = cluster.url
    assert said(url).startswith("200 board 1 Root=1-")
    assert said(f"{url}/x", Host="internal.board") == "403 not for everybody"
    assert said(f"{url}/old/a").startswith("301 ")

    with asking(url) as seen:
        cluster.apply({"release": "2"})
    assert set(seen) == {"200 board 1", "200 board 2"}, seen
    assert said(url).startswith("200 board 2 ")

    cluster.destroy()
    assert cluster.services == {}
    assert cluster.urls == {}


@contextmanager
def asking(url: str) -> Iterator[Counter[str]]:
    """Asks all the time, and counts what comes back."""
    seen, over = Counter[str](), threading.Event()

    def ask() -> None:
        while not over.wait(0.05):
            seen[said(url)[:11]] += 1

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


def said(url: str, **headers: str) -> str:
    """The status and the page, or why there is none."""
    try:
        answer = request("GET", url, seconds=5, headers=headers)
    except NoAnswer as error:
        return str(error)
    return f"{answer.status} {answer.data.decode()}"
