"""Roots together, with a program in the place of Terraform."""

from __future__ import annotations

from pathlib import Path

import pytest

from release.errors import CommandFailed
from sim.terraform.installation import Modules
from sim.terraform.local_roots import Environment

STATE = "work/terraform/bootstrap/terraform.tfstate"
TERRAFORM = rf"""#!/bin/sh
cd "$(dirname "$0")"
case "$2 $1" in
output*) test -e {STATE} && echo '{{"state_bucket": {{"value": "states"}}}}' || echo '{{}}' ;;
version*) echo '{{"provider_selections": {{"registry.example/hashicorp/aws": "5.100.0"}}}}' ;;
apply*bootstrap) . ./bootstrap ;;
apply*network) touch network ;;
get*) test -e work/terraform/network/.terraform/modules/vpc ;;
esac
"""


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: list[str]) -> Environment:
    program = tmp_path / "terraform"
    program.write_text(TERRAFORM)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return Environment(tmp_path / "work", "http://127.0.0.1:1", {}, said.append)


def test_the_others_begin_when_the_bucket_is_there_not_when_bootstrap_has_ended(
    environment: Environment, tmp_path: Path
) -> None:
    waits = f"touch {STATE}; for each in $(seq 200); do test -e network && exit; sleep 0.05; done; exit 1"
    (tmp_path / "bootstrap").write_text(waits)
    done = environment.apply(("network",), modules=Modules.STAND_IN)
    assert [each.root for each in done] == ["bootstrap", "network"]


def test_what_bootstrap_made_before_is_no_sign_that_it_is_ready(environment: Environment, tmp_path: Path) -> None:
    (tmp_path / STATE).touch()
    (tmp_path / "bootstrap").write_text("sleep 0.3; test ! -e network")
    environment.apply(("network",), modules=Modules.STAND_IN)


def test_without_bootstrap_nothing_begins(environment: Environment, tmp_path: Path) -> None:
    (tmp_path / "bootstrap").write_text("echo 'no such account' >&2; exit 1")
    with pytest.raises(CommandFailed, match="no such account"):
        environment.apply(("network",), modules=Modules.STAND_IN)
    assert not (tmp_path / "network").exists()


def test_the_stand_in_of_an_earlier_apply_is_not_taken_for_the_module(
    environment: Environment, tmp_path: Path, said: list[str]
) -> None:
    (tmp_path / "bootstrap").write_text(f"touch {STATE}")
    environment.apply(("network",))
    environment.apply(("network",))
    assert [each for each in said if "VPC" in each] == ["the VPC module is the stand-in"] * 2
