"""Two applies at once, and one that was killed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from release.errors import StateLocked
from release.roots import BOOTSTRAP
from sim.cloud.local import LocalCloud
from sim.host.cleanup import Cleanup
from sim.host.process import Process
from sim.host.waiting import until
from sim.terraform.local_roots import Environment
from tests.terraform.conftest import changes, client

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def cleanup() -> Iterator[Cleanup]:
    with Cleanup() as cleanup:
        yield cleanup


@pytest.fixture
def environment(provider: None, cleanup: Cleanup, tmp_path: Path) -> Iterator[tuple[Environment, str]]:  # noqa: ARG001
    """One with the bucket of states alone, in a cloud of its own, whose endpoint is told."""
    cloud = LocalCloud(cleanup, (), print)
    cloud.open()
    try:
        cloud.await_ready()
        environment = Environment(tmp_path, cloud.endpoint, {}, print)
        environment.apply((BOOTSTRAP,))
        yield environment, cloud.endpoint
    finally:
        cloud.stop()


def test_an_apply_has_the_state_alone_and_one_that_was_killed_is_resumed(
    environment: tuple[Environment, str], cleanup: Cleanup
) -> None:
    """What it had made is known: the state is saved when it has been at work for 20 s and something more is made."""
    applied, endpoint = environment
    states = client("s3", endpoint)
    messaging = applied.root("messaging")
    applied.initialise(messaging)
    command = messaging.command("apply", "-auto-approve", "-input=false", "-no-color")
    killed = Process("terraform", command, messaging.environment, cleanup)
    killed.start()

    def saved() -> bool:
        killed.check()
        objects = states.list_objects_v2(Bucket=applied.state_bucket, Prefix="messaging/terraform.tfstate")
        return bool(objects["KeyCount"] == len(("the state", "its lock")))

    until(saved, "a state beside its lock", seconds=120, seen=killed.tail)
    with pytest.raises(StateLocked, match=r"the state of messaging is locked .* another Terraform is at work on it"):
        messaging.apply()
    killed.check()
    killed.kill()
    with pytest.raises(StateLocked, match="`--unlock` takes its lock away"):
        messaging.apply()
    applied.apply(("messaging",), unlock=True)
    assert changes(messaging) == ()
