"""The images that ship, run as production runs them, and asked from outside. There is no AWS behind them."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from python_on_whales import Container

from sim.host.waiting import until
from sim.images.service import SERVICES
from tests.images.containers import DOCKER, running

pytestmark = [
    pytest.mark.parametrize("service", SERVICES),
    pytest.mark.timeout(600),
]

ENVIRONMENT = {
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "AWS_REGION": "eu-central-1",
    "AWS_ACCESS_KEY_ID": "nobody",
    "AWS_SECRET_ACCESS_KEY": "nobody",
    "QUEUE_URL": "http://127.0.0.1:9/queue",
}
OWN = {
    "api": {"TOKEN_PARAMETER": "/emails/api/token"},
    # As short as the worker lets it be, because the test waits for it.
    "worker": {"BUCKET": "emails", "RECEIVE_WAIT_SECONDS": "0", "HEARTBEAT_SECONDS": "18"},
}
WRITABLE = {"api": (), "worker": ("/tmp",)}


@pytest.fixture
def container(image: str, service: str) -> Iterator[Container]:
    """A healthy container of the image."""
    with running(image, ENVIRONMENT | OWN[service], WRITABLE[service]) as container:
        wait_for_health(container, "healthy")
        yield container


def wait_for_health(container: Container, wanted: str) -> None:
    def health() -> str:
        state = DOCKER.container.inspect(container.id).state
        return f"{state.status} and {state.health.status if state.health else 'without a health check'}"

    until(lambda: health() == f"running and {wanted}", f"a container that is {wanted}", seconds=40, seen=health)


def test_it_runs_as_a_user_who_may_do_nothing(container: Container) -> None:
    status = str(container.execute(["cat", "/proc/1/status"]))
    of = dict(re.findall(r"^(\w+):\s+(.*)$", status, re.MULTILINE))
    assert {*of["Uid"].split(), *of["Gid"].split()} == {"10001"}
    assert {int(of[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {0}
    assert of["NoNewPrivs"] == "1"


def test_sigterm_ends_it_with_0(container: Container) -> None:
    container.stop(time=30)
    state = DOCKER.container.inspect(container.id).state
    assert (state.status, state.exit_code) == ("exited", 0)


def test_one_that_is_stuck_is_found_unhealthy(container: Container) -> None:
    # First every process but the first, from inside; then the first, which only the engine can stop.
    container.execute(["sh", "-c", "kill -STOP -1 || true"])
    container.kill(signal="STOP")
    wait_for_health(container, "unhealthy")
