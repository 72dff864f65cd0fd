"""Two applies at once, and an apply that is killed."""

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
from sim.terraform.local_roots import LocalRoots
from tests.terraform.conftest import changes, client

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def cleanup() -> Iterator[Cleanup]:
    with Cleanup() as cleanup:
        yield cleanup


@pytest.fixture
def bootstrapped(provider: None, cleanup: Cleanup, tmp_path: Path) -> Iterator[tuple[LocalRoots, str]]:  # noqa: ARG001
    """The roots with only bootstrap applied, and the endpoint of a local cloud of their own."""
    cloud = LocalCloud(cleanup, (), print)
    cloud.open()
    try:
        cloud.await_ready()
        roots = LocalRoots(tmp_path, cloud.endpoint, {}, print)
        roots.apply((BOOTSTRAP,))
        yield roots, cloud.endpoint
    finally:
        cloud.stop()


def test_an_apply_locks_the_state_and_a_killed_apply_can_be_resumed(
    bootstrapped: tuple[LocalRoots, str], cleanup: Cleanup
) -> None:
    """The resumed apply knows what the killed one created: Terraform saves the state every 20 s."""
    roots, endpoint = bootstrapped
    states = client("s3", endpoint)
    messaging = roots.root("messaging")
    roots.initialise(messaging)
    command = messaging.command("apply", "-auto-approve", "-input=false", "-no-color")
    killed = Process("terraform", command, messaging.environment, cleanup)
    killed.start()

    def saved() -> bool:
        killed.check()
        objects = states.list_objects_v2(Bucket=roots.state_bucket, Prefix="messaging/terraform.tfstate")
        return bool(objects["KeyCount"] == len(("the state", "its lock")))

    until(saved, "a state beside its lock", seconds=120, seen=killed.tail)
    with pytest.raises(StateLocked, match=r"the state of messaging is locked .* another Terraform is at work on it"):
        messaging.apply()
    killed.check()
    killed.kill()
    with pytest.raises(StateLocked, match="`--unlock` takes its lock away"):
        messaging.apply()
    roots.apply(("messaging",), unlock=True)
    assert changes(messaging) == ()
