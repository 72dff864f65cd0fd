"""The commands that docs/compose.md shows do what it says, with the images that compose builds itself."""

from __future__ import annotations

import subprocess

import pytest

from sim.command import run
from tests.compose.target import ROOT, left
from tests.docs.test_commands import commands

pytestmark = [pytest.mark.xdist_group("docker"), pytest.mark.timeout(300)]


def test_the_commands_of_the_page_work_and_leave_nothing(environment: pytest.MonkeyPatch, project: str) -> None:
    for image in ("API_IMAGE", "WORKER_IMAGE"):
        environment.delenv(image)
    environment.setenv("SIM_TOKEN", "a-token-of-ones-own")
    # An earlier run's would be taken.
    run(["docker", "compose", "--project-directory", str(ROOT), "build", "--quiet"], remedy="")
    script = "\n".join(commands("docs/compose.md"))
    done = subprocess.run(
        ["bash", "-euxo", "pipefail", "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "TOKEN=a-token-of-ones-own" in done.stderr
    assert '"status":"ok"' in done.stdout.replace(" ", "")
    assert "accepted  " in done.stdout
    assert left(project) == ""
