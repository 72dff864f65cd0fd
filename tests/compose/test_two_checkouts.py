"""The same compose.yaml in two folders of one name is two stacks."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from python_on_whales import DockerClient

from sim.images.checkout import name_project
from tests.compose.target import ROOT

pytestmark = pytest.mark.usefixtures("docker")


def composed(folder: Path) -> dict[str, Any]:
    folder.mkdir(parents=True)
    shutil.copy(ROOT / "compose.yaml", folder)
    name_project(folder)
    stack = DockerClient(compose_files=[folder / "compose.yaml"], compose_profiles=["demo"]).compose
    configuration = stack.config(return_json=True)
    assert isinstance(configuration, dict)
    return configuration


def test_neither_takes_containers_networks_or_images_of_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in os.environ:
        if name.endswith("_IMAGE") or name.startswith("COMPOSE_"):
            monkeypatch.delenv(name)
    one, two = composed(tmp_path / "one" / "pipeline"), composed(tmp_path / "two" / "pipeline")
    assert one["name"] != two["name"]
    assert one["networks"]["default"]["name"] != two["networks"]["default"]["name"]
    for each in (one, two):
        built = {service["image"] for service in each["services"].values() if "build" in service}
        assert built == {f"{each['name']}-{image}" for image in ("api", "kit", "worker")}
