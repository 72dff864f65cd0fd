"""`sim rehearse plan`: the table, JSON for a program, limits that make it fail, and input that it refuses."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from sim.cli.main import app
from sim.cli.rehearse import seconds
from sim.errors import SimError
from sim.prediction.scenario import Seconds
from tests.unit.prediction import made

_LINE = (
    "2026-01-01T10:00:00.000000Z emails-test 198.51.100.7:51234 {target} {times} {status} 202 510 30 "
    '"POST http://example.com:80/publish HTTP/1.1" "a client/1" - -'
)
LOG = [
    _LINE.format(target="10.0.0.4:8000", times="0.000500 0.000700 0.000300", status=202),
    _LINE.format(target="10.0.0.5:8000", times="0.500000 1.500000 0.500000", status=202),
    _LINE.format(target="-", times="-1 -1 -1", status=503),
]
FEW = ("--seeds", "4", "--pace", "local")


def rehearse(path: Path, *options: str) -> Result:
    return CliRunner().invoke(app, ["rehearse", "plan", str(path), *options])


@pytest.fixture
def good(tmp_path: Path) -> Path:
    """Two tasks on three instances at 100/150."""
    return made.written(tmp_path, made.project())


@pytest.fixture
def stuck(tmp_path: Path) -> Path:
    """Two tasks on two instances at 100/150."""
    return made.written(tmp_path, made.project(size=2))


def test_the_table_has_the_current_settings_and_alternatives(good: Path) -> None:
    ended = rehearse(good, *FEW)
    assert ended.exit_code == 0
    lines = ended.stdout.splitlines()
    assert lines[0] == "service app: 2 tasks on 3 instances, 100/150"
    assert "a step every 1 s, registrations within 0 s; 4 deployments each" in lines[1]
    assert any(line.startswith("100/150 (as it is)") for line in lines)
    assert any(line.startswith("0/100") for line in lines)
    assert lines[-1] == "Keep 100/150: no other setting here costs clients less."


def test_a_program_gets_the_same_as_json(good: Path) -> None:
    (found,) = json.loads(rehearse(good, *FEW, "--json").stdout)
    now = found["settings"][0]
    assert (now["as_it_is"], now["ends"], now["serving_at_least"]) == (True, True, 2)
    assert found["assumed"]["step_seconds"] == 1.0
    assert found["broken"] == []


def test_a_deployment_that_never_ends_is_explained(stuck: Path) -> None:
    ended = rehearse(stuck, *FEW)
    assert ended.exit_code == 0
    assert "never ends" in ended.stdout
    assert "is already using a port required by your task" in ended.stdout
    assert "with one instance more" in ended.stdout


@pytest.mark.parametrize(
    ("option", "words"),
    [
        (("--serving-at-least", "3"), "2 serve at the lowest, and 3 must"),
        (("--takes-at-most", "10"), "seconds until it ends, and 10 are allowed"),
    ],
)
def test_a_broken_limit_fails(good: Path, option: tuple[str, ...], words: str) -> None:
    ended = rehearse(good, *FEW, "--alone", *option)
    assert ended.exit_code == 1
    assert "LIMIT BROKEN: " in ended.stdout
    assert words in ended.stdout


def test_a_deployment_that_never_ends_breaks_every_limit(stuck: Path) -> None:
    ended = rehearse(stuck, *FEW, "--alone", "--nothing-at-most", "0")
    assert ended.exit_code == 1
    assert "does not end with the new version" in ended.stdout


def test_limits_that_hold_pass(good: Path) -> None:
    limits = ("--serving-at-least", "2", "--nothing-at-most", "0", "--missing-at-most", "0", "--takes-at-most", "90")
    assert rehearse(good, *FEW, "--alone", *limits).exit_code == 0


def test_times_come_from_measured_tasks(good: Path, tmp_path: Path) -> None:
    task = {
        "createdAt": "2026-01-01T10:00:00+00:00",
        "startedAt": "2026-01-01T10:00:07+00:00",
        "stoppingAt": "2026-01-01T11:00:00+00:00",
        "stoppedAt": "2026-01-01T11:00:20.5+00:00",
    }
    waited = {**task, "createdAt": "2026-01-01T09:00:00+00:00", "pullStartedAt": task["createdAt"]}
    tasks = [task, waited, {"createdAt": task["createdAt"]}]
    measured = made.written(tmp_path, json.dumps({"tasks": tasks}), "tasks.json")
    (found,) = json.loads(rehearse(good, *FEW, "--alone", "--json", "--measured", str(measured)).stdout)
    assert (found["assumed"]["launch"], found["assumed"]["stop"]) == ("7 s", "20.5 s")


def test_the_longest_request_comes_from_an_access_log(good: Path, tmp_path: Path) -> None:
    log = made.written(tmp_path, "".join(f"{each}\n" for each in LOG), "elb.log")
    (found,) = json.loads(rehearse(good, *FEW, "--alone", "--json", "--measured", str(log)).stdout)
    assert found["assumed"]["drain"] == "0.0015..2.5 s"


@pytest.mark.parametrize("text", ["{}", "not a log", "[1]", '{"tasks": 1}'])
def test_a_file_that_is_no_record_is_named(good: Path, tmp_path: Path, text: str) -> None:
    record = made.written(tmp_path, text, "record")
    with pytest.raises(SimError, match="record is neither what `aws ecs describe-tasks` prints nor an access log"):
        CliRunner().invoke(app, ["rehearse", "plan", str(good), "--measured", str(record)], catch_exceptions=False)


@pytest.mark.parametrize("kind", ["plan", "folder"])
def test_terraform_reads_a_binary_plan_and_a_folder(
    good: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """A program in the place of Terraform notes what it is asked, and prints the plan as JSON."""
    program = tmp_path / "bin/terraform"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/asked\ncat {good}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    root = tmp_path / "root"
    root.mkdir()
    (root / "a.tfplan").write_bytes(b"PK\x03\x04")
    of = root if kind == "folder" else root / "a.tfplan"
    assert rehearse(of, *FEW, "--alone").exit_code == 0
    shown = "" if kind == "folder" else " a.tfplan"
    assert (tmp_path / "asked").read_text() == f"-chdir={root} show -json{shown}\n"


def test_an_unknown_service_is_named(good: Path) -> None:
    with pytest.raises(SimError, match="there is no service web in the files; there is app"):
        CliRunner().invoke(app, ["rehearse", "plan", str(good), "--service", "web"], catch_exceptions=False)


def test_an_invalid_time_is_a_wrong_command_line(good: Path) -> None:
    assert rehearse(good, "--start", "soon").exit_code == 2
    assert rehearse(good, "--start", "5..1").exit_code == 2
    assert seconds("1..5") == Seconds(1.0, 5.0)
    assert seconds("3") == Seconds(3.0, 3.0)


def test_the_command_does_not_import_what_only_other_commands_need() -> None:
    code = "import sys, sim.cli.main, sim.cli.rehearse; print({'boto3', 'flask', 'docker'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
