"""`sim rehearse deploy` on the running cluster: its verdicts, and the service that is afterwards as it was before."""

from __future__ import annotations

import json
import signal
import subprocess
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree as ET

import pytest

from sim.host.waiting import until
from sim.rehearsal.shipped import text_of
from sim.stack import lifecycle
from sim.stack.page import PagePart
from sim.stack.supervisor import state_of
from sim.targets.cluster import ClusterTarget
from sim.targets.target import Capability, Provision
from tests.e2e.deployments import SECONDS, await_settled, cluster, newest_deployment

__all__ = ["cluster"]

pytestmark = [pytest.mark.needs(Capability.DEPLOY), pytest.mark.timeout(1200)]

SIM: Final = Path(sysconfig.get_path("scripts")) / "sim"


@pytest.fixture
def stack(cluster: ClusterTarget, tmp_path: Path) -> Iterator[Path]:
    """A folder in which the command finds the cluster, as if `sim up` had started it. The API is settled."""
    with PagePart(tmp_path) as page:
        lifecycle.write(state_of(cluster, Provision.TERRAFORM, page), tmp_path)
        await_settled(cluster)
        yield tmp_path


def test_a_good_version_passes_and_a_bad_one_fails_what_its_file_expects(cluster: ClusterTarget, stack: Path) -> None:
    """A person has copied a scenario, and expects that a version that crashes is deployed."""
    before, hopeful = _as_it_is(cluster), stack / "hopeful.toml"
    crashing = text_of("crashes-later").replace("watch_seconds = 90", "watch_seconds = 20")
    hopeful.write_text(crashing.replace('ends = ["no-end", "rolled-back"]', 'ends = ["deployed"]'))
    report, junit = stack / "report.json", stack / "report.xml"
    files = ["--json", str(report), "--junit", str(junit)]
    done = subprocess.run(
        [*_command(stack), "--scenario", "good", "--scenario", str(hopeful), *files],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    good, crashes = json.loads(report.read_text())
    assert (good["ended"], good["broken"]) == ("deployed", []), done.stdout
    last, desired = good["seconds"][-1], before["desiredCount"]
    assert (last["old_running"], last["new_serving"]) == (0, desired)
    [broken] = crashes["broken"]
    assert broken.startswith("it ended as no-end"), done.stdout
    assert f"BROKEN: {broken}" in done.stdout
    assert max(each["new_running"] for each in crashes["seconds"]) > 0
    assert min(each["old_serving"] for each in crashes["seconds"]) == desired
    passed, failed = ET.parse(junit).iter("testcase")
    assert (passed.get("name"), passed.find("failure")) == ("good", None)
    failure = failed.find("failure")
    assert failure is not None
    assert (failed.get("name"), failure.get("message")) == ("hopeful", broken)
    assert _as_it_is(cluster) == before


def test_whoever_ends_it_has_the_version_before_back(cluster: ClusterTarget, stack: Path) -> None:
    before = _as_it_is(cluster)

    def in_progress() -> bool:
        return bool(newest_deployment(cluster)["status"] == "IN_PROGRESS")

    with subprocess.Popen(_command(stack), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as rehearsing:
        until(in_progress, "the deployment to begin", seconds=SECONDS, seen=rehearsing.poll)
        rehearsing.send_signal(signal.SIGTERM)
        said, _ = rehearsing.communicate(timeout=SECONDS)
    assert rehearsing.returncode == 128 + signal.SIGTERM, said
    until(
        lambda: _as_it_is(cluster) == before,
        "the version before",
        seconds=SECONDS,
        seen=lambda: (_as_it_is(cluster), said),
    )


def _command(stack: Path) -> list[str]:
    return [str(SIM), "rehearse", "deploy", "api", "--dir", str(stack)]


def _as_it_is(cluster: ClusterTarget) -> dict[str, Any]:
    """What a trial changes of the API, and which version its tasks are of."""
    api = cluster.service("api")
    described = api.described()
    kept = {name: described[name] for name in ("taskDefinition", "desiredCount", "deploymentConfiguration")}
    return {**kept, "versions": sorted(each["taskDefinitionArn"] for each in api.tasks())}
