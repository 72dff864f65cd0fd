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
from sim.host.command import CommandFailed, run
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
        copy = shutil.copytree(
            TERRAFORM, work / "terraform", ignore=shutil.ignore_patterns(".terraform*", "*.tfstate*")
        )
        with ThreadPoolExecutor(_SIDE_BY_SIDE) as threads:
            failures = [*threads.map(partial(_failure, environment, registry), folders(copy)), _unformatted()]
    for failure in filter(None, failures):
        print(failure)
    print("FAILED   terraform" if any(failures) else "ok       terraform")
    return int(any(failures))


def _failure(environment: Mapping[str, str], registry: str, folder: Path) -> CommandFailed | None:
    """The first thing that is wrong with a root or module, if anything is."""
    terraform = ["terraform", f"-chdir={folder}"]
    try:
        _initialise(folder, environment, registry)
        run([*terraform, "validate", "-no-color"], environment=environment, remedy="")
        run([*terraform, "test", "-no-color"], environment=environment, remedy="")
    except CommandFailed as failed:
        return failed
    return None


def _unformatted() -> CommandFailed | None:
    try:
        run(["terraform", "fmt", "-check", "-recursive", str(TERRAFORM)], remedy="`terraform fmt -recursive` mends it.")
        run(["terraform", "fmt", "-check", str(installation.STAND_IN)], remedy="`terraform fmt` mends it.")
    except CommandFailed as failed:
        return failed
    return None


def _initialise(folder: Path, environment: Mapping[str, str], registry: str) -> None:
    """Takes the VPC module from the module registry, or its stand-in where there is none. Raises CommandFailed."""
    if folder.name == "network":
        installation.choose(folder, installation.Modules.AUTO, environment, lambda: registry)
    run(["terraform", f"-chdir={folder}", "init", "-backend=false", "-no-color"], environment=environment, remedy="")


def _registry(folder: Path, environment: Mapping[str, str]) -> str | None:
    """The name of Terraform's own registry, under which it knows the provider; None if that cannot be had."""
    folder.mkdir()
    shutil.copy(TERRAFORM / "modules/bucket/versions.tf", folder)
    try:
        run(["terraform", f"-chdir={folder}", "init", "-no-color"], environment=environment, remedy="")
        return installation.registry(folder, environment)
    except CommandFailed:
        return None


def _environment(work: Path) -> dict[str, str]:
    """What Terraform is told: where the provider is, a region for the backend to believe in, and no account."""
    told = {"AWS_REGION": "eu-central-1", "AWS_EC2_METADATA_DISABLED": "true", "CHECKPOINT_DISABLE": "1"}
    return {**told, **installation.environment(work, os.environ)}


def _missing(what: str) -> int:
    print(f"MISSING  terraform: {what}")
    return int("CI" in os.environ)


if __name__ == "__main__":
    sys.exit(main())
