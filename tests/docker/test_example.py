"""The example projects, which have nothing to do with e-mails, by the commands of their READMEs."""

from __future__ import annotations

import subprocess
import sys

import pytest

from sim.images.checkout import ROOT

pytestmark = [pytest.mark.usefixtures("docker", "terraform"), pytest.mark.timeout(900)]


def test_the_shop_is_deployed_harmed_and_destroyed() -> None:
    shop = ROOT / "examples/classic"
    files = set(shop.rglob("*"))
    roots = ("--root", f"{shop}/services", "--root", f"{shop}/network")
    given = (*roots, "--image", f"shop/web={shop}/image", "--var", "release=1", "--timeout", "800")
    command = [sys.executable, "-m", "pytest", f"{shop}/test_shop.py", "-v", "-p", "no:cacheprovider", *given]
    ended = subprocess.run(command, cwd=ROOT, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert ended.returncode == 0, ended.stdout
    assert {each for each in shop.rglob("*") if "__pycache__" not in each.parts} <= files
