"""What only a machine with a network runs: a module out of a registry, and a provider that is held to its checksums."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from release.errors import CommandFailed
from release.terraform import LOCK_FILE, Root, surroundings
from sim.terraform import installation
from sim.terraform.installation import Modules
from sim.terraform.root_order import TERRAFORM
from tests.terraform.module_registry import MODULE, VERSION, configuration, module_registry


@pytest.fixture
def network(terraform: None, tmp_path: Path) -> Iterator[Root]:  # noqa: ARG001 - it is there
    """The root, in a copy, for a Terraform whose modules come from a registry on loopback."""
    shutil.copytree(TERRAFORM / "network", tmp_path / "network", ignore=shutil.ignore_patterns(".terraform", "tests"))
    with module_registry() as registry:
        environment = {**surroundings(os.environ, {}), **configuration(tmp_path, registry)}
        yield Root("network", tmp_path / "network", environment)


def test_the_module_is_the_registrys_where_there_is_one(network: Root) -> None:
    assert installation.choose(network, Modules.AUTO, lambda: "") is Modules.REGISTRY
    [_, vpc] = json.loads((network.directory / ".terraform/modules/modules.json").read_text())["Modules"]
    assert (vpc["Source"], vpc["Version"]) == (f"registry.terraform.io/{MODULE}", VERSION)
    assert installation.choose(network, Modules.STAND_IN, lambda: "registry.terraform.io") is Modules.STAND_IN
    assert installation.choose(network, Modules.REGISTRY, lambda: "") is Modules.REGISTRY, "and back"


@pytest.mark.usefixtures("provider")
def test_a_provider_with_another_checksum_is_refused(network: Root) -> None:
    installation.choose(network, Modules.REGISTRY, lambda: "")
    lock = network.directory / LOCK_FILE
    network.run("init", "-no-color", "-backend=false", "-lockfile=readonly")
    lock.write_text(lock.read_text().replace('"h1:', '"h1:A'))
    shutil.rmtree(network.directory / ".terraform/providers")
    with pytest.raises(CommandFailed, match="checksums"):
        network.run("init", "-no-color", "-backend=false", "-lockfile=readonly")
