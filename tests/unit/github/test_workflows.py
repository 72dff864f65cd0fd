"""What the workflows say, held to what GitHub does with it; their scripts, run as a runner runs them."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from release.cli import parser

ROOT = Path(__file__).resolve().parents[3]
WORKFLOWS = {file.name: YAML(typ="safe").load(file) for file in sorted((ROOT / ".github/workflows").glob("*.yml"))}


@dataclass(frozen=True)
class Step:
    """A step of a job that runs a script."""

    workflow: str
    job: str
    name: str
    script: str
    environment: dict[str, str]

    def __str__(self) -> str:
        return f"{self.workflow}-{self.job}-{self.name}"

    @property
    def releases(self) -> list[list[str]]:
        """The arguments of each `python -m release`."""
        joined = self.script.replace("\\\n", " ")
        return [
            shlex.split(re.sub(r"\$\{\w+:\+([^}]*)\}", r"\1", found))
            for found in re.findall(r"python -m release ([^\n)]*)", joined)
        ]


def steps() -> Iterator[Step]:
    for workflow, content in WORKFLOWS.items():
        for job, said in content["jobs"].items():
            for step in said.get("steps", []):
                if "run" in step:
                    environment = {**said.get("env", {}), **step.get("env", {})}
                    yield Step(workflow, job, step["name"], step["run"], environment)


STEPS = list(steps())
RELEASES = [step for step in STEPS if step.releases]


def step(workflow: str, name: str) -> Step:
    [found] = [each for each in STEPS if (each.workflow, each.name) == (workflow, name)]
    return found


@pytest.mark.parametrize("step", RELEASES, ids=str)
def test_every_command_of_a_release_is_understood(step: Step, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in step.environment:
        monkeypatch.setenv(variable, "said")
    for arguments in step.releases:
        parser().parse_args(["api" if each == "$SERVICE" else each for each in arguments])


@pytest.mark.parametrize("step", RELEASES, ids=str)
def test_a_cancelled_job_reaches_what_runs_terraform_for_long(step: Step) -> None:
    """GitHub signals the shell of a step alone, and kills what is left 10 seconds later.

    https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-cancellation
    """
    for arguments in step.releases:
        if arguments[0] in {"deploy", "infra"}:
            assert step.script.startswith("exec python -m release "), step.script


@pytest.mark.parametrize("step", STEPS, ids=str)
def test_no_step_hides_that_a_command_of_it_has_failed(step: Step) -> None:
    """The status of a command in an argument is lost: `echo "a=$(false)"` succeeds."""
    for line in step.script.replace("\\\n", " ").splitlines():
        if "$(" in line:
            assert re.match(r"\s*(\w+=\$\(|\S+ .*\$\(cat )", line), line
    assert not re.search(r"\|\| *(exit 0|true)|; *true|set \+e", step.script)


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_a_workflow_that_is_called_asks_for_no_more_than_its_caller_has(workflow: str) -> None:
    """Or GitHub does not even start the caller, whatever its conditions are.

    https://docs.github.com/en/actions/reference/workflows-and-actions/reusing-workflow-configurations
    """
    levels = ("none", "read", "write")
    for job in WORKFLOWS[workflow]["jobs"].values():
        if "uses" not in job:
            continue
        called = WORKFLOWS[Path(job["uses"]).name]
        for inner in called["jobs"].values():
            for scope, level in inner["permissions"].items():
                assert levels.index(level) <= levels.index(job["permissions"].get(scope, "none")), (scope, level)
        asked = called["on"]["workflow_call"]["inputs"]
        assert set(job["with"]) <= set(asked)
        assert {name for name, given in asked.items() if given.get("required")} <= set(job["with"])


def test_a_merge_is_gated_by_what_the_engine_for_ci_runs() -> None:
    commands = {line for line in (ROOT / ".ci/run").read_text().splitlines() if line.startswith("make ")}
    assert commands <= {line for each in STEPS if each.workflow == "ci.yml" for line in each.script.splitlines()}


def test_what_is_published_is_what_ci_has_built_scanned_tested_and_kept() -> None:
    jobs = WORKFLOWS["ci.yml"]["jobs"]["images"]["steps"]
    names = [each["name"] for each in jobs]
    order = ["Build", "The tests of the images", "Known vulnerabilities that have a remedy", "Save"]
    assert [name for name in names if name in order] == order
    assert [each["name"] for each in jobs if "build" in each.get("run", "").split()] == ["Build", "What is inside"]
    [kept] = [each["with"]["name"] for each in jobs if each.get("uses", "").startswith("actions/upload-artifact@")]
    publish = WORKFLOWS["release.yml"]["jobs"]["publish"]["steps"]
    [taken] = [
        each["with"]["name"] for each in publish if each.get("uses", "").startswith("actions/download-artifact@")
    ]
    assert kept.replace("inputs.commit", "matrix.commit") == taken
    assert WORKFLOWS["release.yml"]["jobs"]["ci"]["with"] == {"commit": "${{ matrix.commit }}"}
    assert "ci" in WORKFLOWS["release.yml"]["jobs"]["publish"]["needs"]


def test_a_release_asks_and_publishes_where_every_environment_takes_its_images_from() -> None:
    """The root `account` makes one repository for each service; a service's root finds it by its name."""
    jobs = WORKFLOWS["release.yml"]["jobs"]
    assert step("release.yml", "Ask").environment["REPOSITORIES"] == "${{ vars.NAME }}"
    assert jobs["publish"]["env"]["REPOSITORY"] == "${{ vars.NAME }}/${{ matrix.service }}"
    terraform = ROOT / "terraform"
    assert re.search(r'name += "\$\{var\.name\}/\$\{each\.value\}"', (terraform / "account/main.tf").read_text())
    for service in ("api", "worker"):
        root = (terraform / "services" / service / "main.tf").read_text()
        [name] = re.findall(r'data "aws_ecr_repository" "this" \{\n  name = "(.+)"\n', root)
        assert name == f"${{var.name}}/{service}"


