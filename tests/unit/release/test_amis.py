"""AMIs: the newest comes to the first environment, and from there to the next."""

from __future__ import annotations

from pathlib import Path

import pytest

from release.cli import FAILED, main

OLD, NEW, NEWEST = (f"al2023-ami-ecs-hvm-2023.0.2026{day}-kernel-6.1-x86_64" for day in ("0820", "0901", "0914"))


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for environment, ami in (("staging", NEW), ("production", OLD), ("local", "recommended")):
        file = tmp_path / "environments" / environment / "cluster.tfvars"
        file.parent.mkdir(parents=True)
        file.write_text(f'# ami: what they start from\nami       = "{ami}"\napi_tasks = 1\n')
    return tmp_path


def raise_to(newest: str, checkout: Path, *environments: str) -> int:
    return main(["--root", str(checkout), "amis", *environments, "--newest", newest])


def settings(checkout: Path, environment: str) -> str:
    return (checkout / "environments" / environment / "cluster.tfvars").read_text()


def test_each_environment_gets_what_the_one_before_it_has_had(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert raise_to(NEWEST, checkout, "staging", "production") == 0
    assert capsys.readouterr().out.splitlines() == [f"staging {NEWEST}", f"production {NEW}"]
    assert settings(checkout, "staging") == f'# ami: what they start from\nami       = "{NEWEST}"\napi_tasks = 1\n'
    assert f'"{NEW}"' in settings(checkout, "production")
    assert raise_to(NEWEST, checkout, "staging", "production") == 0
    assert f'"{NEWEST}"' in settings(checkout, "production"), "and in the end they have the same"


def test_one_alone(checkout: Path) -> None:
    assert raise_to(NEWEST, checkout, "staging") == 0
    assert f'"{OLD}"' in settings(checkout, "production")


@pytest.mark.parametrize("environment", ["local", "test"])
def test_where_there_is_none_nothing_is_written(
    checkout: Path, environment: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert raise_to(NEWEST, checkout, "staging", environment) == FAILED
    assert f"environments/{environment}/cluster.tfvars: no AMI is pinned there; write" in capsys.readouterr().err
    assert f'"{NEW}"' in settings(checkout, "staging")
