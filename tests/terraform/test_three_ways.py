"""A person, a deployment and a workflow of the infrastructure plan a root with the same settings.

A program in the place of Terraform notes what it is asked. Real plans are in `test_deploy_page.py`.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from release.cli import main
from release.roots import ORDER, Environment
from sim.host.command import run
from sim.terraform.root_order import TERRAFORM

ACCOUNT, NAME, IMAGE = "123456789012", "mail", "sha256:" + "ab" * 32
SERVICES: Final = ("services/api", "services/worker")
SETTINGS: Final[dict[str, dict[str, dict[str, Any]]]] = {
    "north": {
        "account": {"create_provider": False},
        "network": {"nat_gateway_per_zone": True},
        "messaging": {"max_receive_count": 9},
        "cluster": {"client_cidrs": ["192.0.2.0/24"]},
        "services/api": {"token_version": 7},
        "services/worker": {"max_tasks": 8},
        "monitoring": {"emails": ["north@example.com"]},
        "github": {"apply_from_github": True},
    },
    "south": {
        "account": {"kept_images": 7},
        "network": {"cidr": "10.9.0.0/16"},
        "messaging": {"disposable": True},
        "cluster": {"container_insights": False},
        "services/api": {"log_retention_days": 3, "token_version": 2},
        "services/worker": {"min_tasks": 0},
        "monitoring": {"emails": ["south@example.com"]},
        "github": {"github_environment": "test"},
    },
}
"""By environment and root, none of them the default."""
NOTES: Final = r"""#!/bin/sh
case " $* " in
  *" plan "*) printf '%s\n' "$@" > "$ASKED.arguments"; env > "$ASKED.environment" ;;
  *" output "*) echo '{"image": {"value": "registry/mail/api@IMAGE"}}' ;;
esac
"""


@dataclass(frozen=True)
class Asked:
    """What Terraform is given of a root's variables: options in their order, and environment variables."""

    options: tuple[str, ...]
    variables: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Checkout:
    """A checkout with the two environments."""

    folder: Path

    def by_person(self, environment: str, root: str) -> Asked:
        image = [f"-var=image_tag={IMAGE}"] if root in SERVICES else []
        run([str(self.folder / "environments/run"), environment, root, "plan", *image], remedy="")
        return self._asked()

    def by_deployment(self, environment: str, root: str) -> Asked:
        planned = Environment(self.folder, environment, bucket(environment), os.environ).root(root)
        planned.plan(self.folder / "plan", {"image_tag": IMAGE})
        return self._asked()

    def by_infra(self, environment: str, root: str) -> Asked:
        place = ["--environment", environment, "--state-bucket", bucket(environment)]
        assert main(["--root", str(self.folder), "infra", root, *place]) == 0
        return self._asked()

    def _asked(self) -> Asked:
        arguments = (self.folder / "asked.arguments").read_text().splitlines()
        environment = [line.partition("=") for line in (self.folder / "asked.environment").read_text().splitlines()]
        (self.folder / "asked.arguments").unlink()
        return Asked(
            tuple(
                each.replace("/environments/../", "/") for each in arguments if each.startswith(("-var=", "-var-file="))
            ),
            tuple(sorted((name, value) for name, _, value in environment if name.startswith("TF_VAR_"))),
        )


def bucket(environment: str) -> str:
    return f"{NAME}-{environment}-state-{ACCOUNT}"


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    (tmp_path / "environments").mkdir()
    shutil.copy(TERRAFORM.parent / "environments/run", tmp_path / "environments")
    for environment, roots in SETTINGS.items():
        settled = {"environment": {"name": NAME, "environment": environment}, **roots}
        for root, given in settled.items():
            file = tmp_path / "environments" / environment / f"{root}.tfvars"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in given.items()))
            (tmp_path / "terraform" / root).mkdir(parents=True, exist_ok=True)
    program = tmp_path / "bin/terraform"
    program.parent.mkdir()
    program.write_text(NOTES.replace("IMAGE", IMAGE))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("ASKED", str(tmp_path / "asked"))
    monkeypatch.setenv("AWS_ACCOUNT_ID", ACCOUNT)
    return Checkout(tmp_path)


@pytest.mark.parametrize("environment", SETTINGS)
def test_every_root_is_planned_with_the_same_settings_whoever_plans(checkout: Checkout, environment: str) -> None:
    assert set(SETTINGS[environment]) == set(ORDER)
    for root in ORDER:
        asked = checkout.by_person(environment, root)
        assert checkout.by_infra(environment, root) == asked
        if root in SERVICES:
            assert checkout.by_deployment(environment, root) == asked
        folder = checkout.folder / "environments" / environment
        files = [f"-var-file={folder / file}.tfvars" for file in ("environment", root)]
        assert list(asked.options[:2]) == files
        assert asked.variables == (("TF_VAR_state_bucket", bucket(environment)),)
