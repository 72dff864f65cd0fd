"""The sources of the provider and the VPC module; the stand-in agrees with the module."""

from __future__ import annotations

import json
import pwd
import re
from pathlib import Path

import pytest

from checks.terraform_code import outputs, variables
from release.roots import BOOTSTRAP, NEEDS
from release.terraform import LOCK_FILE
from sim.terraform.installation import STAND_IN, environment, seed
from sim.terraform.root_order import TERRAFORM

MODULE = json.loads(STAND_IN.with_suffix(".json").read_text())
"""The names and types of what terraform-aws-modules/vpc/aws takes, and the names of what it gives."""


def test_every_variable_of_the_stand_in_exists_in_the_module_with_the_same_type() -> None:
    taken = {each.name: each.type for each in variables(STAND_IN)}
    assert taken == {name: MODULE["variables"].get(name) for name in taken}


def test_every_output_of_the_stand_in_exists_in_the_module() -> None:
    assert {each.name for each in outputs(STAND_IN)} <= set(MODULE["outputs"])


def test_the_network_root_uses_the_known_version_of_the_module(tmp_path: Path) -> None:
    assert f'version = "{MODULE["version"]}"' in (TERRAFORM / "network/main.tf").read_text()
    seed(tmp_path, "registry.example")
    [_, vpc] = json.loads((tmp_path / ".terraform/modules/modules.json").read_text())["Modules"]
    assert vpc["Version"] == MODULE["version"]
    assert (tmp_path / vpc["Dir"] / "main.tf").is_file()


def test_a_folder_of_plugins_that_is_named_is_the_only_source(tmp_path: Path) -> None:
    variables_set = environment(
        tmp_path, {"SIM_TERRAFORM_PLUGINS": str(tmp_path / "plugins"), "TF_CLI_CONFIG_FILE": "/gone"}
    )
    configuration = Path(variables_set["TF_CLI_CONFIG_FILE"]).read_text()
    assert f'path = "{tmp_path}/plugins"' in configuration
    assert "direct" not in configuration


@pytest.mark.parametrize("there", [True, False])
def test_ones_own_configuration_is_used_if_it_is_there(tmp_path: Path, there: bool) -> None:
    own = tmp_path / "own.tfrc"
    if there:
        own.write_text("")
    variables_set = environment(tmp_path, {"TF_CLI_CONFIG_FILE": str(own), "HOME": str(tmp_path)})
    assert (variables_set["TF_CLI_CONFIG_FILE"] == str(own)) is there
    assert Path(variables_set["TF_CLI_CONFIG_FILE"]).is_file()


def test_a_user_without_a_home_has_no_configuration_of_ones_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr(pwd, "getpwuid", {}.__getitem__)
    assert Path(environment(tmp_path, {})["TF_CLI_CONFIG_FILE"]).parent == tmp_path


@pytest.mark.parametrize("root", NEEDS)
def test_every_root_has_the_checksums_of_the_one_provider_that_it_names(root: str) -> None:
    lock = (TERRAFORM / root / LOCK_FILE).read_text()
    assert lock == (TERRAFORM / BOOTSTRAP / LOCK_FILE).read_text()
    [version] = re.findall(r'version += "([\d.]+)"', (TERRAFORM / root / "versions.tf").read_text())
    assert re.search(rf'^  version += "{re.escape(version)}"$', lock, re.MULTILINE)
    # Of Linux, macOS and Windows, on both architectures, and more.
    assert len(re.findall(r'"h1:[\w+/]{43}="', lock)) > 5
