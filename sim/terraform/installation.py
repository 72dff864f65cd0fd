"""Decides where Terraform's provider and the VPC module come from: a registry, or a local folder without one."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Final

from release.errors import CommandFailed
from release.terraform import Root

STAND_IN: Final = Path(__file__).parent / "modules/vpc"
_MODULE: Final = ("terraform-aws-modules/vpc/aws", "5.21.0")
_USER_CONFIGURATION: Final = ".terraformrc"
_MODULES: Final = ".terraform/modules"
_STAND_IN_IS_HERE: Final = f"{_MODULES}/stand-in"


class Modules(StrEnum):
    """Where the VPC module comes from. `AUTO` means the registry if it can be reached, else the stand-in."""

    AUTO = "auto"
    REGISTRY = "registry"
    STAND_IN = "stand-in"


def environment(directory: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """By which Terraform finds the provider: in the folder that SIM_TERRAFORM_PLUGINS names, or as it is configured.

    A TF_CLI_CONFIG_FILE that is not there would end Terraform, so it is passed over.
    """
    configuration = directory / "terraform.tfrc"
    if plugins := environ.get("SIM_TERRAFORM_PLUGINS"):
        mirror = json.dumps(str(Path(plugins).resolve()))
        configuration.write_text(f"provider_installation {{\n  filesystem_mirror {{\n    path = {mirror}\n  }}\n}}\n")
        return {"TF_CLI_CONFIG_FILE": str(configuration)}
    own = Path(environ.get("TF_CLI_CONFIG_FILE") or Path(environ.get("HOME", "/")) / _USER_CONFIGURATION)
    if own.is_file():
        return {"TF_CLI_CONFIG_FILE": str(own)}
    # All roots fetch the provider once. A root without a lock file would fetch it again, over the one that another root
    # is running: "text file busy". The second line has it take what is there.
    cache = directory / "plugins"
    cache.mkdir(exist_ok=True)
    configuration.write_text(
        f"plugin_cache_dir = {json.dumps(str(cache))}\nplugin_cache_may_break_dependency_lock_file = true\n"
    )
    return {"TF_CLI_CONFIG_FILE": str(configuration)}


def choose(network: Root, modules: Modules, registry: Callable[[], str]) -> Modules:
    """Installs the VPC module for the root `network`. Returns where it came from: REGISTRY or STAND_IN.

    `registry` returns the host name of Terraform's registry. Raises CommandFailed if the module cannot be installed.
    """
    if modules is not Modules.STAND_IN:
        if (network.directory / _STAND_IN_IS_HERE).exists():
            # Otherwise Terraform would take the stand-in for the registry's module.
            shutil.rmtree(network.directory / _MODULES)
        try:
            network.run("get", "-no-color")
        except CommandFailed as failed:
            if modules is Modules.REGISTRY:
                remedy = f"Without a module registry, `--modules {Modules.STAND_IN}` uses the one in the kit."
                raise CommandFailed(f"{failed}\n{remedy}") from None
        else:
            return Modules.REGISTRY
    seed(network.directory, registry())
    return Modules.STAND_IN


def seed(network: Path, registry: str) -> None:
    """Puts the stand-in where `terraform init` with a registry would put the module.

    So the root keeps its source and version, and Terraform itself refuses an unknown argument.
    """
    folder = network / _MODULES
    shutil.copytree(STAND_IN, folder / "vpc", dirs_exist_ok=True)
    source, version = _MODULE
    vpc = {"Key": "vpc", "Source": f"{registry}/{source}", "Version": version, "Dir": ".terraform/modules/vpc"}
    (network / _STAND_IN_IS_HERE).touch()
    (folder / "modules.json").write_text(json.dumps({"Modules": [{"Key": "", "Source": "", "Dir": "."}, vpc]}))


def registry(root: Root) -> str:
    """The host name of Terraform's registry, from the provider's name in an initialised root.

    Raises CommandFailed.
    """
    versions = json.loads(root.run("version", "-json")[1])
    return str(next(iter(versions["provider_selections"]))).partition("/")[0]
