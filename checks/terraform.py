"""`python -m checks.terraform`: `terraform fmt`, `validate` and `test` for every root and module.

Terraform writes next to the files that it reads, so it works on a copy. The tests mock the provider and never call AWS.
The provider itself comes from the folder in SIM_TERRAFORM_PLUGINS, else from where Terraform is configured to look.
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
"""How many roots are checked at once. The provider takes 600 MB, and a core while it starts."""


def main() -> int:
    """Returns the exit status: 1 if a check fails, and in CI also if Terraform or its provider is missing."""
    if shutil.which("terraform") is None:
        return _missing("terraform is not on PATH: install version 1.11 or newer")
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        environment = _environment(work)
        registry = _registry(work / "probe", environment)
        if registry is None:
            return _missing(
                "the provider cannot be installed: set SIM_TERRAFORM_PLUGINS to a folder of provider plugins"
            )
        copy = shutil.copytree(TERRAFORM, work / "terraform", ignore=shutil.ignore_patterns(".terraform", "*.tfstate*"))
        with ThreadPoolExecutor(_SIDE_BY_SIDE) as threads:
            failures = [*threads.map(partial(_failure, environment, registry), folders(copy)), _unformatted()]
    for failure in filter(None, failures):
        print(failure)
    print("FAILED   terraform" if any(failures) else "ok       terraform")
    return int(any(failures))


def _failure(environment: Mapping[str, str], registry: str, folder: Path) -> CommandFailed | None:
    """The first failed check of a root or module; None if all pass."""
    root = Root(folder.name, folder, environment)
    try:
        if root.name == "network":
            # The VPC module comes from the module registry, or from the stand-in if no registry can be reached.
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
        run(checked, remedy="Run `terraform fmt -recursive`.", directory=TERRAFORM)
    except CommandFailed as failed:
        return failed
    return None


def _registry(folder: Path, environment: Mapping[str, str]) -> str | None:
    """The host name of Terraform's registry, which is part of the provider's name; None if there is no provider."""
    folder.mkdir()
    shutil.copy(TERRAFORM / "modules/bucket/versions.tf", folder)
    probe = Root(folder.name, folder, environment)
    try:
        probe.init()
        return installation.registry(probe)
    except CommandFailed:
        return None


def _environment(work: Path) -> dict[str, str]:
    """Environment variables for Terraform: where the provider is, a region for the backend, and no AWS account."""
    aws = {"AWS_REGION": "eu-central-1", "AWS_EC2_METADATA_DISABLED": "true"}
    return {**surroundings(os.environ, {}), **aws, **installation.environment(work, os.environ)}


def _missing(what: str) -> int:
    print(f"MISSING  terraform: {what}")
    return int("CI" in os.environ)


if __name__ == "__main__":
    sys.exit(main())
