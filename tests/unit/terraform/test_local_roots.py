"""Several roots applied together, with a shell script in place of Terraform."""

from __future__ import annotations

from pathlib import Path

import pytest

from release.errors import CommandFailed
from sim.terraform.installation import Modules
from sim.terraform.local_roots import LocalRoots

STATE = "work/terraform/bootstrap/terraform.tfstate"
TERRAFORM = rf"""#!/bin/sh
cd "$(dirname "$0")"
case "$2 $1" in
output*) test -e {STATE} && echo '{{"state_bucket": {{"value": "states"}}}}' || echo '{{}}' ;;
version*) echo '{{"provider_selections": {{"registry.example/hashicorp/aws": "5.100.0"}}}}' ;;
apply*bootstrap) env > asked; . ./bootstrap ;;
apply*network) touch network ;;
get*) test -e work/terraform/network/.terraform/modules/vpc ;;
esac
"""


@pytest.fixture
def reported() -> list[str]:
    return []


@pytest.fixture
def local_roots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reported: list[str]) -> LocalRoots:
    program = tmp_path / "terraform"
    program.write_text(TERRAFORM)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return LocalRoots(tmp_path / "work", "http://127.0.0.1:1", {}, reported.append)


def test_other_roots_start_as_soon_as_the_state_bucket_exists(local_roots: LocalRoots, tmp_path: Path) -> None:
    waits = f"touch {STATE}; for each in $(seq 200); do test -e network && exit; sleep 0.05; done; exit 1"
    (tmp_path / "bootstrap").write_text(waits)
    done = local_roots.apply(("network",), modules=Modules.STAND_IN)
    assert [each.root for each in done] == ["bootstrap", "network"]


def test_a_second_apply_waits_for_bootstrap_to_end(local_roots: LocalRoots, tmp_path: Path) -> None:
    (tmp_path / STATE).touch()
    (tmp_path / "bootstrap").write_text("sleep 0.3; test ! -e network")
    local_roots.apply(("network",), modules=Modules.STAND_IN)


def test_no_root_starts_when_bootstrap_fails(local_roots: LocalRoots, tmp_path: Path) -> None:
    (tmp_path / "bootstrap").write_text("echo 'no such account' >&2; exit 1")
    with pytest.raises(CommandFailed, match="no such account"):
        local_roots.apply(("network",), modules=Modules.STAND_IN)
    assert not (tmp_path / "network").exists()


def test_a_second_apply_still_reports_the_stand_in_module(
    local_roots: LocalRoots, tmp_path: Path, reported: list[str]
) -> None:
    (tmp_path / "bootstrap").write_text(f"touch {STATE}")
    local_roots.apply(("network",))
    local_roots.apply(("network",))
    assert [each for each in reported if "VPC" in each] == ["the VPC module is the stand-in"] * 2


def test_of_the_shells_terraform_settings_none_reaches_a_root(
    local_roots: LocalRoots, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bootstrap").write_text(f"touch {STATE}")
    for name in ("TF_WORKSPACE", "TF_DATA_DIR", "TF_CLI_ARGS", "TF_CLI_ARGS_apply", "TF_LOG", "TF_VAR_name"):
        monkeypatch.setenv(name, "the shell's")
    local_roots.apply((), modules=Modules.STAND_IN)
    asked = (tmp_path / "asked").read_text()
    assert "TF_IN_AUTOMATION=1" in asked
    assert "the shell's" not in asked
