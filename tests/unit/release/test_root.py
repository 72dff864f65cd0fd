"""What is made of Terraform's answers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from release.errors import CommandFailed, StateLocked
from release.terraform import Change, Root

LOCKED = """Error: Error acquiring the state lock

Error message: operation error S3: PutObject, https response error StatusCode: 412
Lock Info:
  ID:        8b8f1f4a-0d1c-7a5e-1b57-1f2d7c9a0b11
  Path:      states/network/terraform.tfstate
"""


@pytest.fixture
def root(tmp_path: Path) -> Root:
    """One whose terraform is `answer`'s, and nothing else is in PATH."""
    return Root("network", tmp_path, {"PATH": f"{tmp_path}:/usr/bin:/bin"})


def answer(folder: Path, script: str) -> None:
    """A program in the place of Terraform."""
    program = folder / "terraform"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


@pytest.fixture(autouse=True)
def in_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs are looked for where this process looks for them."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")


def test_a_lock_is_reported_with_what_to_do(root: Root, tmp_path: Path) -> None:
    answer(tmp_path, f"cat >&2 <<'END'\n{LOCKED}END\nexit 1")
    with pytest.raises(StateLocked, match=r"the state of network is locked .*`--unlock` takes its lock away") as raised:
        root.apply()
    assert raised.value.lock == "8b8f1f4a-0d1c-7a5e-1b57-1f2d7c9a0b11"


def test_any_other_error_is_reported_with_its_command(root: Root, tmp_path: Path) -> None:
    answer(tmp_path, "echo 'environment must be 2 to 11 lower-case letters' >&2; exit 1")
    with pytest.raises(CommandFailed, match=r"(?s)terraform -chdir=.* apply .*must be 2 to 11"):
        root.apply()


def test_a_plan_without_changes_is_empty(root: Root, tmp_path: Path) -> None:
    answer(tmp_path, "exit 0")
    plan = root.plan(tmp_path / "plan")
    assert not plan.changes
    assert root.changes(plan) == ()


def test_a_plan_names_what_changes_and_leaves_out_what_is_read_or_stays(root: Root, tmp_path: Path) -> None:
    def resource(address: str, *actions: str) -> dict[str, object]:
        return {"address": address, "change": {"actions": actions, "before": None, "after": {}}}

    changes = [resource("aws_vpc.this", "no-op"), resource("data.a", "read"), resource("aws_eip.nat[1]", "create")]
    (tmp_path / "plan.json").write_text(json.dumps({"resource_changes": changes}))
    answer(tmp_path, f'case "$*" in *" show "*) cat {tmp_path}/plan.json;; *) exit 2;; esac')
    plan = root.plan(tmp_path / "plan")
    assert root.changes(plan) == (Change("aws_eip.nat[1]", ("create",), None, {}),)


def test_a_plan_that_fails_is_no_plan_with_changes(root: Root, tmp_path: Path) -> None:
    answer(tmp_path, "exit 1")
    with pytest.raises(CommandFailed):
        root.plan(tmp_path / "plan")


def test_a_lock_is_taken_away_where_that_was_asked(tmp_path: Path) -> None:
    root = Root("network", tmp_path, {"PATH": f"{tmp_path}:/usr/bin:/bin"}, unlock=True)
    unlocks = 'case "$*" in *force-unlock*) touch unlocked; exit 0;; esac\ntest -e unlocked && exit 0'
    answer(tmp_path, f"{unlocks}\ncat >&2 <<'END'\n{LOCKED}END\nexit 1")
    root.apply()
    assert (tmp_path / "unlocked").exists()
