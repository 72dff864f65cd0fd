"""`sim doctor`: what this machine can run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil
import typer

from release.terraform import surroundings
from sim.cli.options import FAILED, Json
from sim.cli.output import Report
from sim.cloud.localstack import venv

_MIN_FREE_BYTES = 2 * 1024**3
_COMMAND_SECONDS = 10


@dataclass(frozen=True)
class Finding:
    """The result of one check: whether it is good, what was seen, and the remedy if it is not.

    `needed_for` lists the targets that need it. `terraform` among them stands for production's Terraform on any target.
    """

    what: str
    good: bool
    seen: str
    remedy: str
    needed_for: tuple[str, ...]


def examine() -> list[Finding]:
    """Examines this machine. Starts nothing and changes nothing."""
    every = ("process", "docker", "cluster", "terraform")
    version = ".".join(map(str, sys.version_info[:3]))
    free = psutil.virtual_memory().available
    return [
        Finding("python", venv.runs_on(sys.version_info[:2]), version, venv.PYTHON_REMEDY, (*every, "aws")),
        Finding(
            "memory",
            free >= _MIN_FREE_BYTES,
            f"{free / 1024**3:.1f} GiB free, {os.cpu_count()} cores",
            "2 GiB of free memory are needed: end other programs",
            every,
        ),
        Finding(
            "localstack",
            venv.is_made(),
            "installed" if venv.is_made() else "not installed yet",
            "nothing to do: the first start installs it from the Python package index",
            ("process", "terraform"),
        ),
        _command(
            "docker engine",
            ["docker", "version", "--format", "{{.Server.Version}}"],
            "install Docker and start its engine",
            ("docker",),
        ),
        _command(
            "docker compose",
            ["docker", "compose", "version", "--short"],
            "install Docker's compose plugin, version 2",
            ("docker",),
        ),
        _command("terraform", ["terraform", "version"], "install Terraform 1.11 or newer", ("cluster", "terraform")),
        _provider(),
        _command("npm", ["npm", "--version"], "install Node.js 20 or newer, for tests", ("npm", "browser")),
        _command(
            "chromium",
            ["chromium", "--version"],
            "install Chromium, for the tests of the live page: on Debian, apt-get install chromium",
            ("browser",),
        ),
    ]


def missing(findings: list[Finding], target: str) -> list[Finding]:
    """The failed checks that keep the target from running. LocalStack does not count: the kit installs it."""
    return [each for each in findings if target in each.needed_for and not each.good and each.what != "localstack"]


def _provider() -> Finding:
    """Looks for Terraform's AWS provider in the folder that SIM_TERRAFORM_PLUGINS names, if it is set."""
    folder = os.environ.get("SIM_TERRAFORM_PLUGINS")
    there = next(Path(folder).glob("*/hashicorp/aws/*"), None) if folder else None
    return Finding(
        "terraform provider",
        good=not folder or there is not None,
        seen=str(there or folder or "as Terraform is configured"),
        remedy="set SIM_TERRAFORM_PLUGINS to a filesystem mirror with hashicorp/aws, or unset it to use the registry",
        needed_for=("cluster", "terraform"),
    )


def _command(what: str, command: list[str], remedy: str, needed_for: tuple[str, ...]) -> Finding:
    if shutil.which(command[0]) is None:
        return Finding(what, good=False, seen="not installed", remedy=remedy, needed_for=needed_for)
    try:
        done = subprocess.run(  # noqa: S603 - commands of ours
            command,
            capture_output=True,
            text=True,
            timeout=_COMMAND_SECONDS,
            check=False,
            env=surroundings(os.environ, {}),
        )
    except subprocess.TimeoutExpired:
        return Finding(what, good=False, seen="does not answer", remedy=remedy, needed_for=needed_for)
    lines = (done.stdout if done.returncode == 0 else done.stderr).strip().splitlines()
    return Finding(what, done.returncode == 0, lines[0] if lines else "", remedy, needed_for)


def doctor(json: Json = False) -> None:
    """Report what this machine can run, and what the other targets need."""
    findings = examine()
    report = Report(json)
    report.table(
        ["what", "good", "seen", "needed_for", "remedy"],
        [{**asdict(each), "remedy": "" if each.good else each.remedy} for each in findings],
    )
    if missing(findings, "process"):
        raise typer.Exit(FAILED)
