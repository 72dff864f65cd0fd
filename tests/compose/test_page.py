"""The commands of compose that the pages show do what they say, with the images that compose builds itself."""

from __future__ import annotations

import subprocess

import pytest
from python_on_whales import DockerClient

from tests.compose.target import ROOT, left
from tests.docs.test_commands import commands

pytestmark = [pytest.mark.timeout(300)]

BUILT_OTHERWISE = ("API_IMAGE", "KIT_IMAGE", "WORKER_IMAGE", "DOCKER_CONFIG")
"""Without which compose builds the images, and through no proxy."""


def test_the_commands_of_the_page_work_and_leave_nothing(environment: pytest.MonkeyPatch, project: str) -> None:
    for name in BUILT_OTHERWISE:
        environment.delenv(name, raising=False)
    environment.setenv("SIM_TOKEN", "a-token-of-ones-own")
    # An earlier run's would be taken.
    DockerClient(compose_files=[ROOT / "compose.yaml"]).compose.build(quiet=True)
    done = run_in_order(commands("docs/compose.md"))
    assert "TOKEN=a-token-of-ones-own" in done.stderr
    assert '"status":"ok"' in done.stdout.replace(" ", "")
    assert "accepted  " in done.stdout
    assert left(project) == []


def test_the_commands_of_the_readme_show_something_and_leave_nothing(
    environment: pytest.MonkeyPatch, project: str
) -> None:
    for name in BUILT_OTHERWISE:
        environment.delenv(name, raising=False)
    done = run_in_order([command for command in commands("README.md") if command.startswith("docker ")])
    assert "accepted  " in done.stdout
    assert left(project) == []


def run_in_order(shown: list[str]) -> subprocess.CompletedProcess[str]:
    """The commands as one script, which ends with the first that fails."""
    script = ["bash", "-euxo", "pipefail", "-c", "\n".join(shown)]
    done = subprocess.run(script, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done
