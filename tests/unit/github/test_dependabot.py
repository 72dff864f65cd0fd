"""What Dependabot sees of what this repository depends on."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from ruamel.yaml import YAML

from release.roots import NEEDS
from sim.images.base_image import OFFICIAL

ROOT = Path(__file__).resolve().parents[3]
BASE = ".github/base-images/Dockerfile"


def test_it_sees_the_image_that_all_others_are_built_on() -> None:
    """It reads FROM lines, and of an ARG nothing: https://github.com/dependabot/dependabot-core/issues/10190"""
    [seen] = re.findall(r"^FROM (\S+)$", (ROOT / BASE).read_text(), re.MULTILINE)
    found = subprocess.run(
        ["git", "grep", "--files-with-matches", "--fixed-strings", OFFICIAL.python, "--", ":!tests"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    places = sorted(set(found.stdout.split()) - {BASE})
    assert seen == OFFICIAL.python, f"raise it in {', '.join(places)}, too"


def test_it_sees_the_providers_of_every_root() -> None:
    updates = YAML(typ="safe").load(ROOT / ".github/dependabot.yml")["updates"]
    [directories] = [each["directories"] for each in updates if each["package-ecosystem"] == "terraform"]
    assert set(directories) == {f"/terraform/{root}" for root in NEEDS}


def test_every_folder_that_it_looks_into_has_something_to_raise() -> None:
    updates = YAML(typ="safe").load(ROOT / ".github/dependabot.yml")["updates"]
    for update in updates:
        for directory in update.get("directories", [update.get("directory")]):
            assert any((ROOT / directory.strip("/")).iterdir()), directory