def test_nothing_is_proposed_before_ci_was_green() -> None:
    propose = WORKFLOWS["release.yml"]["jobs"]["propose"]
    assert propose["needs"] == "ci"
    assert "needs.ci.result == 'success'" in propose["if"]


def test_infrastructure_applies_plans_that_were_approved_and_a_look_at_drift_replaces_none() -> None:
    infra = WORKFLOWS["infra.yml"]
    assert "${{ github.event_name }}" in infra["concurrency"]["group"]
    applied = [each for each in STEPS if any("--apply" in arguments for arguments in each.releases)]
    assert [(each.job, "--plans" in each.script) for each in applied] == [("apply", True)]
    assert infra["jobs"]["apply"]["environment"].endswith("-infra")
    assert infra["jobs"]["plan"]["environment"].endswith("-plan")


@pytest.fixture
def runner(tmp_path: Path) -> Path:
    """A folder with a program in the place of Python, that prints `answer` and ends with `status`."""
    if shutil.which("jq") is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("there is no jq, which GitHub's runners have")
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin/python"
    program.write_text("#!/bin/sh\ncat answer\nexit $(cat status)\n")
    program.chmod(0o755)
    return tmp_path


def run(step: Step, runner: Path, answer: Any, status: int = 0, **environment: str) -> dict[str, str] | None:
    """The outputs of a step; None if it fails."""
    (runner / "answer").write_text(json.dumps(answer))
    (runner / "status").write_text(str(status))
    (runner / "script").write_text(step.script)
    outputs = runner / "outputs"
    outputs.write_text("")
    path = f"{runner}/bin:{os.environ['PATH']}"
    settings = {"PATH": path, "GITHUB_OUTPUT": str(outputs), "REPOSITORIES": "a", "REPOSITORY": "a", "SERVICE": "api"}
    # https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idstepsshell
    done = subprocess.run(
        ["bash", "-e", "script"], cwd=runner, env={**settings, **environment}, capture_output=True, check=False
    )
    if done.returncode:
        return None
    return dict(line.split("=", 1) for line in outputs.read_text().splitlines())


API = {"service": "api", "version": "0.2.0", "commit": "a" * 40}
WORKER = {"service": "worker", "version": "0.1.1", "commit": "a" * 40}


def test_what_is_not_published_is_released_from_the_commits_that_set_its_versions(runner: Path) -> None:
    asked = run(step("release.yml", "Ask"), runner, [API, WORKER])
    assert asked is not None
    assert json.loads(asked["releases"]) == [API, WORKER]
    assert json.loads(asked["commits"]) == ["a" * 40]
    assert run(step("release.yml", "Ask"), runner, []) == {"releases": "[]", "commits": "[]"}


def test_the_pull_request_is_named_by_its_versions(runner: Path) -> None:
    assert run(step("release.yml", "Bump what changed"), runner, [API, WORKER]) == {"title": "api 0.2.0, worker 0.1.1"}


def test_the_digest_of_what_was_published_is_kept(runner: Path) -> None:
    assert run(step("release.yml", "Publish"), runner, {"digest": "sha256:1"}) == {"digest": "sha256:1"}
    assert run(step("release.yml", "Publish"), runner, {}) is None


@pytest.mark.parametrize("name", ["Ask", "Bump what changed", "Publish"])
def test_a_step_whose_command_fails_fails(runner: Path, name: str) -> None:
    assert run(step("release.yml", name), runner, [], status=1) is None


@pytest.mark.parametrize("plans", [(), ("production",), ("production", "staging")])
def test_an_approval_is_asked_for_where_there_is_something_to_apply_in_their_order(
    runner: Path, plans: tuple[str, ...]
) -> None:
    every = ["staging", "production"]
    for environment in plans:
        (runner / f"plans/plans-{environment}").mkdir(parents=True)
    listed = run(step("infra.yml", "The environments that have any"), runner, [], ALL=json.dumps(every))
    assert listed is not None
    assert json.loads(listed["environments"]) == [each for each in every if each in plans]
