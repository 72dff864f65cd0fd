"""`sim doctor`: the checks of a machine."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from sim.cli.doctor import Finding, examine, missing


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all there is of PATH."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def install(programs: Path, name: str, script: str) -> None:
    program = programs / name
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


def found(what: str) -> Finding:
    return next(finding for finding in examine() if finding.what == what)


def test_this_python_is_good_and_its_version_is_shown() -> None:
    python = found("python")
    assert (python.good, python.seen) == (True, ".".join(map(str, sys.version_info[:3])))


@pytest.mark.usefixtures("programs")
@pytest.mark.parametrize("what", ["docker engine", "docker compose", "terraform", "npm", "chromium"])
def test_a_missing_program_is_reported_with_its_remedy(what: str) -> None:
    finding = found(what)
    assert (finding.good, finding.seen) == (False, "not installed")
    assert finding.remedy.startswith("install ")


def test_a_program_that_answers_is_good_and_its_version_is_shown(programs: Path) -> None:
    install(programs, "terraform", "echo Terraform v1.11.0; echo more")
    assert found("terraform") == Finding(
        "terraform",
        good=True,
        seen="Terraform v1.11.0",
        remedy=found("terraform").remedy,
        needed_for=("cluster", "terraform"),
    )


def test_terraform_settings_of_the_shell_do_not_hide_it(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(programs, "terraform", 'test -z "$TF_LOG$TF_CLI_ARGS" && echo Terraform v1.11.0')
    monkeypatch.setenv("TF_LOG", "trace")
    monkeypatch.setenv("TF_CLI_ARGS", "-destroy")
    assert (found("terraform").good, found("terraform").seen) == (True, "Terraform v1.11.0")


def test_the_folder_of_the_provider_is_good_if_the_provider_is_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SIM_TERRAFORM_PLUGINS", raising=False)
    assert found("terraform provider").good
    monkeypatch.setenv("SIM_TERRAFORM_PLUGINS", str(tmp_path))
    assert (found("terraform provider").good, found("terraform provider").seen) == (False, str(tmp_path))
    version = tmp_path / "registry.example/hashicorp/aws/5.100.0"
    version.mkdir(parents=True)
    assert (found("terraform provider").good, found("terraform provider").seen) == (True, str(version))


def test_a_program_that_fails_is_bad_and_its_error_is_shown(programs: Path) -> None:
    install(programs, "docker", "echo is it running >&2; exit 1")
    engine = found("docker engine")
    assert (engine.good, engine.seen) == (False, "is it running")


def test_a_program_that_does_not_answer_in_time_is_bad(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sim.cli.doctor._COMMAND_SECONDS", 0.1)
    install(programs, "docker", "exec /bin/sleep 60")
    assert found("docker engine").seen == "does not answer"


def test_localstack_is_never_missing_because_the_kit_installs_it() -> None:
    def finding(what: str, target: str, *, good: bool) -> Finding:
        return Finding(what, good, seen="", remedy="", needed_for=(target,))

    findings = [
        finding("memory", "process", good=True),
        finding("python", "process", good=False),
        finding("localstack", "process", good=False),
        finding("docker engine", "docker", good=False),
    ]
    assert [each.what for each in missing(findings, "process")] == ["python"]
    assert [each.what for each in missing(findings, "docker")] == ["docker engine"]
