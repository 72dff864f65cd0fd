"""`python -m checks.terraform`: `terraform fmt`, `validate` and `test` of every root and module.

Terraform writes beside what it reads, so it reads a copy. Nothing of AWS is asked: the tests mock the provider. The
provider itself comes from the folder that SIM_TERRAFORM_PLUGINS names, or as Terraform's own configuration says.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Final

from checks.terraform_code import TERRAFORM, folders
from release.command import run
from release.errors import CommandFailed
from release.terraform import Root, surroundings
from sim.terraform import installation

_SIDE_BY_SIDE: Final = 2
"""The provider takes 600 MB and a core while it starts."""


def main() -> int:
    """The exit status: 1 for what is wrong, and in CI for what is missing."""
    if shutil.which("terraform") is None:
        return _missing("there is no terraform: install 1.11 or newer where PATH leads")
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        environment = _environment(work)
        registry = _registry(work / "probe", environment)
        if registry is None:
            return _missing("the provider cannot be had: SIM_TERRAFORM_PLUGINS may name a folder of provider plugins")
        copy = shutil.copytree(TERRAFORM, work / "terraform", ignore=shutil.ignore_patterns(".terraform", "*.tfstate*"))
        with ThreadPoolExecutor(_SIDE_BY_SIDE) as threads:
            failures = [*threads.map(partial(_failure, environment, registry), folders(copy)), _unformatted()]
    for failure in filter(None, failures):
        print(failure)
    print("FAILED   terraform" if any(failures) else "ok       terraform")
    return int(any(failures))


def _failure(environment: Mapping[str, str], registry: str, folder: Path) -> CommandFailed | None:
    """The first thing that is wrong with a root or module, if anything is."""
    root = Root(folder.name, folder, environment)
    try:
        if root.name == "network":
            # The VPC module is the module registry's, or its stand-in where there is none.
            installation.choose(root, installation.Modules.AUTO, lambda: registry)
        root.run("init", "-backend=false", "-no-color")
        root.run("validate", "-no-color")
        root.run("test", "-no-color")
    except CommandFailed as failed:
        return failed
    return None


def _unformatted() -> CommandFailed | None:
    checked = ["terraform", "fmt", "-check", "-recursive", str(TERRAFORM), str(installation.STAND_IN)]
    try:
        run(checked, remedy="`terraform fmt -recursive` mends it.", directory=TERRAFORM)
    except CommandFailed as failed:
        return failed
    return None


def _registry(folder: Path, environment: Mapping[str, str]) -> str | None:
    """The name of Terraform's own registry, under which it knows the provider; None if that cannot be had."""
    folder.mkdir()
    shutil.copy(TERRAFORM / "modules/bucket/versions.tf", folder)
    probe = Root(folder.name, folder, environment)
    try:
        probe.init()
        return installation.registry(probe)
    except CommandFailed:
        return None


def _environment(work: Path) -> dict[str, str]:
    """What Terraform is told: where the provider is, a region for the backend to believe in, and no account."""
    told = {"AWS_REGION": "eu-central-1", "AWS_EC2_METADATA_DISABLED": "true"}
    return {**surroundings(os.environ, {}), **told, **installation.environment(work, os.environ)}


def _missing(what: str) -> int:
    print(f"MISSING  terraform: {what}")
    return int("CI" in os.environ)


if __name__ == "__main__":
    sys.exit(main())
