"""The images that ship, run as production runs them, and asked from outside. There is no AWS behind them."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from sim.host.command import run
from sim.host.waiting import until
from sim.images.service import SERVICES
from tests.images.containers import inspect, running

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
WRITABLE = {"api": (), "worker": ("--tmpfs", "/tmp")}
OFTEN = ("--health-interval", "1s", "--health-start-interval", "200ms")


@pytest.fixture
def container(image: str, service: str) -> Iterator[str]:
    """A healthy container of the image, its health asked more often than the image says."""
    variables = (f"--env={name}={value}" for name, value in (ENVIRONMENT | OWN[service]).items())
    with running(image, *OFTEN, *WRITABLE[service], *variables) as container:
        wait_for_health(container, "healthy")
        yield container


def wait_for_health(container: str, wanted: str) -> None:
    def health() -> str:
        return inspect(container, "{{.State.Status}} and {{.State.Health.Status}}")

    until(lambda: health() == f"running and {wanted}", f"a container that is {wanted}", seconds=40, seen=health)


def test_it_runs_as_a_user_who_may_do_nothing(container: str) -> None:
    status = run(["docker", "exec", container, "cat", "/proc/1/status"], remedy="")
    of = dict(re.findall(r"^(\w+):\s+(.*)$", status, re.MULTILINE))
    assert {*of["Uid"].split(), *of["Gid"].split()} == {"10001"}
    assert {int(of[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {0}
    assert of["NoNewPrivs"] == "1"


def test_sigterm_ends_it_with_0(container: str) -> None:
    run(["docker", "stop", "-t", "30", container], remedy="")
    assert inspect(container, "{{.State.Status}} {{.State.ExitCode}}") == "exited 0"


def test_one_that_is_stuck_is_found_unhealthy(container: str) -> None:
    # First every process but the first, from inside; then the first, which only the engine can stop.
    run(["docker", "exec", container, "sh", "-c", "kill -STOP -1 || true"], remedy="")
    run(["docker", "kill", "--signal", "STOP", container], remedy="")
    wait_for_health(container, "unhealthy")
