"""The example projects, which have nothing to do with e-mails, by the commands of their READMEs."""

from __future__ import annotations

import subprocess
import sys

import pytest

from sim.images.checkout import ROOT

pytestmark = [pytest.mark.usefixtures("docker", "terraform"), pytest.mark.timeout(900)]


@pytest.mark.parametrize(
    ("name", "roots", "repository"),
    [("classic", ("services", "network"), "shop/web"), ("alb", ("",), "board/web")],
)
def test_an_example_is_deployed_and_destroyed(name: str, roots: tuple[str, ...], repository: str) -> None:
    example = ROOT / "examples" / name
    files = set(example.rglob("*"))
    given = (
        *(word for root in roots for word in ("--root", str(example / root))),
        *("--image", f"{repository}={example}/image", "--var", "release=1", "--timeout", "800"),
    )
    command = [sys.executable, "-m", "pytest", str(example), "-v", "-p", "no:cacheprovider", *given]
    ended = subprocess.run(command, cwd=ROOT, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert ended.returncode == 0, ended.stdout
    assert {each for each in example.rglob("*") if "__pycache__" not in each.parts} <= files
