"""Whose machine it is: users without a name, terminals that show little, shells with settings of their own."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
from pathlib import Path

import pytest

from release.cli import parser
from release.terraform import surroundings
from tests.unit.release.conftest import settle

TERRAFORM = """#!/bin/sh
case "$*" in
  *" plan "*) exit 2 ;;
  *" show "*) echo "Größe → 2"; env > asked ;;
esac
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """With a root, and a program in the place of Terraform."""
    program = tmp_path / "bin/terraform"
    program.parent.mkdir()
    program.write_text(TERRAFORM)
    program.chmod(0o755)
    (tmp_path / "terraform/network").mkdir(parents=True)
    settle(tmp_path, "network")
    return tmp_path


def infra(checkout: Path, **environment: str) -> subprocess.CompletedProcess[bytes]:
    command = ["infra", "network", "--environment", "test", "--state-bucket", "states"]
    path = f"{checkout}/bin:{os.environ['PATH']}"
    return subprocess.run(
        [sys.executable, "-m", "release", "--root", str(checkout), *command],
        env={**os.environ, "PATH": path, **environment},
        capture_output=True,
        check=False,
    )


def test_a_terminal_that_cannot_show_a_character_shows_its_escape(checkout: Path) -> None:
    done = infra(checkout, PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr
    assert rb"Gr\xf6\xdfe \u2192 2" in done.stdout
    assert done.stdout.splitlines()[-1] == b"to be applied: network"


def test_of_the_shells_terraform_settings_none_reaches_a_root(checkout: Path) -> None:
    others = {"TF_WORKSPACE": "other", "TF_VAR_name": "other", "TF_CLI_ARGS_plan": "-destroy", "TF_LOG": "trace"}
    assert infra(checkout, TF_DATA_DIR="/other", TF_CLI_CONFIG_FILE="/a.tfrc", **others).returncode == 0
    asked = dict(line.split("=", 1) for line in (checkout / "terraform/network/asked").read_text().splitlines())
    assert {name: value for name, value in asked.items() if name.startswith("TF_")} == {
        "TF_CLI_CONFIG_FILE": "/a.tfrc",
        "TF_DATA_DIR": ".terraform/test",
        "TF_IN_AUTOMATION": "1",
        "TF_INPUT": "0",
        "TF_VAR_state_bucket": "states",
    }


def test_how_terraform_is_installed_stays_as_the_shell_has_it() -> None:
    installed = {"TF_PLUGIN_CACHE_DIR": "/cache", "TF_TOKEN_app_terraform_io": "secret", "PATH": "/bin"}
    assert installed.items() <= surroundings({**installed, "TF_VAR_image_tag": "1"}, {}).items()
    assert "TF_VAR_image_tag" not in surroundings({"TF_VAR_image_tag": "1"}, {})


def test_an_environment_without_settings_is_an_error_that_says_where_they_would_be(checkout: Path) -> None:
    (checkout / "environments/test/network.tfvars").unlink()
    done = infra(checkout)
    assert done.returncode == 1
    assert b"the environment test has no " in done.stderr
    assert b"environments/test/network.tfvars" in done.stderr


def test_a_user_without_a_name_is_named_by_the_number(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(user: int) -> None:
        raise KeyError(user)

    for variable in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    options = parser().parse_args(["deploy", "api", "1.0.0", "--environment", "test", "--state-bucket", "states"])
    assert options.who == f"user {os.getuid()}"
